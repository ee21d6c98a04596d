import FoundationEssentials

/// A value made from one row. Single values (`Int32`, `String`, `UUID`, optionals …) are made from the first column.
package protocol RowDecodable: Sendable {
    init(_ row: Row) throws
}

/// One row of a result; the result stays alive as long as any of its rows.
package struct Row: Sendable {
    let result: ResultSet
    let index: Int

    /// - Throws: `PostgresError` of kind `decoding` if there is no such column, it is NULL and `Value` isn't optional,
    ///   or its type doesn't fit.
    package subscript<Value: PostgresDecodable>(_ name: String) -> Value {
        get throws {
            guard let column = result.columns.firstIndex(of: name) else {
                throw PostgresError.decoding("no column \(name)")
            }
            return try result.value(row: index, column: column)
        }
    }

    package subscript<Value: PostgresDecodable>(_ column: Int) -> Value {
        get throws {
            guard result.columns.indices.contains(column) else { throw PostgresError.decoding("no column \(column)") }
            return try result.value(row: index, column: column)
        }
    }
}

/// Of statements that return nothing worth reading.
package struct NoRow: RowDecodable {
    package init(_ row: Row) {}
}

/// A row's first columns in order, where a type of its own would be too much: `Statement<Columns<Int32, String?>>`.
package struct Columns<each Value: PostgresDecodable>: RowDecodable {
    package let values: (repeat each Value)

    package init(_ row: Row) throws {
        var column = 0
        func next<Next: PostgresDecodable>(_ type: Next.Type) throws -> Next {
            defer { column += 1 }
            return try row[column]
        }
        values = (repeat try next((each Value).self))
    }
}

extension RowDecodable where Self: PostgresDecodable {
    package init(_ row: Row) throws {
        self = try row[0]
    }
}

extension Bool: RowDecodable {}
extension Int16: RowDecodable {}
extension Int32: RowDecodable {}
extension Int64: RowDecodable {}
extension Int: RowDecodable {}
extension Float: RowDecodable {}
extension Double: RowDecodable {}
extension String: RowDecodable {}
extension UUID: RowDecodable {}
extension Timestamp: RowDecodable {}
extension JSONB: RowDecodable {}
extension Array: RowDecodable where Element: PostgresArrayElement {}
extension Optional: RowDecodable where Wrapped: PostgresDecodable {}
