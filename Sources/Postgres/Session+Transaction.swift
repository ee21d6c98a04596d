import CLibpq

extension Session {
    var backendID: Int32 { PQbackendPID(handle) }
    var isOutsideTransaction: Bool { transactionStatus == PQTRANS_IDLE }

    /// Runs `statements` behind others whose results nobody wants. An error of those is thrown as it is, since no index
    /// of the caller's points to them.
    func run(_ statements: [AnyStatement], after prologue: [AnyStatement] = []) throws -> [ResultSet] {
        guard !prologue.isEmpty else { return try run(statements, commit: isOutsideTransaction ? .sync : .later) }
        do {
            return Array(try run(prologue + statements, commit: .later).dropFirst(prologue.count))
        } catch let error as PipelineError {
            throw error.shifted(by: prologue.count)
        }
    }

    /// BEGIN, settings, statements and COMMIT in one round trip.
    func runTransaction(_ statements: [AnyStatement], after prologue: [AnyStatement]) throws -> [ResultSet] {
        let all = prologue + statements + [TransactionOptions.commit]
        do {
            let results = try run(all, commit: .lastStatement)
            try Self.checkCommitted(results.last)
            return Array(results.dropFirst(prologue.count).dropLast())
        } catch let error as PipelineError {
            try rollBack()
            let shifted = error.shifted(by: prologue.count)
            if let own = shifted as? PipelineError, own.index >= statements.count { throw own.underlying }
            throw shifted
        }
    }

    /// The last statements of an open transaction, and COMMIT with them.
    func commit(after statements: [AnyStatement] = []) throws {
        do {
            try Self.checkCommitted(try run(statements + [TransactionOptions.commit], commit: .lastStatement).last)
        } catch let error as PipelineError {
            throw error.underlying
        }
    }

    func rollBack() throws {
        guard broken == nil, !isOutsideTransaction else { return }
        do {
            _ = try run([TransactionOptions.rollback], commit: .later)
        } catch let error as PipelineError {
            // What can't be rolled back can't be trusted.
            fail(error.underlying)
            throw error.underlying
        }
    }

    /// COMMIT of a failed transaction answers ROLLBACK and is no error to the server; to us it is.
    private static func checkCommitted(_ result: ResultSet?) throws {
        guard result?.commandTag == "COMMIT" else {
            throw PostgresError(
                kind: .server, sqlState: "25P02", message: "an earlier statement of the transaction had failed")
        }
    }
}

extension PipelineError {
    fileprivate func shifted(by count: Int) -> any Error {
        index < count ? underlying : PipelineError(index: index - count, underlying: underlying)
    }
}
