// What Swift's Glibc module leaves out, or cannot call.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

// Behind _GNU_SOURCE, which a module can't set for another's header.
extern void *memmem(const void *, size_t, const void *, size_t);

/// Wakes the calling thread's timers as close to their time as the kernel can: 1 ns of slack instead of 50 µs.
static inline int bench_exact_timers(void) { return prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

/// Nanoseconds of the monotonic clock.
static inline uint64_t bench_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/// epoll_pwait2 with a timeout of so many nanoseconds.
static inline int bench_wait(int poll, struct epoll_event *events, int count, uint64_t nanoseconds) {
    struct timespec timeout = {
        .tv_sec = (time_t)(nanoseconds / 1000000000u), .tv_nsec = (long)(nanoseconds % 1000000000u)};
    return epoll_pwait2(poll, events, count, &timeout, NULL);
}
