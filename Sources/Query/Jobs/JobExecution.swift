import Foundation
import Logging
import Postgres
import Shared

/// Runs a job once and records that.
struct JobExecution: Sendable {
    /// How long a job may take. Its statements have a bound of their own; this is for those that never come to an end.
    static let longest = Duration.seconds(3_600)

    /// As `pulsegate_system`.
    let database: Database
    let now: @Sendable () -> Timestamp
    let logger: Logger
    /// The machine and process.
    var runner = JobExecution.process

    /// - Parameters:
    ///   - due: what it is run for.
    ///   - time: what time the job is to hold it to be.
    ///   - begin: has its beginning written.
    /// - Returns: nil where not even its beginning could be recorded, so it was not run.
    func run(
        _ job: any Job, for due: Timestamp, at time: Timestamp, byHand: Bool, begin: (Command) async throws -> Void
    ) async -> JobOutcome? {
        let id = UUID.v7()
        do {
            try await begin(JobRun.begin(id, job.kind, for: due, at: now(), byHand: byHand, runner: runner))
        } catch {
            logger.warning("a job's beginning was not recorded", metadata: metadata(job, error))
            return nil
        }
        var outcome: JobOutcome
        do {
            outcome = .succeeded(try await Self.bounded { try await job.run(at: time) })
        } catch {
            let wasStopped = Task.isCancelled
            outcome = .failed(wasStopped ? JobRun.interrupted : JobFailure.words(of: error))
            if !wasStopped { logger.error("a job failed", metadata: metadata(job, error)) }
        }
        // Not cancelled with us: it is what tells those after us.
        let finish = JobRun.finish(id, outcome, at: now())
        let pool = database.pool
        do {
            try await Task { try await pool.withConnection { _ = try await $0.run(finish) } }.value
        } catch {
            logger.warning("a job's end was not recorded", metadata: metadata(job, error))
            outcome = .failed("its end was not recorded")
        }
        return outcome
    }

    private static func bounded(_ work: @escaping @Sendable () async throws -> Int) async throws -> Int {
        try await withThrowingTaskGroup(of: Int?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: longest)
                return nil
            }
            defer { group.cancelAll() }
            guard let changed = try await group.next() ?? nil else { throw Overdue() }
            return changed
        }
    }

    private func metadata(_ job: any Job, _ error: any Error) -> Logger.Metadata {
        ["job": "\(job.kind.rawValue)", "reason": "\(error)"]
    }

    private static let process: String = {
        var name = [CChar](repeating: 0, count: 256)
        let isKnown = gethostname(&name, name.count - 1) == 0
        let host = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return "\(isKnown ? String(host.prefix(180)) : "unknown"):\(getpid())"
    }()
}

/// Parts of a job failed; the rest was done.
struct JobFailure: Error {
    let parts: Int
    /// Of the first.
    let cause: any Error

    /// Short, and without anything that could be a tenant's.
    static func words(of error: any Error) -> String {
        switch error {
        case let failure as JobFailure: "\(failure.parts) parts failed, the first one: \(words(of: failure.cause))"
        case is Overdue: "took too long"
        default:
            if let database = error.postgresError {
                "database: \(database.kind)\(database.sqlState.map { " \($0)" } ?? "")"
            } else {
                "\(type(of: error))"
            }
        }
    }
}

extension Database {
    /// Does a job's work for one tenant after the other; one for which it fails keeps it from none of the others.
    ///
    /// - Returns: the sum of what `work` returns.
    /// - Throws: ``JobFailure`` in the end, where it failed for some; at once where the database is away.
    func tenantByTenant(
        includingInactive: Bool = false, _ logger: Logger, _ work: (Tenant) async throws -> Int
    ) async throws -> Int {
        var changed = 0
        var failures: [any Error] = []
        for tenant in try await lookUp(Tenant.all()) where tenant.isActive || includingInactive {
            try Task.checkCancellation()
            do {
                changed += try await work(tenant)
            } catch {
                try Task.checkCancellation()
                if error.isAbsence { throw error }
                logger.warning(
                    "a job failed for a tenant", metadata: ["tenant": "\(tenant.slug)", "reason": "\(error)"])
                failures.append(error)
            }
        }
        if let cause = failures.first { throw JobFailure(parts: failures.count, cause: cause) }
        return changed
    }
}

extension Error {
    /// There is no connection, so the next tenant would fare no better.
    fileprivate var isAbsence: Bool {
        switch postgresError?.kind {
        case .connectFailed, .poolExhausted, .poolClosed: true
        default: false
        }
    }
}
