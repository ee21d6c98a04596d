#include "Cursor.hpp"

#include <new>

namespace pulsegate {

CSJStatus index(csj_parser &parser) {
    parser.unescaped.clear();
    if (parser.indexer.capacity() < parser.length || !parser.indexer.implementation) {
        if (parser.indexer.allocate(parser.length + parser.length / 4 + 64)) return CSJStatusNoMemory;
    }
    auto error = parser.indexer.implementation->stage1(
        parser.text.data(), parser.length, simdjson::stage1_mode::regular);
    if (error == simdjson::CAPACITY || error == simdjson::MEMALLOC) return CSJStatusNoMemory;
    return error ? CSJStatusNotJSON : CSJStatusOK;
}

CSJStatus Cursor::skip(unsigned depth, CSJKind &kind, bool &broken) {
    bool is_object = head() == '{';
    if (is_object || head() == '[') {
        if (depth >= CSJ_MAX_DEPTH) return CSJStatusTooDeep;
        kind = is_object ? CSJKindObject : CSJKindArray;
        if (!is_object) return each_element([&] { return skip(depth + 1, broken); });
        return each_member([&](const csj_text &key) {
            broken |= key.kind == CSJKindBrokenString;
            return skip(depth + 1, broken);
        });
    }
    csj_text text{};
    double number;
    auto status = read_scalar(text, number);
    kind = text.kind;
    broken |= status == CSJStatusOK && text.kind == CSJKindBrokenString;
    return status;
}

/// Four hex digits, or -1.
static int32_t code_unit(std::string_view digits) {
    if (digits.size() < 4) return -1;
    int32_t unit = 0;
    for (char c : digits.substr(0, 4)) {
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static void append_utf8(std::vector<uint8_t> &output, uint32_t scalar) {
    auto continuation = [&](int shift) { output.push_back(static_cast<uint8_t>(0x80 | (scalar >> shift & 0x3F))); };
    if (scalar < 0x80) {
        output.push_back(static_cast<uint8_t>(scalar));
    } else if (scalar < 0x800) {
        output.push_back(static_cast<uint8_t>(0xC0 | scalar >> 6));
        continuation(0);
    } else if (scalar < 0x10000) {
        output.push_back(static_cast<uint8_t>(0xE0 | scalar >> 12));
        continuation(6);
        continuation(0);
    } else {
        output.push_back(static_cast<uint8_t>(0xF0 | scalar >> 18));
        continuation(12);
        continuation(6);
        continuation(0);
    }
}

/// Reads the escape that `at` points behind the backslash of; false for one that has no text.
static bool append_escape(std::vector<uint8_t> &output, std::string_view inside, size_t &at) {
    static constexpr std::string_view names = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
    char name = inside[at++];
    size_t place = names.find(name);
    if (place != std::string_view::npos) {
        output.push_back(static_cast<uint8_t>(values[place]));
        return true;
    }
    if (name != 'u') return false;
    int32_t unit = code_unit(inside.substr(at));
    if (unit < 0 || (unit >= 0xDC00 && unit < 0xE000)) return false;
    at += 4;
    if (unit < 0xD800 || unit >= 0xE000) {
        append_utf8(output, static_cast<uint32_t>(unit));
        return true;
    }
    if (inside.substr(at, 2) != "\\u") return false;
    int32_t low = code_unit(inside.substr(at + 2));
    if (low < 0xDC00 || low >= 0xE000) return false;
    at += 6;
    append_utf8(output, 0x10000 + (static_cast<uint32_t>(unit - 0xD800) << 10) + static_cast<uint32_t>(low - 0xDC00));
    return true;
}

void unescape(csj_parser &parser, std::string_view inside, csj_text &text) {
    auto &output = parser.unescaped;
    // No escape is shorter than what it stands for, so the text's length is room enough for all its strings.
    if (output.empty()) output.reserve(parser.length);
    size_t start = output.size();
    for (size_t at = 0; at < inside.size();) {
        if (inside[at] != '\\') {
            output.push_back(static_cast<uint8_t>(inside[at++]));
        } else if (++at == inside.size() || !append_escape(output, inside, at)) {
            output.resize(start);
            text = text_of({}, CSJKindBrokenString);
            return;
        }
    }
    text = {output.data() + start, static_cast<uint32_t>(output.size() - start), CSJKindString};
}

}  // namespace pulsegate

extern "C" {

csj_parser *csj_parser_create(void) { return new (std::nothrow) csj_parser; }

void csj_parser_destroy(csj_parser *parser) { delete parser; }

CSJStatus csj_parser_load(csj_parser *parser, const void *bytes, size_t length) {
    if (length > UINT32_MAX / 2) return CSJStatusNoMemory;
    size_t padded = length + simdjson::SIMDJSON_PADDING;
    try {
        if (parser->text.size() < padded) parser->text.resize(padded + padded / 4);
    } catch (...) {
        return CSJStatusNoMemory;
    }
    if (length > 0) memcpy(parser->text.data(), bytes, length);
    memset(parser->text.data() + length, 0, simdjson::SIMDJSON_PADDING);
    parser->length = length;
    return CSJStatusOK;
}

size_t csj_parser_footprint(const csj_parser *parser) {
    // simdjson keeps 4 bytes of index per byte of its largest document.
    return parser->text.capacity() + parser->indexer.capacity() * 4 + parser->unescaped.capacity() +
           parser->rows.capacity() * sizeof(csj_metric_row) + parser->labels.capacity() * sizeof(csj_label) +
           parser->nodes.capacity() * sizeof(csj_node);
}

}  // extern "C"
