#include "Cursor.hpp"

#include <charconv>
#include <cmath>

namespace pulsegate {

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static size_t digits(std::string_view text, size_t from) {
    size_t at = from;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - from;
}

/// The parts of a number by RFC 8259 §6.
struct Decimal {
    bool negative = false;
    std::string_view whole, fraction;
    bool exponent_negative = false;
    std::string_view exponent;

    bool parse(std::string_view text) {
        size_t at = 0;
        if (at < text.size() && text[at] == '-') { negative = true; ++at; }
        size_t count = digits(text, at);
        if (count == 0 || (count > 1 && text[at] == '0')) return false;
        whole = text.substr(at, count);
        at += count;
        if (at < text.size() && text[at] == '.') {
            count = digits(text, ++at);
            if (count == 0) return false;
            fraction = text.substr(at, count);
            at += count;
        }
        if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
            ++at;
            if (at < text.size() && (text[at] == '+' || text[at] == '-')) exponent_negative = text[at++] == '-';
            count = digits(text, at);
            if (count == 0) return false;
            exponent = text.substr(at, count);
            at += count;
        }
        return at == text.size();
    }

    /// The exponent, at most 10⁹ either way: beyond that its value doesn't matter.
    int64_t power() const {
        int64_t power = 0;
        for (char c : exponent) {
            if (power < 100'000'000) power = power * 10 + (c - '0');
        }
        return exponent_negative ? -power : power;
    }

    /// Below 1; of numbers that have no double, those round to 0.
    bool is_tiny() const {
        size_t zeros = whole.find_first_not_of('0');
        if (zeros != std::string_view::npos) return static_cast<int64_t>(whole.size() - zeros) + power() <= 0;
        zeros = fraction.find_first_not_of('0');
        return zeros == std::string_view::npos || power() - static_cast<int64_t>(zeros) <= 0;
    }
};

/// What a double holds exactly, times or over a power of ten that it holds exactly, is rounded once and so correctly
/// (Clinger 1990). That is nearly every number that a meter sends.
static bool read_short(std::string_view token, double &number) {
    static constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9, 1e10,
                                        1e11, 1e12, 1e13, 1e14, 1e15};
    size_t at = token.front() == '-' ? 1 : 0;
    size_t first = at;
    if (token.size() - at > 16) return false;
    uint64_t digits = 0;
    size_t point = 0;
    for (; at < token.size(); ++at) {
        if (is_digit(token[at])) {
            digits = digits * 10 + static_cast<uint64_t>(token[at] - '0');
        } else if (token[at] == '.' && point == 0 && at > first) {
            point = at;
        } else {
            return false;
        }
    }
    size_t whole = (point == 0 ? token.size() : point) - first;
    if (whole == 0 || (whole > 1 && token[first] == '0')) return false;
    size_t fraction = point == 0 ? 0 : token.size() - point - 1;
    if (point != 0 && fraction == 0) return false;
    if (digits > uint64_t{1} << 53) return false;
    double magnitude = static_cast<double>(digits) / powers[fraction];
    number = token.front() == '-' ? -magnitude : magnitude;
    return true;
}

bool read_number(std::string_view token, double &number, CSJKind &kind) {
    if (token.empty()) return false;
    kind = CSJKindNumber;
    if (read_short(token, number)) return true;
    Decimal decimal;
    if (!decimal.parse(token)) return false;
    double value = 0;
    auto read = std::from_chars(token.data(), token.data() + token.size(), value);
    if (read.ec == std::errc()) {
        number = value;
        return true;
    }
    // Out of range: too large unless its first digit stands far behind the point.
    if (decimal.is_tiny()) {
        number = decimal.negative ? -0.0 : 0.0;
    } else {
        kind = CSJKindOverflow;
    }
    return true;
}

bool read_whole(std::string_view token, int64_t &number) {
    if (token.empty() || token.size() > 15 || (token.front() == '0' && token.size() > 1)) return false;
    int64_t digits = 0;
    for (char c : token) {
        if (!is_digit(c)) return false;
        digits = digits * 10 + (c - '0');
    }
    number = digits;
    return true;
}

bool thousandfold(std::string_view token, int64_t &result) {
    Decimal number;
    if (!number.parse(token)) return false;
    // Digits of whole and fraction that stand before the point once it has moved.
    int64_t count = static_cast<int64_t>(number.whole.size()) + 3 + number.power();
    result = 0;
    for (int64_t at = 0; at < count; ++at) {
        size_t digit = static_cast<size_t>(at);
        char c = '0';
        if (digit < number.whole.size()) c = number.whole[digit];
        else if (digit - number.whole.size() < number.fraction.size()) c = number.fraction[digit - number.whole.size()];
        else if (result == 0) break;
        if (result > 99'999'999'999'999'999) return false;
        result = result * 10 + (c - '0');
    }
    if (number.negative) result = -result;
    return true;
}

}  // namespace pulsegate

extern "C" uint8_t csj_microseconds(const uint8_t *text, uint32_t length, int64_t *microseconds) {
    return pulsegate::thousandfold({reinterpret_cast<const char *>(text), length}, *microseconds) ? 1 : 0;
}
