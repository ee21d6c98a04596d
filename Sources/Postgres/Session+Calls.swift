import CLibpq

extension Session {
    /// Runs one caller's work with its time-out and cancellation.
    ///
    /// A cancelled connection is used again only if the server confirmed the cancellation: otherwise the request could
    /// arrive late and hit the next statement.
    func perform<Value>(_ call: Call, _ work: (Session) throws -> Value) throws -> Value {
        if call.isCancelled { throw CancellationError() }
        if let broken { throw PostgresError(kind: .connectionLost, message: broken.message) }
        (self.call, cancellation) = (call, nil)
        let start = ContinuousClock.now
        touch()
        defer {
            self.call = nil
            cancellation = nil
            publishHealth()
        }
        do {
            let value = try work(self)
            if cancellation != nil { fail(Self.uncertainCancellation) }
            return value
        } catch {
            if error.postgresError?.sqlState == "25006", saysReadOnly { fail(Self.readOnly) }
            guard cancellation != nil else { throw error }
            try settleCancellation(after: error, since: start)
            throw CancellationError()
        }
    }

    private static let uncertainCancellation = PostgresError(
        kind: .cancelled, message: "a cancellation may still be on its way")

    private func settleCancellation(after error: any Error, since start: ContinuousClock.Instant) throws {
        let underlying = error.postgresError
        let limit = ContinuousClock.now + configuration.grace
        while let cancellation, !cancellation.isFinished, ContinuousClock.now < limit {
            _ = pollOnce(0, until: limit)
        }
        // A statement time-out has the same SQLSTATE; then the cancellation could still hit what comes next.
        let nearTimeout = configuration.statementTimeout.map { ContinuousClock.now - start >= $0 } ?? false
        let confirmed = underlying?.sqlState == "57014" && cancellation?.isFinished == true && !nearTimeout
        if !confirmed { fail(Self.uncertainCancellation) }
        guard let underlying else { return }
        if underlying.commitUnknown {
            throw PostgresError(kind: .cancelled, message: underlying.message, commitUnknown: true)
        }
        // What failed by itself before the cancellation came is still told as what it was.
        if underlying.kind == .server { throw error }
    }

    /// A server that takes no writes, or none any more, may not be the one to talk to: where the URL names several hosts and
    /// `target_session_attrs=read-write`, a new connection finds the one that does.
    private static let readOnly = PostgresError(kind: .connectionLost, message: "the server takes no writes")

    private func publishHealth() {
        guard broken == nil else { return }
        if wasWritable, saysReadOnly, transactionStatus == PQTRANS_IDLE { return fail(Self.readOnly) }
        health.publish(transactionStatus == PQTRANS_IDLE ? .idle : .inTransaction)
    }
}
