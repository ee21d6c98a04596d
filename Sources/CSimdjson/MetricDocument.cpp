#include "Cursor.hpp"

using namespace pulsegate;

namespace {

struct Reader {
    csj_parser &parser;
    Cursor cursor;
    uint32_t max_rows;
    uint32_t max_labels;
    csj_metric_document &result;

    bool at_container() const { return cursor.head() == '{' || cursor.head() == '['; }

    /// A member whose value ought to be a scalar. `number` stays as it was unless a number comes.
    CSJStatus read_member(unsigned depth, csj_text &text, double &number, bool &broken) {
        if (at_container()) return cursor.skip(depth, text.kind, broken);
        auto status = cursor.read_scalar(text, number);
        broken |= status == CSJStatusOK && text.kind == CSJKindBrokenString;
        return status;
    }

    CSJStatus read_labels(csj_metric_row &row, bool &broken) {
        if (cursor.head() != '{') return cursor.skip(3, row.labels_kind, broken);
        row.labels_kind = CSJKindObject;
        // Labels given twice: the last ones stand, the first make room.
        if (row.label_count > 0) parser.labels.resize(row.first_label);
        row.first_label = static_cast<uint32_t>(parser.labels.size());
        row.label_count = 0;
        return cursor.each_member([&](const csj_text &key) {
            broken |= key.kind == CSJKindBrokenString;
            csj_label label{key, {}};
            double ignored;
            if (auto status = read_member(4, label.value, ignored, broken)) return status;
            if (row.label_count++ < max_labels) parser.labels.push_back(label);
            return CSJStatusOK;
        });
    }

    CSJStatus read_value(csj_metric_row &row, bool &broken) {
        csj_text text{};
        auto status = read_member(3, text, row.value, broken);
        row.value_kind = text.kind;
        if (text.kind == CSJKindTrue || text.kind == CSJKindFalse) row.value = text.kind == CSJKindTrue ? 1 : 0;
        return status;
    }

    CSJStatus read_time(csj_metric_row &row, bool &broken) {
        if (cursor.take_whole(row.ts, row.ts_microseconds)) {
            row.ts_microseconds *= 1000;
            return CSJStatusOK;
        }
        double number;
        if (auto status = read_member(3, row.ts, number, broken)) return status;
        if (row.ts.kind == CSJKindNumber || row.ts.kind == CSJKindOverflow) {
            std::string_view token(reinterpret_cast<const char *>(row.ts.start), row.ts.length);
            row.ts.kind = thousandfold(token, row.ts_microseconds) ? CSJKindNumber : CSJKindOverflow;
        }
        return CSJStatusOK;
    }

    CSJStatus read_row() {
        if (parser.rows.size() >= max_rows) return CSJStatusTooMany;
        parser.rows.push_back(csj_metric_row{});
        csj_metric_row &row = parser.rows.back();
        bool broken = false;
        CSJStatus status;
        if (cursor.head() == '{') {
            row.row_kind = CSJKindObject;
            status = cursor.each_member([&](const csj_text &key) {
                double ignored;
                if (is(key, "name")) return read_member(3, row.name, ignored, broken);
                if (is(key, "value")) return read_value(row, broken);
                if (is(key, "ts")) return read_time(row, broken);
                if (is(key, "labels")) return read_labels(row, broken);
                broken |= key.kind == CSJKindBrokenString;
                return cursor.skip(3, broken);
            });
        } else {
            status = cursor.skip(2, broken);
        }
        row.has_broken_string = broken;
        return status;
    }

    CSJStatus read_rows(bool &broken) {
        // `metrics` given twice: the last one stands.
        parser.rows.clear();
        parser.labels.clear();
        if (cursor.head() != '[') return cursor.skip(1, result.metrics_kind, broken);
        result.metrics_kind = CSJKindArray;
        return cursor.each_element([&] { return read_row(); });
    }

    CSJStatus read_document() {
        bool broken = false;
        CSJStatus status;
        bool is_object = cursor.head() == '{';
        if (is_object) {
            status = cursor.each_member([&](const csj_text &key) {
                double ignored;
                if (is(key, "metrics")) return read_rows(broken);
                if (is(key, "batch_id")) return read_member(1, result.batch_id, ignored, broken);
                broken |= key.kind == CSJKindBrokenString;
                return cursor.skip(1, broken);
            });
        } else {
            status = cursor.skip(0, broken);
        }
        if (status) return status;
        // Outside a row there is nothing smaller than the document that a broken string could spoil.
        if (!cursor.at_end() || broken) return CSJStatusNotJSON;
        return is_object ? CSJStatusOK : CSJStatusNotObject;
    }
};

}  // namespace

extern "C" CSJStatus csj_parse_metrics(
    csj_parser *parser, uint32_t max_rows, uint32_t max_labels, csj_metric_document *document) {
    *document = csj_metric_document{};
    parser->rows.clear();
    parser->labels.clear();
    try {
        if (auto status = pulsegate::index(*parser)) return status;
        auto status = Reader{*parser, Cursor(*parser), max_rows, max_labels, *document}.read_document();
        document->rows = parser->rows.data();
        document->row_count = static_cast<uint32_t>(parser->rows.size());
        document->labels = parser->labels.data();
        return status;
    } catch (...) {
        return CSJStatusNoMemory;
    }
}
