#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *at, *end;
} Reader;

typedef struct {
    char *text;
    size_t length, room;
} Writer;

static void *need(void *memory) {
    if (!memory) {
        fputs("no memory\n", stderr);
        exit(1);
    }
    return memory;
}

static void put(Writer *out, const char *text, size_t length) {
    if (out->length + length + 1 > out->room) {
        out->room = (out->length + length + 1) * 2;
        out->text = need(realloc(out->text, out->room));
    }
    memcpy(out->text + out->length, text, length);
    out->length += length;
    out->text[out->length] = 0;
}

static char *copied(const char *text, size_t length) {
    char *copy = need(malloc(length + 1));
    memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

Json *json_new(JsonKind kind) {
    Json *value = need(calloc(1, sizeof *value));
    value->kind = kind;
    return value;
}

Json *json_string(const char *text) {
    Json *value = json_new(JSON_STRING);
    value->text = copied(text, strlen(text));
    return value;
}

Json *json_number(long number) {
    char text[32];
    Json *value = json_new(JSON_NUMBER);
    value->text = copied(text, (size_t)snprintf(text, sizeof text, "%ld", number));
    return value;
}

void json_free(Json *value) {
    while (value) {
        Json *next = value->next;
        json_free(value->first);
        free(value->name);
        free(value->text);
        free(value);
        value = next;
    }
}

Json *json_push(Json *list, Json *item) {
    if (list->last) list->last->next = item;
    else list->first = item;
    list->last = item;
    return item;
}

Json *json_set(Json *object, const char *name, Json *item) {
    free(item->name);
    item->name = copied(name, strlen(name));
    return json_push(object, item);
}

Json *json_get(const Json *value, const char *name) {
    Json *one;
    for (one = value ? value->first : NULL; one; one = one->next) {
        if (one->name && strcmp(one->name, name) == 0) return one;
    }
    return NULL;
}

Json *json_take(Json *object, const char *name) {
    Json *wanted = json_get(object, name), *one;
    if (!wanted) return NULL;
    if (object->first == wanted) object->first = wanted->next;
    for (one = object->first; one; one = one->next) {
        if (one->next == wanted) one->next = wanted->next;
    }
    if (object->last == wanted) {
        for (object->last = object->first; object->last && object->last->next;) object->last = object->last->next;
    }
    wanted->next = NULL;
    return wanted;
}

const char *json_text(const Json *value) { return value && value->kind == JSON_STRING ? value->text : NULL; }

size_t json_count(const Json *list) {
    size_t count = 0;
    const Json *one;
    for (one = list ? list->first : NULL; one; one = one->next) count++;
    return count;
}

Json *json_copy(const Json *value) {
    Json *copy;
    const Json *one;
    if (!value) return json_new(JSON_NULL);
    copy = json_new(value->kind);
    if (value->text) copy->text = copied(value->text, strlen(value->text));
    for (one = value->first; one; one = one->next) {
        Json *item = json_push(copy, json_copy(one));
        if (one->name) item->name = copied(one->name, strlen(one->name));
    }
    return copy;
}

static void skip_space(Reader *in) {
    while (in->at < in->end && strchr(" \t\r\n", *in->at)) in->at++;
}

static int took(Reader *in, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) return 0;
    in->at += length;
    return 1;
}

/* Four hexadecimal digits after \u, or -1. */
static long code_unit(Reader *in) {
    char digits[5];
    char *end;
    long unit;
    if (in->end - in->at < 4) return -1;
    memcpy(digits, in->at, 4);
    digits[4] = 0;
    unit = strtol(digits, &end, 16);
    in->at += 4;
    return *end ? -1 : unit;
}

static void put_utf8(Writer *out, long code) {
    char bytes[4];
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4, i;
    static const int lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (i = length; i-- > 1; code >>= 6) bytes[i] = (char)(0x80 | (code & 0x3F));
    bytes[0] = (char)(lead[length] | code);
    put(out, bytes, length);
}

/* The text between two quotes, unescaped; NULL where it does not end. */
static char *read_string(Reader *in) {
    Writer out = {copied("", 0), 0, 1};
    if (!took(in, "\"")) goto bad;
    while (in->at < in->end && *in->at != '"') {
        if (*in->at != '\\') {
            put(&out, in->at++, 1);
            continue;
        }
        if (++in->at == in->end) goto bad;
        if (*in->at == 'u') {
            long high, low;
            in->at++;
            high = code_unit(in);
            if (high < 0) goto bad;
            if (high >= 0xD800 && high < 0xDC00) {
                low = took(in, "\\u") ? code_unit(in) : -1;
                if (low < 0xDC00 || low > 0xDFFF) goto bad;
                high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
            }
            put_utf8(&out, high);
        } else {
            static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
            const char *known = strchr(from, *in->at++);
            if (!known) goto bad;
            put(&out, to + (known - from), 1);
        }
    }
    if (took(in, "\"")) return out.text;
bad:
    free(out.text);
    return NULL;
}

static Json *read_value(Reader *in, int depth);

static Json *read_items(Reader *in, int depth, JsonKind kind, const char *end) {
    Json *all = json_new(kind);
    skip_space(in);
    if (took(in, end)) return all;
    for (;;) {
        char *name = NULL;
        Json *item;
        skip_space(in);
        if (kind == JSON_OBJECT) {
            name = read_string(in);
            skip_space(in);
            if (!name || !took(in, ":")) {
                free(name);
                break;
            }
        }
        item = read_value(in, depth + 1);
        if (!item) {
            free(name);
            break;
        }
        item->name = name;
        json_push(all, item);
        skip_space(in);
        if (took(in, end)) return all;
        if (!took(in, ",")) break;
    }
    json_free(all);
    return NULL;
}

static Json *read_value(Reader *in, int depth) {
    Json *value;
    const char *start;
    if (depth > 200) return NULL;
    skip_space(in);
    start = in->at;
    if (took(in, "{")) return read_items(in, depth, JSON_OBJECT, "}");
    if (took(in, "[")) return read_items(in, depth, JSON_LIST, "]");
    if (took(in, "null")) return json_new(JSON_NULL);
    if (took(in, "true")) return json_new(JSON_TRUE);
    if (took(in, "false")) return json_new(JSON_FALSE);
    if (in->at < in->end && *in->at == '"') {
        char *text = read_string(in);
        if (!text) return NULL;
        value = json_new(JSON_STRING);
        value->text = text;
        return value;
    }
    while (in->at < in->end && strchr("+-.eE0123456789", *in->at)) in->at++;
    if (in->at == start) return NULL;
    value = json_new(JSON_NUMBER);
    value->text = copied(start, (size_t)(in->at - start));
    return value;
}

Json *json_parse(const char *text, size_t length) {
    Reader in = {text, text + length};
    Json *value = read_value(&in, 0);
    skip_space(&in);
    if (value && in.at != in.end) {
        json_free(value);
        return NULL;
    }
    return value;
}

static void write_string(Writer *out, const char *text) {
    put(out, "\"", 1);
    for (; *text; text++) {
        char escape[8];
        if (*text == '"' || *text == '\\') put(out, "\\", 1);
        if ((unsigned char)*text < 0x20) put(out, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", *text));
        else put(out, text, 1);
    }
    put(out, "\"", 1);
}

static void write_value(Writer *out, const Json *value) {
    static const char *const words[] = {"null", "false", "true"};
    const Json *one;
    if (value->kind <= JSON_TRUE) {
        put(out, words[value->kind], strlen(words[value->kind]));
    } else if (value->kind == JSON_NUMBER) {
        put(out, value->text, strlen(value->text));
    } else if (value->kind == JSON_STRING) {
        write_string(out, value->text);
    } else {
        put(out, value->kind == JSON_LIST ? "[" : "{", 1);
        for (one = value->first; one; one = one->next) {
            if (one != value->first) put(out, ",", 1);
            if (value->kind == JSON_OBJECT) {
                write_string(out, one->name);
                put(out, ":", 1);
            }
            write_value(out, one);
        }
        put(out, value->kind == JSON_LIST ? "]" : "}", 1);
    }
}

char *json_print(const Json *value) {
    Writer out = {copied("", 0), 0, 1};
    write_value(&out, value);
    return out.text;
}
