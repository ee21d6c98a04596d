import CLibpq

/// The rows of one statement, or the number of rows it touched.
///
/// `@unchecked Sendable`: a `PGresult` is never changed after libpq handed it out, and its accessors only read.
package final class ResultSet: @unchecked Sendable {
    private let handle: OpaquePointer
    /// Number of rows.
    package let count: Int
    package let columns: [String]
    private let types: [UInt32]

    /// Takes over the `PGresult` and frees it.
    init(_ handle: OpaquePointer) {
        self.handle = handle
        count = Int(PQntuples(handle))
        let width = PQnfields(handle)
        columns = (0..<width).map { PQfname(handle, $0).map { String(cString: $0) } ?? "" }
        types = (0..<width).map { PQftype(handle, $0) }
    }

    deinit {
        PQclear(handle)
    }

    /// Rows inserted, updated, deleted, merged, copied or selected; 0 for other statements.
    package var affectedRows: Int {
        PQcmdTuples(handle).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// The server's word for what was done, such as `COMMIT` or `INSERT 0 1`.
    package var commandTag: String {
        PQcmdStatus(handle).map { String(cString: $0) } ?? ""
    }

    /// - Precondition: `index` is below `count`.
    package subscript(_ index: Int) -> Row {
        precondition(index >= 0 && index < count, "row \(index) of \(count)")
        return Row(result: self, index: index)
    }

    package func rows<Output: RowDecodable>(as type: Output.Type = Output.self) throws -> [Output] {
        var rows: [Output] = []
        rows.reserveCapacity(count)
        for index in 0..<count { rows.append(try Output(Row(result: self, index: index))) }
        return rows
    }

    func value<Value: PostgresDecodable>(row: Int, column: Int) throws -> Value {
        let (row, number) = (Int32(row), Int32(column))
        do {
            guard PQgetisnull(handle, row, number) == 0, let start = PQgetvalue(handle, row, number) else {
                return try Value.decodeNull()
            }
            let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(handle, row, number)))
            return try Value.decode(bytes, oid: types[column])
        } catch var error as PostgresError {
            error.message += " in column \(columns[column])"
            error.column = columns[column]
            throw error
        }
    }
}
