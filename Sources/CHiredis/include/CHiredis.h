#pragma once

#include <stddef.h>

// What we use of hiredis, without its header: that one brings <sys/time.h> along, whose types Swift would then take for this module's.

typedef struct redisContext redis_connection;
typedef struct redisReply redis_reply;

typedef enum redis_kind { redis_error, redis_status, redis_integer, redis_string, redis_array, redis_other } redis_kind;

// Connects within so many milliseconds, and lets no later command take longer. NULL when out of memory; else see redis_fault.
redis_connection *redis_open(const char *host, int port, int milliseconds);
void redis_close(redis_connection *connection);
// What broke the connection; NULL where nothing did.
const char *redis_fault(const redis_connection *connection);

// Puts a command beside those that are to be sent; copies it. Not 0 when out of memory.
int redis_append(redis_connection *connection, int words, const char *const *word, const size_t *length);
// The answer to the oldest command that has none yet, to be freed; NULL when the connection broke.
redis_reply *redis_next_reply(redis_connection *connection);
void redis_free(redis_reply *reply);

redis_kind redis_reply_kind(const redis_reply *reply);
long long redis_reply_integer(const redis_reply *reply);
// Of errors, statuses and strings; NULL for others.
const char *redis_reply_text(const redis_reply *reply, size_t *length);
// Of arrays; 0 and NULL for others, and for places that are not there.
size_t redis_reply_count(const redis_reply *reply);
const redis_reply *redis_reply_element(const redis_reply *reply, size_t place);
