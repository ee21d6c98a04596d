/// SQL with its bound values, and the type of its rows.
///
/// Written as a string literal: an interpolated value becomes `$n` and travels apart from the text. No initializer
/// takes a `String` made at run time, so SQL can't be put together from what a client sent.
package struct Statement<Output: RowDecodable>: Sendable {
    package let sql: String
    package let parameters: [Parameter]

    /// The same statement without its row type, for pipelines.
    package var erased: AnyStatement { AnyStatement(sql: sql, parameters: parameters) }

    package init(_ fragment: Fragment) {
        var interpolation = StatementInterpolation(literalCapacity: 0, interpolationCount: 0)
        interpolation.appendInterpolation(fragment)
        self.init(stringInterpolation: interpolation)
    }
}

extension Statement: ExpressibleByStringInterpolation {
    package init(stringLiteral value: StaticString) {
        sql = value.description
        parameters = []
    }

    package init(stringInterpolation: StatementInterpolation) {
        sql = stringInterpolation.sql
        parameters = stringInterpolation.parameters
    }
}

/// A statement whose rows nobody reads: it answers how many rows it touched.
package typealias Command = Statement<NoRow>

package struct AnyStatement: Sendable {
    package let sql: String
    package let parameters: [Parameter]

    init(sql: String, parameters: [Parameter]) {
        self.sql = sql
        self.parameters = parameters
    }
}

/// Literals are `StaticString`, which only the compiler can make from source text.
package struct StatementInterpolation: StringInterpolationProtocol {
    var sql: String
    var parameters: [Parameter] = []

    package init(literalCapacity: Int, interpolationCount: Int) {
        sql = ""
        sql.reserveCapacity(literalCapacity + interpolationCount * 4)
        parameters.reserveCapacity(interpolationCount)
    }

    package mutating func appendLiteral(_ literal: StaticString) {
        literal.withUTF8Buffer { sql.append(contentsOf: String(decoding: $0, as: UTF8.self)) }
    }

    package mutating func appendInterpolation(_ value: some PostgresEncodable) {
        append(value.parameter)
    }

    /// Takes the optional as such: passed as a generic value the compiler would suspect a mistake and warn.
    package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
        append(value.parameter)
    }

    package mutating func appendInterpolation(_ fragment: Fragment) {
        sql += fragment.texts[0]
        for (parameter, text) in zip(fragment.parameters, fragment.texts.dropFirst()) {
            append(parameter)
            sql += text
        }
    }

    package mutating func appendInterpolation(fragment: Fragment) {
        appendInterpolation(fragment)
    }

    private mutating func append(_ parameter: Parameter) {
        parameters.append(parameter)
        sql += "$"
        sql += String(parameters.count)
    }
}
