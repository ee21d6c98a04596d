// CRC-32C (Castagnoli, RFC 3720) by the processor's own instruction, which Swift cannot reach. Debian has no C library for it, and zlib's
// CRC-32 is another polynomial without an instruction on x86.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t csum_crc32c_bitwise(uint32_t crc, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1u)));
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2")))
static inline uint32_t csum_crc32c_instruction(uint32_t crc, const uint8_t *bytes, size_t count) {
    uint64_t state = crc;
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        state = __builtin_ia32_crc32di(state, word);
        bytes += 8;
        count -= 8;
    }
    uint32_t rest = (uint32_t)state;
    while (count-- > 0) rest = __builtin_ia32_crc32qi(rest, *bytes++);
    return rest;
}
#endif

/// Goes on with what an earlier call returned; begins with 0.
static inline uint32_t csum_crc32c(uint32_t crc, const void *bytes, size_t count) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~csum_crc32c_instruction(~crc, (const uint8_t *)bytes, count);
#endif
    return ~csum_crc32c_bitwise(~crc, (const uint8_t *)bytes, count);
}
