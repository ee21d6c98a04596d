extension PostgresConnection {
    /// Binary COPY into a table: `copyIn("vales (tenant_id, number)") { try $0.row(Int32(1), Int64(7)) }`.
    ///
    /// `body` runs on the connection's thread, so it may take its time but must not wait for this connection. If it
    /// throws, nothing is copied.
    /// - Parameter target: table and columns.
    /// - Returns: how many rows were copied.
    @discardableResult
    package func copyIn(
        _ target: Fragment, _ body: @escaping @Sendable (inout CopyWriter) throws -> Void
    ) async throws -> Int {
        try await perform { try $0.copyIn(target, body) }
    }

    /// Binary COPY of a table or of `(SELECT …)`, row by row and without keeping them.
    ///
    /// `body` runs on the connection's thread. If it throws, the connection is discarded.
    /// - Returns: how many rows were copied.
    @discardableResult
    package func copyOut(
        _ source: Fragment, _ body: @escaping @Sendable (CopyRow) throws -> Void
    ) async throws -> Int {
        try await perform { try $0.copyOut(source, body) }
    }

    /// Runs a file of SQL, such as a migration. The one place where SQL is not a literal: never pass what a client
    /// sent.
    ///
    /// Several statements form one implicit transaction unless they say otherwise.
    package func execute(script: String) async throws {
        try await perform { try $0.execute(script: script) }
    }
}
