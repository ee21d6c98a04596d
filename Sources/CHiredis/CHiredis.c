#include "CHiredis.h"

#include <hiredis/hiredis.h>

redis_connection *redis_open(const char *host, int port, int milliseconds) {
    struct timeval patience = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
    redisContext *connection = redisConnectWithTimeout(host, port, patience);
    if (connection != NULL && connection->err == 0) redisSetTimeout(connection, patience);
    return connection;
}

void redis_close(redis_connection *connection) { redisFree(connection); }

const char *redis_fault(const redis_connection *connection) {
    return connection->err == 0 ? NULL : connection->errstr;
}

int redis_append(redis_connection *connection, int words, const char *const *word, const size_t *length) {
    return redisAppendCommandArgv(connection, words, (const char **)word, length);
}

redis_reply *redis_next_reply(redis_connection *connection) {
    void *reply = NULL;
    return redisGetReply(connection, &reply) == REDIS_OK ? reply : NULL;
}

void redis_free(redis_reply *reply) { freeReplyObject(reply); }

redis_kind redis_reply_kind(const redis_reply *reply) {
    switch (reply->type) {
    case REDIS_REPLY_ERROR: return redis_error;
    case REDIS_REPLY_STATUS: return redis_status;
    case REDIS_REPLY_INTEGER: return redis_integer;
    case REDIS_REPLY_STRING: return redis_string;
    case REDIS_REPLY_ARRAY: return redis_array;
    default: return redis_other;
    }
}

long long redis_reply_integer(const redis_reply *reply) { return reply->integer; }

const char *redis_reply_text(const redis_reply *reply, size_t *length) {
    *length = reply->str == NULL ? 0 : reply->len;
    return reply->str;
}

size_t redis_reply_count(const redis_reply *reply) {
    return reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
}

const redis_reply *redis_reply_element(const redis_reply *reply, size_t place) {
    return place < redis_reply_count(reply) ? reply->element[place] : NULL;
}
