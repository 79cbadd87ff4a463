/* A program in C against the committed header: it starts the lab, loses the primary site, makes the plan of a failover,
 * runs it, and compares the end with what the lab holds. `failover LIBRARY LAB` ends with 0 when all of it holds.
 *
 * With a third argument `cancel` it cancels in the middle instead, and wants an honest end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "pchat.h"

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#define popen _popen
#define pclose _pclose
static void *open_library(const char *path) { return (void *)LoadLibraryExA(path, NULL, LOAD_WITH_ALTERED_SEARCH_PATH); }
static void *find_symbol(void *library, const char *name) { return (void *)GetProcAddress((HMODULE)library, name); }
static void pause_ms(int ms) { Sleep((DWORD)ms); }
#else
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#define closesocket close
static void *open_library(const char *path) { return dlopen(path, RTLD_NOW); }
static void *find_symbol(void *library, const char *name) { return dlsym(library, name); }
static void pause_ms(int ms) {
    struct timeval wait;
    wait.tv_sec = ms / 1000;
    wait.tv_usec = (ms % 1000) * 1000;
    select(0, NULL, NULL, NULL, &wait);
}
#endif

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
static int failures;

static void expect(int holds, const char *what) {
    printf("%s: %s\n", holds ? "ok" : "NOT OK", what);
    failures += holds ? 0 : 1;
}

static void die(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

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
static cJSON *taken(PchatDocument *document) {
    const uint8_t *data = NULL;
    size_t length = 0;
    cJSON *json;
    if (document_data(document, &data, &length, NULL) != PCHAT_OK) die("a document without bytes");
    json = cJSON_ParseWithLength((const char *)data, length);
    document_free(document);
    if (!json) die("a document that is no JSON");
    return json;
}

static void check(int status, PchatDocument *error, const char *what) {
    if (status == PCHAT_ERROR) {
        cJSON *document = taken(error);
        fprintf(stderr, "%s: %s\n", what, cJSON_GetStringValue(cJSON_GetObjectItem(document, "message")));
        exit(1);
    }
}

/* One command to the lab's control door; the result is the caller's. */
static cJSON *ask_lab(const char *line) {
    struct sockaddr_in address;
    size_t size = 0, room = 1 << 16;
    char *reply = malloc(room);
    cJSON *json, *result;
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
    json = cJSON_ParseWithLength(reply, size);
    free(reply);
    if (!json || !cJSON_IsTrue(cJSON_GetObjectItem(json, "ok"))) {
        fprintf(stderr, "the lab refused %s\n", line);
        exit(1);
    }
    result = cJSON_DetachItemFromObject(json, "result");
    cJSON_Delete(json);
    return result ? result : cJSON_CreateNull();
}

static cJSON *ask_lab_json(cJSON *command) {
    char *line = cJSON_PrintUnformatted(command);
    cJSON *result = ask_lab(line);
    free(line);
    cJSON_Delete(command);
    return result;
}

/* A value as the library wants it: strings, lists of strings, null. */
static cJSON *invariant(const cJSON *value) {
    if (!value || cJSON_IsNull(value)) return cJSON_CreateNull();
    if (cJSON_IsString(value)) return cJSON_Duplicate(value, 1);
    if (cJSON_IsBool(value)) return cJSON_CreateString(cJSON_IsTrue(value) ? "True" : "False");
    if (cJSON_IsArray(value)) {
        cJSON *list = cJSON_CreateArray();
        const cJSON *item;
        cJSON_ArrayForEach(item, value) cJSON_AddItemToArray(list, invariant(item));
        return list;
    }
    char *text = cJSON_PrintUnformatted(value);
    cJSON *string = cJSON_CreateString(text);
    free(text);
    return string;
}

/* Carries a native command out on the lab's pool; the outcome document. */
static cJSON *native_outcome(const cJSON *command) {
    cJSON *ask = cJSON_CreateObject(), *parameters, *reply, *outcome, *objects;
    const cJSON *one;
    int completed;
    cJSON_AddStringToObject(ask, "command", "native");
    cJSON_AddStringToObject(ask, "name", cJSON_GetStringValue(cJSON_GetObjectItem(command, "name")));
    parameters = cJSON_AddObjectToObject(ask, "parameters");
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(command, "parameters")) {
        cJSON_AddItemToObject(parameters, cJSON_GetStringValue(cJSON_GetObjectItem(one, "name")),
                              cJSON_Duplicate(cJSON_GetObjectItem(one, "value"), 1));
    }
    if (!cJSON_HasObjectItem(parameters, "Confirm") &&
        (strncmp(cJSON_GetStringValue(cJSON_GetObjectItem(command, "name")), "Install-", 8) == 0 ||
         strncmp(cJSON_GetStringValue(cJSON_GetObjectItem(command, "name")), "Set-", 4) == 0)) {
        /* As in the shell: nobody is asked. */
        cJSON_AddFalseToObject(parameters, "Confirm");
    }
    reply = ask_lab_json(ask);
    completed = strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(reply, "outcome")), "completed") == 0;
    outcome = cJSON_CreateObject();
    cJSON_AddStringToObject(outcome, "state", completed ? "completed" : "failed");
    cJSON_AddStringToObject(outcome, "module", "PChatLab.Lync");
    cJSON_AddTrueToObject(outcome, "stand_in");
    objects = cJSON_AddArrayToObject(outcome, "objects");
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(reply, "objects")) {
        cJSON *picked = cJSON_CreateObject();
        const cJSON *wanted;
        cJSON_ArrayForEach(wanted, cJSON_GetObjectItem(command, "properties")) {
            const char *path = cJSON_GetStringValue(wanted);
            cJSON_AddItemToObject(picked, path, invariant(cJSON_GetObjectItem(one, path)));
        }
        cJSON_AddItemToArray(objects, picked);
    }
    cJSON_AddItemToObject(outcome, "error", completed ? cJSON_CreateNull() : invariant(cJSON_GetObjectItem(reply, "error")));
    cJSON_AddNullToObject(outcome, "error_id");
    cJSON_Delete(reply);
    return outcome;
}

static void answer(uint64_t operation, const cJSON *event, const char *kind, const char *member, cJSON *value) {
    cJSON *document = cJSON_CreateObject();
    PchatDocument *error = NULL;
    char *text;
    cJSON_AddItemToObject(document, "id", cJSON_Duplicate(cJSON_GetObjectItem(event, "id"), 1));
    cJSON_AddStringToObject(document, "kind", kind);
    cJSON_AddItemToObject(document, member, value);
    text = cJSON_PrintUnformatted(document);
    /* A cancel may have answered meanwhile; the late answer is refused, and that is right. */
    if (operation_answer(operation, (const uint8_t *)text, strlen(text), &error) == PCHAT_ERROR) document_free(error);
    free(text);
    cJSON_Delete(document);
}

/* Serves an operation to its terminal event, which is the caller's. Cancels after `cancel_after` steps, if not 0. */
static cJSON *serve(uint64_t operation, int cancel_after) {
    cJSON *terminal = NULL;
    int terminals = 0, steps = 0;
    for (;;) {
        PchatDocument *document = NULL, *error = NULL;
        int status = operation_next(operation, 200, &document, &error);
        cJSON *event;
        const char *name;
        check(status, error, "next");
        if (status == PCHAT_END) break;
        if (status == PCHAT_TIMEOUT) continue;
        event = taken(document);
        name = cJSON_GetStringValue(cJSON_GetObjectItem(event, "event"));
        if (strcmp(name, "question") == 0) {
            answer(operation, event, "confirm", "yes", cJSON_CreateTrue());
        } else if (strcmp(name, "native") == 0) {
            answer(operation, event, "native", "outcome", native_outcome(cJSON_GetObjectItem(event, "command")));
        } else if (strcmp(name, "item") == 0) {
            if (cancel_after && ++steps == cancel_after) operation_cancel(operation, NULL);
        } else if (strcmp(name, "result") == 0 || strcmp(name, "failure") == 0) {
            terminals++;
            terminal = event;
            continue;
        }
        cJSON_Delete(event);
    }
    expect(terminals == 1, "exactly one terminal event came before the end");
    check(operation_close(operation, NULL), NULL, "close");
    return terminal;
}

typedef int32_t start_call(uint64_t, const uint8_t *, size_t, uint64_t *, PchatDocument **);

static cJSON *operate(start_call *start, uint64_t session, cJSON *request, int cancel_after) {
    PchatDocument *error = NULL;
    uint64_t operation = 0;
    char *text = cJSON_PrintUnformatted(request);
    check(start(session, (const uint8_t *)text, strlen(text), &operation, &error), error, "start");
    free(text);
    cJSON_Delete(request);
    return serve(operation, cancel_after);
}

static cJSON *failover_request(const cJSON *about, const char *journal) {
    cJSON *paths;
    const cJSON *one;
    cJSON *request = cJSON_Parse(
        "{\"version\":1,\"target\":{\"sql_instance\":\"B\\\\RTC\",\"database\":\"mgc\",\"pool_fqdn\":\"pchat.contoso.com\"},"
        "\"folders\":{\"log_backup_share\":null,\"copy_folder\":null,\"additional_log_backup_folders\":[]},"
        "\"journal\":{\"journal_copy_path\":null,\"no_journal_copy\":false},"
        "\"active_servers\":[\"s3.contoso.com\",\"s4.contoso.com\"],\"mirror_file_share\":\"\\\\\\\\fs2\\\\mirror\","
        "\"primary_sql_instance\":\"P\\\\RTC\",\"primary_mirror_sql_instance\":\"PM\\\\RTC\","
        "\"backup_mirror_sql_instance\":\"BM\\\\RTC\",\"monitor_sql_instance\":null,\"outage_utc\":null,"
        "\"accept_data_loss\":null,\"ignore_witness\":[],\"mirror_after_active_servers\":false,\"no_log_backup\":false,"
        "\"log_backup_path\":null,\"log_backup_interval_minutes\":15,\"max_megabytes_per_second\":null,"
        "\"probe_timeout_seconds\":5,\"pool_timeout_seconds\":60}");
    paths = cJSON_AddArrayToObject(cJSON_GetObjectItem(request, "folders"), "path_map");
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(about, "path_map")) {
        /* Shares, and the folders of the instance acted on. */
        const char *server = cJSON_GetStringValue(cJSON_GetObjectItem(one, "server"));
        if (!server || strcmp(server, "B") == 0) {
            cJSON *entry = cJSON_CreateObject();
            cJSON_AddItemToObject(entry, "from", cJSON_Duplicate(cJSON_GetObjectItem(one, "from"), 1));
            cJSON_AddItemToObject(entry, "to", cJSON_Duplicate(cJSON_GetObjectItem(one, "to"), 1));
            cJSON_AddItemToArray(paths, entry);
        }
    }
    cJSON_AddStringToObject(cJSON_GetObjectItem(request, "journal"), "journal_path", journal);
    return request;
}

static uint64_t open_session(const cJSON *about) {
    cJSON *settings = cJSON_Parse(
        "{\"version\":1,\"encrypt\":\"Mandatory\",\"trust_server_certificate\":true,\"connect_timeout_seconds\":5}");
    const cJSON *login = cJSON_GetArrayItem(cJSON_GetObjectItem(about, "logins"), 0);
    const char *user = cJSON_GetStringValue(cJSON_GetObjectItem(login, "name"));
    const char *secret = cJSON_GetStringValue(cJSON_GetObjectItem(login, "password"));
    PchatDocument *error = NULL;
    uint64_t session = 0;
    char *text;
    cJSON_AddItemToObject(settings, "address_map", cJSON_Duplicate(cJSON_GetObjectItem(about, "address_map"), 1));
    text = cJSON_PrintUnformatted(settings);
    check(session_open((const uint8_t *)text, strlen(text), &session, &error), error, "session");
    check(login_add(session, NULL, 0, (const uint8_t *)user, strlen(user), (const uint8_t *)secret, strlen(secret), &error),
          error, "login");
    free(text);
    cJSON_Delete(settings);
    return session;
}

/* Starts the lab; its own words once it is ready. */
static cJSON *start_lab(const char *lab, const char *folder, FILE **process) {
    char command[4096], ready[2048], text[1 << 16];
    int tries;
    snprintf(ready, sizeof ready, "%s/lab-ready.json", folder);
    snprintf(command, sizeof command, "\"%s\" serve --scenario primary-lost --until-stdin-closes --ready-file \"%s\" >%s/lab.out",
             lab, ready, folder);
    remove(ready);
    *process = popen(command, "w");
    if (!*process) die("the lab cannot be started");
    for (tries = 0; tries < 600; tries++) {
        FILE *file = fopen(ready, "r");
        if (file) {
            size_t size = fread(text, 1, sizeof text - 1, file);
            cJSON *about;
            fclose(file);
            text[size] = 0;
            about = cJSON_Parse(text);
            if (about) return about;
        }
        pause_ms(50);
    }
    die("the lab did not become ready");
    return NULL;
}

int main(int count, char **arguments) {
    const char *folder = count > 3 ? arguments[3] : ".";
    int cancel = count > 4 && strcmp(arguments[4], "cancel") == 0;
    char journal[2048];
    FILE *lab = NULL;
    cJSON *about, *planned, *plan, *start, *ended, *result, *state, *unknown;
    uint64_t session;
    void *library;
#ifdef _WIN32
    WSADATA sockets;
    WSAStartup(MAKEWORD(2, 2), &sockets);
#endif
    if (count < 4) die("usage: failover LIBRARY LAB FOLDER [cancel]");
    library = open_library(arguments[1]);
    if (!library) die("the library cannot be loaded");
    bind_exports(library);
    expect(abi_version() == PCHAT_ABI_VERSION, "header and library have one ABI version");

    about = start_lab(arguments[2], folder, &lab);
    sscanf(cJSON_GetStringValue(cJSON_GetObjectItem(about, "control")), "%63[^:]:%d", control_host, &control_port);
    cJSON_Delete(ask_lab("{\"command\":\"primary_site_lost\"}"));
    session = open_session(about);
    snprintf(journal, sizeof journal, "%s/journal", folder);

    planned = operate(failover_plan, session, failover_request(about, journal), 0);
    plan = cJSON_GetObjectItem(planned, "result");
    expect(cJSON_IsTrue(cJSON_GetObjectItem(plan, "can_run")), "the plan can be run");
    start = cJSON_CreateObject();
    cJSON_AddNumberToObject(start, "version", 1);
    cJSON_AddItemToObject(start, "plan", cJSON_Duplicate(plan, 1));
    ended = operate(run_start, session, start, cancel ? 1 : 0);
    result = cJSON_GetObjectItem(ended, "result");
    state = cJSON_GetObjectItem(result, "outcome");
    printf("outcome: %s; %s\n", cJSON_IsString(state) ? state->valuestring : "none",
           cJSON_GetStringValue(cJSON_GetObjectItem(result ? result : ended, result ? "text" : "event")));
    if (cancel) {
        expect(cJSON_IsString(state) && strcmp(state->valuestring, "cancelled") == 0, "a cancelled run says so");
        expect(cJSON_GetObjectItem(result, "exit_code")->valueint == 5, "and its exit code is 5");
    } else {
        expect(cJSON_IsString(state) && strcmp(state->valuestring, "done") == 0, "the failover is done");
    }
    unknown = ask_lab("{\"command\":\"unknown_statements\"}");
    expect(cJSON_GetArraySize(unknown) == 0, "the lab knew every statement");
    cJSON_Delete(unknown);
    cJSON_Delete(ended);
    cJSON_Delete(planned);
    expect(session_close(session, NULL) == PCHAT_OK, "the session is closed");
    expect(session_close(session, NULL) == PCHAT_ERROR, "a closed session is an ordinary error");
    cJSON_Delete(ask_lab("{\"command\":\"stop\"}"));
    cJSON_Delete(about);
    pclose(lab);
    return failures ? 1 : 0;
}
