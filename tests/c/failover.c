/* A program in C against the committed header: it starts the lab, loses the primary site, makes the plan of a failover,
 * runs it, and compares the end with what the lab holds. `failover LIBRARY LAB FOLDER` ends with 0 when all of it holds.
 *
 * With a fourth argument `cancel` it cancels in the middle instead, and wants an honest end; with `panic` a fault is
 * planted in a task of the library, which must come back as an error while this process goes on. A fifth argument is the
 * encryption of the sessions, `Mandatory` where it is missing. */
#include "json.h"
#include "pchat.h"
#include "platform.h"

/* The exports, each with the type that the header declares for it. */
static __typeof__(pchat_abi_version) *abi_version;
static __typeof__(pchat_session_open) *session_open;
static __typeof__(pchat_session_login_add) *login_add;
static __typeof__(pchat_session_close) *session_close;
static __typeof__(pchat_failover_plan) *failover_plan;
static __typeof__(pchat_run_start) *run_start;
static __typeof__(pchat_operation_next) *operation_next;
static __typeof__(pchat_operation_answer) *operation_answer;
static __typeof__(pchat_operation_cancel) *operation_cancel;
static __typeof__(pchat_operation_close) *operation_close;
static __typeof__(pchat_document_data) *document_data;
static __typeof__(pchat_document_free) *document_free;

static char control_host[64];
static int control_port;
static const char *encryption = "Mandatory";
static int failures;

static void expect(int holds, const char *what) {
    printf("%s: %s\n", holds ? "ok" : "NOT OK", what);
    failures += holds ? 0 : 1;
}

static void die(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static int is_true(const Json *value) { return value && value->kind == JSON_TRUE; }

static Json *parsed(const char *text) { return json_parse(text, strlen(text)); }

static void bind_exports(void *library) {
#define BIND(variable, name) \
    do { \
        *(void **)&variable = find_symbol(library, name); \
        if (!variable) die("missing export: " name); \
    } while (0)
    BIND(abi_version, "pchat_abi_version");
    BIND(session_open, "pchat_session_open");
    BIND(login_add, "pchat_session_login_add");
    BIND(session_close, "pchat_session_close");
    BIND(failover_plan, "pchat_failover_plan");
    BIND(run_start, "pchat_run_start");
    BIND(operation_next, "pchat_operation_next");
    BIND(operation_answer, "pchat_operation_answer");
    BIND(operation_cancel, "pchat_operation_cancel");
    BIND(operation_close, "pchat_operation_close");
    BIND(document_data, "pchat_document_data");
    BIND(document_free, "pchat_document_free");
#undef BIND
}

/* A document as JSON; the document is freed. */
static Json *taken(PchatDocument *document) {
    const uint8_t *data = NULL;
    size_t length = 0;
    Json *json;
    if (document_data(document, &data, &length, NULL) != PCHAT_OK) die("a document without bytes");
    json = json_parse((const char *)data, length);
    document_free(document);
    if (!json) die("a document that is no JSON");
    return json;
}

static void check(int status, PchatDocument *error, const char *what) {
    if (status == PCHAT_ERROR) {
        Json *document = taken(error);
        fprintf(stderr, "%s: %s\n", what, json_text(json_get(document, "message")));
        exit(1);
    }
}

/* One command to the lab's control door; the result is the caller's. */
static Json *ask_lab(const char *line) {
    struct sockaddr_in address;
    size_t size = 0, room = 1 << 16;
    char *reply = malloc(room);
    Json *json, *result;
    int got, door = (int)socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)control_port);
    address.sin_addr.s_addr = inet_addr(control_host);
    if (!reply || connect(door, (struct sockaddr *)&address, sizeof address) != 0) die("the lab's control door is shut");
    send(door, line, strlen(line), 0);
    send(door, "\n", 1, 0);
    while ((got = (int)recv(door, reply + size, room - size - 1, 0)) > 0) {
        size += (size_t)got;
        if (reply[size - 1] == '\n') break;
        if (room - size < 4096) {
            room *= 2;
            reply = realloc(reply, room);
            if (!reply) die("no memory");
        }
    }
    closesocket(door);
    json = json_parse(reply, size);
    free(reply);
    if (!json || !is_true(json_get(json, "ok"))) {
        fprintf(stderr, "the lab refused %s\n", line);
        exit(1);
    }
    result = json_take(json, "result");
    json_free(json);
    return result ? result : json_new(JSON_NULL);
}

static Json *ask_lab_json(Json *command) {
    char *line = json_print(command);
    Json *result = ask_lab(line);
    free(line);
    json_free(command);
    return result;
}

/* A value as the library wants it: strings, lists of strings, null. */
static Json *invariant(const Json *value) {
    if (!value || value->kind == JSON_NULL) return json_new(JSON_NULL);
    if (value->kind == JSON_STRING) return json_copy(value);
    if (value->kind == JSON_TRUE || value->kind == JSON_FALSE) return json_string(is_true(value) ? "True" : "False");
    if (value->kind == JSON_LIST) {
        Json *list = json_new(JSON_LIST);
        const Json *item;
        for (item = value->first; item; item = item->next) json_push(list, invariant(item));
        return list;
    }
    char *text = json_print(value);
    Json *string = json_string(text);
    free(text);
    return string;
}

/* Carries a native command out on the lab's pool; the outcome document. */
static Json *native_outcome(const Json *command) {
    Json *ask = json_new(JSON_OBJECT), *parameters, *reply, *outcome, *objects;
    const Json *one;
    int completed;
    json_set(ask, "command", json_string("native"));
    json_set(ask, "name", json_string(json_text(json_get(command, "name"))));
    parameters = json_set(ask, "parameters", json_new(JSON_OBJECT));
    for (one = json_get(command, "parameters")->first; one; one = one->next) {
        json_set(parameters, json_text(json_get(one, "name")),
                              json_copy(json_get(one, "value")));
    }
    if (!json_get(parameters, "Confirm") &&
        (strncmp(json_text(json_get(command, "name")), "Install-", 8) == 0 ||
         strncmp(json_text(json_get(command, "name")), "Set-", 4) == 0)) {
        /* As in the shell: nobody is asked. */
        json_set(parameters, "Confirm", json_new(JSON_FALSE));
    }
    reply = ask_lab_json(ask);
    completed = strcmp(json_text(json_get(reply, "outcome")), "completed") == 0;
    outcome = json_new(JSON_OBJECT);
    json_set(outcome, "state", json_string(completed ? "completed" : "failed"));
    json_set(outcome, "module", json_string("PChatLab.Lync"));
    json_set(outcome, "stand_in", json_new(JSON_TRUE));
    objects = json_set(outcome, "objects", json_new(JSON_LIST));
    for (one = json_get(reply, "objects")->first; one; one = one->next) {
        Json *picked = json_new(JSON_OBJECT);
        const Json *wanted;
        for (wanted = json_get(command, "properties")->first; wanted; wanted = wanted->next) {
            const char *path = json_text(wanted);
            json_set(picked, path, invariant(json_get(one, path)));
        }
        json_push(objects, picked);
    }
    json_set(outcome, "error", completed ? json_new(JSON_NULL) : invariant(json_get(reply, "error")));
    json_set(outcome, "error_id", json_new(JSON_NULL));
    json_free(reply);
    return outcome;
}

static void answer(uint64_t operation, const Json *event, const char *kind, const char *member, Json *value) {
    Json *document = json_new(JSON_OBJECT);
    PchatDocument *error = NULL;
    char *text;
    json_set(document, "id", json_copy(json_get(event, "id")));
    json_set(document, "kind", json_string(kind));
    json_set(document, member, value);
    text = json_print(document);
    /* A cancel may have answered meanwhile; the late answer is refused, and that is right. */
    if (operation_answer(operation, (const uint8_t *)text, strlen(text), &error) == PCHAT_ERROR) document_free(error);
    free(text);
    json_free(document);
}

/* Serves an operation to its terminal event, which is the caller's. Cancels after `cancel_after` steps, if not 0. */
static Json *serve(uint64_t operation, int cancel_after) {
    Json *terminal = NULL;
    int terminals = 0, steps = 0;
    for (;;) {
        PchatDocument *document = NULL, *error = NULL;
        int status = operation_next(operation, 200, &document, &error);
        Json *event;
        const char *name;
        check(status, error, "next");
        if (status == PCHAT_END) break;
        if (status == PCHAT_TIMEOUT) continue;
        event = taken(document);
        name = json_text(json_get(event, "event"));
        if (strcmp(name, "question") == 0) {
            answer(operation, event, "confirm", "yes", json_new(JSON_TRUE));
        } else if (strcmp(name, "native") == 0) {
            answer(operation, event, "native", "outcome", native_outcome(json_get(event, "command")));
        } else if (strcmp(name, "item") == 0) {
            if (cancel_after && ++steps == cancel_after) operation_cancel(operation, NULL);
        } else if (strcmp(name, "result") == 0 || strcmp(name, "failure") == 0) {
            terminals++;
            terminal = event;
            continue;
        }
        json_free(event);
    }
    expect(terminals == 1, "exactly one terminal event came before the end");
    check(operation_close(operation, NULL), NULL, "close");
    return terminal;
}

typedef int32_t start_call(uint64_t, const uint8_t *, size_t, uint64_t *, PchatDocument **);

static Json *operate(start_call *start, uint64_t session, Json *request, int cancel_after) {
    PchatDocument *error = NULL;
    uint64_t operation = 0;
    char *text = json_print(request);
    check(start(session, (const uint8_t *)text, strlen(text), &operation, &error), error, "start");
    free(text);
    json_free(request);
    return serve(operation, cancel_after);
}

static Json *failover_request(const Json *about, const char *journal) {
    Json *paths;
    const Json *one;
    Json *request = parsed(
        "{\"version\":1,\"target\":{\"sql_instance\":\"B\\\\RTC\",\"database\":\"mgc\",\"pool_fqdn\":\"pchat.contoso.com\"},"
        "\"folders\":{\"log_backup_share\":null,\"copy_folder\":null,\"additional_log_backup_folders\":[]},"
        "\"journal\":{\"journal_copy_path\":null,\"no_journal_copy\":false},"
        "\"active_servers\":[\"s3.contoso.com\",\"s4.contoso.com\"],\"mirror_file_share\":\"\\\\\\\\fs2\\\\mirror\","
        "\"primary_sql_instance\":\"P\\\\RTC\",\"primary_mirror_sql_instance\":\"PM\\\\RTC\","
        "\"backup_mirror_sql_instance\":\"BM\\\\RTC\",\"monitor_sql_instance\":null,\"outage_utc\":null,"
        "\"accept_data_loss\":null,\"ignore_witness\":[],\"mirror_after_active_servers\":false,\"no_log_backup\":false,"
        "\"log_backup_path\":null,\"log_backup_interval_minutes\":15,\"max_megabytes_per_second\":null,"
        "\"probe_timeout_seconds\":5,\"pool_timeout_seconds\":60,"
        "\"spellings\":{\"pool_state_identity\":null,\"active_list_identity\":null}}");
    paths = json_set(json_get(request, "folders"), "path_map", json_new(JSON_LIST));
    for (one = json_get(about, "path_map")->first; one; one = one->next) {
        /* Shares, and the folders of the instance acted on. */
        const char *server = json_text(json_get(one, "server"));
        if (!server || strcmp(server, "B") == 0) {
            Json *entry = json_new(JSON_OBJECT);
            json_set(entry, "from", json_copy(json_get(one, "from")));
            json_set(entry, "to", json_copy(json_get(one, "to")));
            json_push(paths, entry);
        }
    }
    json_set(json_get(request, "journal"), "journal_path", json_string(journal));
    return request;
}

static uint64_t open_session(const Json *about) {
    Json *settings = parsed(
        "{\"version\":1,\"trust_server_certificate\":true,\"connect_timeout_seconds\":60}");
    const Json *login = json_get(about, "logins")->first;
    const char *user = json_text(json_get(login, "name"));
    const char *secret = json_text(json_get(login, "password"));
    PchatDocument *error = NULL;
    uint64_t session = 0;
    char *text;
    json_set(settings, "encrypt", json_string(encryption));
    json_set(settings, "address_map", json_copy(json_get(about, "address_map")));
    text = json_print(settings);
    check(session_open((const uint8_t *)text, strlen(text), &session, &error), error, "session");
    check(login_add(session, NULL, 0, (const uint8_t *)user, strlen(user), (const uint8_t *)secret, strlen(secret), &error),
          error, "login");
    free(text);
    json_free(settings);
    return session;
}

/* Starts the lab; its own words once it is ready. */
static Json *start_lab(const char *lab, const char *folder, Child *process) {
    char command[4096], ready[2048], out[2048], text[1 << 16];
    int tries;
    snprintf(ready, sizeof ready, "%s/lab-ready.json", folder);
    snprintf(out, sizeof out, "%s/lab.out", folder);
    snprintf(command, sizeof command, "\"%s\" serve --scenario primary-lost --until-stdin-closes --ready-file \"%s\"", lab,
             ready);
    remove(ready);
    if (!start_child(process, command, out)) die("the lab cannot be started");
    for (tries = 0; tries < 600; tries++) {
        FILE *file = fopen(ready, "r");
        if (file) {
            size_t size = fread(text, 1, sizeof text - 1, file);
            Json *about;
            fclose(file);
            text[size] = 0;
            about = parsed(text);
            if (about) return about;
        }
        pause_ms(50);
    }
    die("the lab did not become ready");
    return NULL;
}

/* A fault in a task of the library is an error like others: told once, and the process goes on. */
static void survive_panic(uint64_t session, const Json *about, const char *journal) {
    Json *ended, *error;
    set_variable("PCHAT_PLANT_PANIC", "task");
    ended = operate(failover_plan, session, failover_request(about, journal), 0);
    set_variable("PCHAT_PLANT_PANIC", "");
    error = json_get(ended, "error");
    expect(json_get(error, "code") && atoi(json_get(error, "code")->text) == 9001, "a panic in a task becomes error 9001");
    json_free(ended);
    ended = operate(failover_plan, session, failover_request(about, journal), 0);
    expect(is_true(json_get(json_get(ended, "result"), "can_run")), "and the next operation of the same session works");
    json_free(ended);
}

/* Plans and runs; with `cancel` it stops at the first step. */
static void fail_over(uint64_t session, const Json *about, const char *journal, int cancel) {
    Json *planned = operate(failover_plan, session, failover_request(about, journal), 0), *start, *ended, *result, *state;
    const Json *plan = json_get(planned, "result");
    if (!is_true(json_get(plan, "can_run"))) {
        fprintf(stderr, "what came instead of a plan: %s\n", json_print(planned));
        die("the plan cannot be run");
    }
    expect(1, "the plan can be run");
    start = json_new(JSON_OBJECT);
    json_set(start, "version", json_number(1));
    json_set(start, "plan", json_copy(plan));
    ended = operate(run_start, session, start, cancel ? 1 : 0);
    result = json_get(ended, "result");
    state = json_get(result, "outcome");
    printf("outcome: %s; %s\n", json_text(state) ? state->text : "none",
           json_text(json_get(result ? result : ended, result ? "text" : "event")));
    if (cancel) {
        expect(json_text(state) && strcmp(state->text, "cancelled") == 0, "a cancelled run says so");
        expect(atoi(json_get(result, "exit_code")->text) == 5, "and its exit code is 5");
    } else {
        expect(json_text(state) && strcmp(state->text, "done") == 0, "the failover is done");
    }
    json_free(ended);
    json_free(planned);
}

int main(int count, char **arguments) {
    const char *way = count > 4 ? arguments[4] : "whole";
    char journal[2048];
    Child lab;
    Json *about, *unknown;
    uint64_t session;
    void *library;
    if (count < 4) die("usage: failover LIBRARY LAB FOLDER [whole | cancel | panic [ENCRYPTION]]");
    if (count > 5) encryption = arguments[5];
    start_sockets();
    library = open_library(arguments[1]);
    if (!library) die("the library cannot be loaded");
    bind_exports(library);
    expect(abi_version() == PCHAT_ABI_VERSION, "header and library have one ABI version");

    about = start_lab(arguments[2], arguments[3], &lab);
    sscanf(json_text(json_get(about, "control")), "%63[^:]:%d", control_host, &control_port);
    json_free(ask_lab("{\"command\":\"primary_site_lost\"}"));
    session = open_session(about);
    snprintf(journal, sizeof journal, "%s/journal", arguments[3]);
    if (strcmp(way, "panic") == 0) survive_panic(session, about, journal);
    else fail_over(session, about, journal, strcmp(way, "cancel") == 0);

    unknown = ask_lab("{\"command\":\"unknown_statements\"}");
    expect(json_count(unknown) == 0, "the lab knew every statement");
    json_free(unknown);
    expect(session_close(session, NULL) == PCHAT_OK, "the session is closed");
    expect(session_close(session, NULL) == PCHAT_ERROR, "a closed session is an ordinary error");
    json_free(ask_lab("{\"command\":\"stop\"}"));
    json_free(about);
    end_child(&lab);
    return failures ? 1 : 0;
}
