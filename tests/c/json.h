/* As much JSON as a host of the library needs: read, build, write. Numbers keep their text, so that none loses digits. */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>

typedef enum { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_LIST, JSON_OBJECT } JsonKind;

/* One value. The members of an object and the items of a list hang on `first` and then on `next`. */
typedef struct Json {
    JsonKind kind;
    char *name; /* of a member, else NULL */
    char *text; /* of a string or a number, else NULL */
    struct Json *first, *last, *next;
} Json;

/* NULL where the text is no JSON, or goes on after it. */
Json *json_parse(const char *text, size_t length);
/* One line of text; the caller frees it. */
char *json_print(const Json *value);
void json_free(Json *value);

Json *json_new(JsonKind kind);
Json *json_string(const char *text);
Json *json_number(long value);
Json *json_copy(const Json *value);

/* The member of that name or NULL; `value` may be NULL. */
Json *json_get(const Json *value, const char *name);
/* The text of a string, else NULL. */
const char *json_text(const Json *value);
size_t json_count(const Json *list);

/* Both take `item` over. */
Json *json_set(Json *object, const char *name, Json *item);
Json *json_push(Json *list, Json *item);
/* Takes a member out of its object; it is the caller's. */
Json *json_take(Json *object, const char *name);

#endif
