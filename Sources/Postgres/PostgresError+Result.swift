import CLibpq

extension PostgresError {
    /// Reads the fields of an error that the server sent (or that libpq made up when the connection broke: those have
    /// no SQLSTATE).
    init(_ result: OpaquePointer) {
        func field(_ code: Unicode.Scalar) -> String? {
            PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
        }
        let state = field("C")
        // Not the localized severity.
        let severity = field("V")
        let isFatal = severity == "FATAL" || severity == "PANIC" || state == nil
        let kind: Kind = isFatal ? .connectionLost : state == "57014" ? .timeout : .server
        let message = field("M") ?? PQresultErrorMessage(result).map { String(cString: $0) } ?? "unknown error"
        let detail = field("D").map { " (\($0))" } ?? ""
        self.init(
            kind: kind, sqlState: state, constraint: field("n"), table: field("t"), column: field("c"),
            message: message + detail)
    }
}
