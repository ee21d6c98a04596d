#ifndef PULSEGATE_CSIMDJSON_H
#define PULSEGATE_CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

// JSON by simdjson, in plain C. No exception leaves it: what goes wrong is a CSJStatus.
//
// simdjson's first stage checks UTF-8, quotes and control characters and indexes the tokens. The walk over the tokens
// is our own: it read a batch of 500 rows in 41 µs where On-Demand took 72, and it looks for the end of the text before
// each step, where On-Demand trusts the padding. The grammar is RFC 8259's, for all of the document.
//
// One csj_parser is used by one thread at a time. It owns the padded text, the unescaped strings and the arrays
// that a parse fills; everything that a result points to lives until the next call on the same parser.
//
// "Broken string": a string whose token is well delimited and valid UTF-8, but which has an unknown escape or a
// surrogate without its partner, so it has no text. It spoils what contains it, not the document.

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__clang__)
#define CSJ_CLOSED_ENUM(name) enum __attribute__((enum_extensibility(closed))) name : uint8_t
#else
#define CSJ_CLOSED_ENUM(name) enum name : uint8_t
#endif

typedef CSJ_CLOSED_ENUM(CSJStatus) {
    CSJStatusOK,
    /// The grammar of RFC 8259 is broken, the text isn't UTF-8, or something follows the document.
    CSJStatusNotJSON,
    /// Nested deeper than CSJ_MAX_DEPTH.
    CSJStatusTooDeep,
    /// More rows or nodes than the caller allowed; what follows was not read.
    CSJStatusTooMany,
    /// Well-formed, but the document is not an object.
    CSJStatusNotObject,
    CSJStatusNoMemory,
} CSJStatus;

typedef CSJ_CLOSED_ENUM(CSJKind) {
    CSJKindAbsent,
    CSJKindNull,
    CSJKindFalse,
    CSJKindTrue,
    CSJKindNumber,
    /// A number by the grammar that has no finite double, such as 1e400.
    CSJKindOverflow,
    CSJKindString,
    CSJKindBrokenString,
    CSJKindArray,
    CSJKindObject,
} CSJKind;

enum { CSJ_MAX_DEPTH = 128 };

typedef struct csj_parser csj_parser;

/// NULL when memory is out.
csj_parser *csj_parser_create(void);
void csj_parser_destroy(csj_parser *parser);

/// Copies `length` bytes into the parser and pads them with zeros, which simdjson reads but never takes for text.
CSJStatus csj_parser_load(csj_parser *parser, const void *bytes, size_t length);

/// Bytes the parser holds on to between calls.
size_t csj_parser_footprint(const csj_parser *parser);

typedef struct {
    const uint8_t *start;
    uint32_t length;
    CSJKind kind;
} csj_text;

typedef struct {
    csj_text key;
    csj_text value;
} csj_label;

/// One element of `metrics`. A member given twice counts as its last occurrence. `row_kind` is CSJKindObject, or the
/// rest means nothing.
typedef struct {
    csj_text name;
    /// CSJKindString: the text; CSJKindNumber: see `ts_microseconds`; CSJKindOverflow: a number beyond 18 digits of µs.
    csj_text ts;
    /// Epoch milliseconds as written, in whole microseconds, truncated toward zero.
    int64_t ts_microseconds;
    /// The number, or 1 and 0 for a boolean.
    double value;
    uint32_t first_label;
    /// Labels in the text; of these at most `max_labels` were kept from `first_label` on.
    uint32_t label_count;
    CSJKind row_kind;
    CSJKind value_kind;
    CSJKind labels_kind;
    /// A broken string somewhere in the row, be it in a member that nobody reads.
    uint8_t has_broken_string;
} csj_metric_row;

typedef struct {
    csj_text batch_id;
    CSJKind metrics_kind;
    const csj_metric_row *rows;
    uint32_t row_count;
    const csj_label *labels;
} csj_metric_document;

/// Reads the loaded text as `{"batch_id":…, "metrics":[{"name","value","ts","labels":{}}…]}`. All of the document
/// is visited, so a fault in a member that nobody reads is found too.
CSJStatus csj_parse_metrics(
    csj_parser *parser, uint32_t max_rows, uint32_t max_labels, csj_metric_document *document);

/// A value in preorder: the children of node i are i + 1, nodes[i + 1].end, … up to nodes[i].end.
typedef struct {
    /// The member name under which an object holds the value; CSJKindAbsent elsewhere.
    csj_text key;
    /// Strings: the unescaped text. Numbers: the text as written. `text.kind` is the kind of the value.
    csj_text text;
    double number;
    uint32_t end;
} csj_node;

typedef struct {
    const csj_node *nodes;
    uint32_t count;
} csj_tree;

/// Reads the loaded text into nodes, in the order of the text, members given twice included.
CSJStatus csj_parse_tree(csj_parser *parser, uint32_t max_nodes, csj_tree *tree);

/// The number `text`, as JSON writes it, times 1000 and truncated toward zero: epoch milliseconds in microseconds.
/// False for what is no number or has more than 18 digits then.
uint8_t csj_microseconds(const uint8_t *text, uint32_t length, int64_t *microseconds);

#ifdef __cplusplus
}
#endif
#endif
