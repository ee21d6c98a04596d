#ifndef PULSEGATE_CURSOR_HPP
#define PULSEGATE_CURSOR_HPP

#include <simdjson.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "include/CSimdjson.h"

struct csj_parser {
    /// Only its first stage is used: it checks UTF-8, quotes and control characters and indexes the tokens.
    simdjson::dom::parser indexer;
    std::vector<uint8_t> text;
    size_t length = 0;
    /// Strings that had escapes. Room for all is made at the first, so that none moves.
    std::vector<uint8_t> unescaped;
    std::vector<csj_metric_row> rows;
    std::vector<csj_label> labels;
    std::vector<csj_node> nodes;
};

namespace pulsegate {

/// The double of `token`: true for a number by RFC 8259 §6, with `kind` CSJKindNumber or CSJKindOverflow.
bool read_number(std::string_view token, double &number, CSJKind &kind);

/// The number of a `token` that is nothing but digits, at most 15; false for all others.
bool read_whole(std::string_view token, int64_t &number);

/// The decimal number `token` times 1000, truncated toward zero and exact: a double would lose the microsecond.
bool thousandfold(std::string_view token, int64_t &result);

/// Replaces the escapes of a string's inside.
void unescape(csj_parser &parser, std::string_view inside, csj_text &text);

/// Indexes the loaded text.
CSJStatus index(csj_parser &parser);

inline csj_text text_of(std::string_view view, CSJKind kind) {
    return {reinterpret_cast<const uint8_t *>(view.data()), static_cast<uint32_t>(view.size()), kind};
}

inline bool is(const csj_text &key, std::string_view name) {
    return key.length == name.size() && memcmp(key.start, name.data(), name.size()) == 0;
}

/// Steps through the tokens of an indexed text. Its callers follow the grammar; no step leaves the text, because the
/// end looks like a token that no rule allows.
class Cursor {
public:
    explicit Cursor(csj_parser &parser)
        : parser_(parser),
          text_(reinterpret_cast<const char *>(parser.text.data())),
          at_(parser.indexer.implementation->structural_indexes.get()),
          end_(at_ + parser.indexer.implementation->n_structural_indexes) {}

    /// The first character of the token, 0 at the end.
    char head() const { return at_ < end_ ? text_[*at_] : 0; }
    bool at_end() const { return at_ == end_; }
    void step() { ++at_; }

    bool take(char c) {
        if (head() != c) return false;
        ++at_;
        return true;
    }

    /// The whole token, for scalars.
    std::string_view token() const {
        if (at_ >= end_) return {};
        size_t stop = at_ + 1 < end_ ? at_[1] : parser_.length;
        while (is_space(text_[stop - 1])) --stop;
        return {text_ + *at_, stop - *at_};
    }

    simdjson_inline CSJStatus read_string(csj_text &text) {
        std::string_view whole = token();
        if (whole.size() < 2 || whole.front() != '"' || whole.back() != '"') return CSJStatusNotJSON;
        std::string_view inside = whole.substr(1, whole.size() - 2);
        if (has_backslash(inside)) {
            unescape(parser_, inside, text);
        } else {
            text = text_of(inside, CSJKindString);
        }
        ++at_;
        return CSJStatusOK;
    }

    /// A member's name and the colon after it.
    simdjson_inline CSJStatus read_key(csj_text &key) {
        if (auto status = read_string(key)) return status;
        return take(':') ? CSJStatusOK : CSJStatusNotJSON;
    }

    simdjson_inline CSJStatus read_scalar(csj_text &text, double &number) {
        switch (head()) {
        case '"':
            return read_string(text);
        case 't':
            return read_word("true", CSJKindTrue, text);
        case 'f':
            return read_word("false", CSJKindFalse, text);
        case 'n':
            return read_word("null", CSJKindNull, text);
        default:
            // Whatever else begins a token is no number either.
            std::string_view whole = token();
            text = text_of(whole, CSJKindNumber);
            if (!read_number(whole, number, text.kind)) return CSJStatusNotJSON;
            ++at_;
            return CSJStatusOK;
        }
    }

    /// A time is mostly whole milliseconds; such a number is read here once, instead of as a double and again as what is exact.
    bool take_whole(csj_text &text, int64_t &number) {
        std::string_view whole = token();
        if (!read_whole(whole, number)) return false;
        text = text_of(whole, CSJKindNumber);
        ++at_;
        return true;
    }

    /// Calls `member(key)` with the cursor on each member's value, which it has to step past.
    template <typename Member> CSJStatus each_member(Member member) {
        if (!take('{')) return CSJStatusNotJSON;
        if (take('}')) return CSJStatusOK;
        do {
            csj_text key;
            if (auto status = read_key(key)) return status;
            if (auto status = member(key)) return status;
        } while (take(','));
        return take('}') ? CSJStatusOK : CSJStatusNotJSON;
    }

    template <typename Element> CSJStatus each_element(Element element) {
        if (!take('[')) return CSJStatusNotJSON;
        if (take(']')) return CSJStatusOK;
        do {
            if (auto status = element()) return status;
        } while (take(','));
        return take(']') ? CSJStatusOK : CSJStatusNotJSON;
    }

    /// Steps past a value that nobody reads. `kind` becomes its kind, `broken` true if a string in it is.
    CSJStatus skip(unsigned depth, CSJKind &kind, bool &broken);

    CSJStatus skip(unsigned depth, bool &broken) {
        CSJKind kind;
        return skip(depth, kind, broken);
    }

private:
    csj_parser &parser_;
    const char *text_;
    const uint32_t *at_;
    const uint32_t *end_;

    static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

    CSJStatus read_word(std::string_view word, CSJKind kind, csj_text &text) {
        if (token() != word) return CSJStatusNotJSON;
        text = text_of(word, kind);
        ++at_;
        return CSJStatusOK;
    }

    /// Eight bytes at a time; most strings are short, and the text is padded.
    static bool has_backslash(std::string_view text) {
        constexpr uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
        for (size_t at = 0; at < text.size(); at += 8) {
            uint64_t word;
            memcpy(&word, text.data() + at, 8);
            word ^= ones * '\\';
            uint64_t zeros = (word - ones) & ~word & highs;
            if (zeros == 0) continue;
            if (text.size() - at >= 8 || memchr(text.data() + at, '\\', text.size() - at) != nullptr) return true;
        }
        return false;
    }
};

}  // namespace pulsegate

#endif
