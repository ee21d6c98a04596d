import CLibpq
import Glibc

/// What was sent and is still to be answered, in order.
private enum Step {
    case prepare(index: Int, name: String)
    case execute(index: Int)
    case deallocate
    case sync
}

/// How a pipeline's work becomes permanent: this decides what a lost connection leaves behind.
enum CommitPoint {
    /// A later COMMIT decides: when the connection breaks, nothing has happened.
    case later
    /// The last statement is COMMIT.
    case lastStatement
    /// Outside a transaction block the server commits at the sync.
    case sync
}

/// One run of a pipeline: what was sent, what came back, and the first failure.
private struct PipelineRun {
    var steps: [Step] = []
    var answered = 0
    var results: [ResultSet] = []
    var failure: PipelineError?
    /// Names prepared in this run whose preparation isn't confirmed yet, with their SQL.
    var unconfirmed: [String: String] = [:]
    /// Statements that relied on an earlier preparation; these can be stale.
    var reused: [Int: String] = [:]

    var isAnswered: Bool { answered == steps.count }
}

extension Session {
    /// Sends the statements with what they need prepared and one sync, and reads a result for each. Sending and reading
    /// take turns, so neither side's buffers can fill up and block the other, however long the pipeline is.
    ///
    /// - Throws: `PipelineError` naming the first statement that failed, `PostgresError` if the connection broke.
    func run(_ statements: [AnyStatement], commit: CommitPoint) throws -> [ResultSet] {
        let wasIdle = transactionStatus == PQTRANS_IDLE
        do {
            return try runOnce(statements, commit)
        } catch let error as PipelineError where error.underlying.isStalePlan && wasIdle && broken == nil {
            // Outside a transaction block the server undid the whole pipeline, and the stale statement is forgotten.
            guard transactionStatus == PQTRANS_IDLE else { throw error }
            return try runOnce(statements, commit)
        }
    }

    private func runOnce(_ statements: [AnyStatement], _ commit: CommitPoint) throws -> [ResultSet] {
        try statements.forEach(Self.checkLimits)
        var run = PipelineRun()
        run.results.reserveCapacity(statements.count)
        do {
            try deallocateEvicted(&run)
            try send(statements, &run)
            try sync(&run)
            while !run.isAnswered { try receive(&run) }
        } catch var error as PostgresError {
            // The answer to COMMIT is all there is to know; that the connection broke after it concerns the next one.
            if commit == .lastStatement, run.results.count == statements.count { return run.results }
            // An error that the server itself sent tells that it did not commit.
            error.commitUnknown = commit != .later && run.failure == nil && error.sqlState == nil
            throw error
        }
        deliverNotifications()
        for (name, sql) in run.unconfirmed { cache.forget(name, of: sql) }
        guard let failure = run.failure else { return run.results }
        if failure.underlying.isStalePlan, let name = run.reused[failure.index] {
            cache.forget(name, of: statements[failure.index].sql, deallocate: failure.underlying.sqlState == "0A000")
        }
        throw failure
    }

    /// Refuses before anything is sent, so that a foul statement can't leave half a pipeline behind.
    private static func checkLimits(_ statement: AnyStatement) throws {
        guard statement.parameters.count <= ParameterScratch.limit else {
            throw PostgresError(kind: .protocolViolation, message: "more than 65,535 parameters")
        }
        // The server's own limit for one value (MaxAllocSize).
        guard statement.parameters.allSatisfy({ ($0.bytes?.count ?? 0) < 1 << 30 }) else {
            throw PostgresError(kind: .protocolViolation, message: "a parameter of 1 GiB or more")
        }
    }
}

// MARK: - Sending

extension Session {
    /// Bytes handed to libpq between two looks at the socket.
    private static let sendWindow = 64 * 1024

    /// In a segment with a sync of its own, ahead of the rest, and only outside transactions: there it can't disturb
    /// any.
    private func deallocateEvicted(_ run: inout PipelineRun) throws {
        guard transactionStatus == PQTRANS_IDLE else { return }
        let names = cache.takeEvicted()
        guard !names.isEmpty else { return }
        for name in names {
            guard PQsendQueryParams(handle, "DEALLOCATE \(name)", 0, nil, nil, nil, nil, 1) == 1 else { throw lost() }
            run.steps.append(.deallocate)
        }
        try sync(&run)
    }

    private func send(_ statements: [AnyStatement], _ run: inout PipelineRun) throws {
        var unsent = 0
        for (index, statement) in statements.enumerated() {
            let name = try prepare(statement, index, &run)
            guard sendExecution(of: statement, as: name) else { throw lost() }
            run.steps.append(.execute(index: index))
            unsent += statement.parameters.reduce(64) { $0 + ($1.bytes?.count ?? 0) + 8 }
            guard unsent >= Self.sendWindow else { continue }
            unsent = 0
            try flush(&run)
            // The rest would only be skipped by the server.
            if run.failure != nil { return }
        }
    }

    private func prepare(_ statement: AnyStatement, _ index: Int, _ run: inout PipelineRun) throws -> String {
        if let entry = cache.find(statement) {
            if run.unconfirmed[entry.name] == nil { run.reused[index] = entry.name }
            return entry.name
        }
        let entry = cache.insert(statement)
        run.unconfirmed[entry.name] = statement.sql
        guard PQsendPrepare(handle, entry.name, statement.sql, Int32(entry.types.count), entry.types) == 1 else {
            throw lost()
        }
        run.steps.append(.prepare(index: index, name: entry.name))
        return entry.name
    }

    private func sendExecution(of statement: AnyStatement, as name: String) -> Bool {
        let count = Int32(statement.parameters.count)
        return scratch.withPointers(statement.parameters) { values, lengths, formats in
            PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1)
        } == 1
    }

    private func sync(_ run: inout PipelineRun) throws {
        guard PQpipelineSync(handle) == 1 else { throw lost() }
        run.steps.append(.sync)
        try flush(&run)
    }

    /// Sends what libpq has buffered; while the server doesn't take it, reads what the server wants to get rid of.
    private func flush(_ run: inout PipelineRun) throws {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                try wait(for: Int16(POLLIN | POLLOUT))
                guard PQconsumeInput(handle) == 1 else { throw lostReading(run) }
                try takeResults(&run)
            default: throw lostReading(run)
            }
        }
    }
}

// MARK: - Receiving

extension Session {
    private func receive(_ run: inout PipelineRun) throws {
        try takeResults(&run)
        if run.isAnswered { return }
        try wait(for: Int16(POLLIN))
        guard PQconsumeInput(handle) == 1 else { throw lostReading(run) }
    }

    /// Takes every result that has arrived in full, without blocking.
    private func takeResults(_ run: inout PipelineRun) throws {
        while !run.isAnswered, PQisBusy(handle) == 0 {
            guard let result = PQgetResult(handle) else {
                guard PQstatus(handle) == CONNECTION_OK else { throw lostReading(run) }
                // The end of one step's results. A sync has no such end.
                run.answered += 1
                continue
            }
            try take(result, &run)
        }
    }

    private func take(_ result: OpaquePointer, _ run: inout PipelineRun) throws {
        let step = run.steps[run.answered]
        switch PQresultStatus(result) {
        case PGRES_PIPELINE_SYNC:
            PQclear(result)
            guard case .sync = step else { throw violation("sync out of turn") }
            run.answered += 1
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            keep(result, of: step, &run)
        case PGRES_FATAL_ERROR:
            defer { PQclear(result) }
            try take(PostgresError(result), of: step, &run)
        case PGRES_PIPELINE_ABORTED:
            PQclear(result)
        default:
            defer { PQclear(result) }
            throw violation("a statement answered with status \(PQresultStatus(result).rawValue)")
        }
    }

    private func keep(_ result: OpaquePointer, of step: Step, _ run: inout PipelineRun) {
        switch step {
        case .execute: run.results.append(ResultSet(result))
        case .prepare(_, let name):
            run.unconfirmed[name] = nil
            PQclear(result)
        case .deallocate, .sync: PQclear(result)
        }
    }

    private func take(_ error: PostgresError, of step: Step, _ run: inout PipelineRun) throws {
        guard error.kind != .connectionLost else {
            fail(error)
            throw error
        }
        switch step {
        case .prepare(let index, _), .execute(let index):
            if run.failure == nil { run.failure = PipelineError(index: index, underlying: error) }
        case .deallocate: break
        case .sync: throw violation(error.message)
        }
    }

    /// The last words of a dying server may still wait to be read: they tell that nothing was committed.
    private func lostReading(_ run: PipelineRun) -> PostgresError {
        while PQisBusy(handle) == 0, let result = PQgetResult(handle) {
            defer { PQclear(result) }
            guard PQresultStatus(result) == PGRES_FATAL_ERROR else { continue }
            var error = PostgresError(result)
            error.kind = .connectionLost
            fail(error)
            return error
        }
        return lost()
    }

    func violation(_ message: String) -> PostgresError {
        let error = PostgresError(kind: .protocolViolation, message: message)
        fail(error)
        return error
    }
}
