/// A piece of SQL with bound values, to be spliced into a `Statement`; its placeholders are numbered there.
package struct Fragment: Sendable, Hashable {
    /// The text before, between and after the parameters: always one more than those.
    private(set) var texts: [String]
    private(set) var parameters: [Parameter]

    package static let empty: Fragment = ""

    init(texts: [String], parameters: [Parameter]) {
        self.texts = texts
        self.parameters = parameters
    }

    /// A name of a table, column, role, channel …, quoted so that any text is safe (`PQescapeIdentifier`'s rules).
    package static func identifier(_ name: String) -> Fragment {
        let doubled = name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
        return Fragment(texts: ["\"" + doubled.filter { $0 != "\0" } + "\""], parameters: [])
    }

    /// A string constant, for the statements that take no parameters (`CREATE ROLE … PASSWORD`, `COMMENT ON …`).
    package static func literal(_ text: String) -> Fragment {
        let doubled = text.filter { $0 != "\0" }.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "''")
        let escaped = doubled.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
        return Fragment(texts: [" E'" + escaped + "'"], parameters: [])
    }

    package static func + (left: Fragment, right: Fragment) -> Fragment {
        var sum = left
        sum.append(right)
        return sum
    }

    package mutating func append(_ other: Fragment) {
        texts[texts.count - 1] += other.texts[0]
        texts += other.texts.dropFirst()
        parameters += other.parameters
    }
}

extension Fragment: ExpressibleByStringInterpolation {
    package init(stringLiteral value: StaticString) {
        self.init(texts: [value.description], parameters: [])
    }

    package init(stringInterpolation: FragmentInterpolation) {
        self = stringInterpolation.fragment
    }
}

package struct FragmentInterpolation: StringInterpolationProtocol {
    var fragment = Fragment(texts: [""], parameters: [])

    package init(literalCapacity: Int, interpolationCount: Int) {}

    package mutating func appendLiteral(_ literal: StaticString) {
        fragment.append(Fragment(texts: [literal.description], parameters: []))
    }

    package mutating func appendInterpolation(_ value: some PostgresEncodable) {
        fragment.append(Fragment(texts: ["", ""], parameters: [value.parameter]))
    }

    package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
        fragment.append(Fragment(texts: ["", ""], parameters: [value.parameter]))
    }

    package mutating func appendInterpolation(_ other: Fragment) {
        fragment.append(other)
    }

    package mutating func appendInterpolation(fragment other: Fragment) {
        appendInterpolation(other)
    }
}

extension Sequence<Fragment> {
    /// `[a, b].joined(separator: " AND ")`.
    package func joined(separator: Fragment) -> Fragment {
        var joined = Fragment.empty
        for (index, fragment) in enumerated() {
            if index > 0 { joined.append(separator) }
            joined.append(fragment)
        }
        return joined
    }
}
