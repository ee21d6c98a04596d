#include "Cursor.hpp"

using namespace pulsegate;

namespace {

struct Builder {
    std::vector<csj_node> &nodes;
    Cursor cursor;
    uint32_t max_nodes;

    CSJStatus add(const csj_text &key, unsigned depth) {
        if (nodes.size() >= max_nodes) return CSJStatusTooMany;
        size_t at = nodes.size();
        nodes.push_back(csj_node{key, {}, 0, 0});
        CSJStatus status;
        if (cursor.head() == '{' || cursor.head() == '[') {
            if (depth >= CSJ_MAX_DEPTH) return CSJStatusTooDeep;
            bool is_object = cursor.head() == '{';
            nodes[at].text.kind = is_object ? CSJKindObject : CSJKindArray;
            status = is_object ? cursor.each_member([&](const csj_text &name) { return add(name, depth + 1); })
                               : cursor.each_element([&] { return add(csj_text{}, depth + 1); });
        } else {
            status = cursor.read_scalar(nodes[at].text, nodes[at].number);
        }
        nodes[at].end = static_cast<uint32_t>(nodes.size());
        return status;
    }

    CSJStatus build() {
        if (auto status = add(csj_text{}, 0)) return status;
        return cursor.at_end() ? CSJStatusOK : CSJStatusNotJSON;
    }
};

}  // namespace

extern "C" CSJStatus csj_parse_tree(csj_parser *parser, uint32_t max_nodes, csj_tree *tree) {
    *tree = csj_tree{};
    parser->nodes.clear();
    try {
        if (auto status = pulsegate::index(*parser)) return status;
        auto status = Builder{parser->nodes, Cursor(*parser), max_nodes}.build();
        tree->nodes = parser->nodes.data();
        tree->count = static_cast<uint32_t>(parser->nodes.size());
        return status;
    } catch (...) {
        return CSJStatusNoMemory;
    }
}
