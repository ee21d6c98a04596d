import Foundation
import Logging
import Postgres
import Shared

/// `pulsegate-query job NAME`: runs one job now, beside whoever leads, and says how it went. It takes no more settings than it needs.
enum JobCommand {
    static let word = "job"
    /// sysexits.h: EX_USAGE.
    private static let wrongUsage: Int32 = 64

    private static let program = "pulsegate-query"
    private static let databaseURL = SettingKey<String>.databaseURL(
        "SYSTEM_DATABASE_URL", meaning: "The database, as pulsegate_system.")
    private static let declarations: [any SettingDeclaration] = [
        databaseURL, QuerySettings.jobsInterval, QuerySettings.statementTimeout, SharedSettings.logLevel,
    ]

    /// - Parameter arguments: what follows the word.
    static func main(_ arguments: [String]) async -> Never {
        let wish: JobWish
        do throws(JobWish.Fault) {
            wish = try JobWish(arguments)
        } catch {
            complain(error.reason)
            exit(wrongUsage)
        }
        let reader = exitOnFault(program) { () throws(SettingsFault) in
            try SettingsReader(
                declarations, arguments: [program] + wish.settings, environment: ProcessInfo.processInfo.environment)
        }
        LogOutput.bootstrap(level: reader[SharedSettings.logLevel])
        let logger = Logger(label: program)
        let connection = QuerySettings.jobConnection(reader[databaseURL], reader)
        let pool = PostgresPool(PoolConfiguration(connection: connection, maxConnections: 2), logger: logger)
        let status = await carryOut(wish, Database(pool: pool), reader[QuerySettings.jobsInterval], logger)
        await pool.close()
        exit(status)
    }

    private static func carryOut(
        _ wish: JobWish, _ database: Database, _ interval: Duration, _ logger: Logger
    ) async -> Int32 {
        do {
            guard try await SchemaGate(database: database, logger: logger).open() else {
                complain("the database does not answer")
                return EXIT_FAILURE
            }
            guard let kind = wish.job else {
                try await list(database, interval)
                return EXIT_SUCCESS
            }
            return await run(kind, at: wish.time ?? .now(), database, interval, logger)
        } catch let error as StaleSchema {
            complain("\(error)")
            return SettingsFault.exitStatus
        } catch {
            complain("the jobs can't be listed: \(JobFailure.words(of: error))")
            return EXIT_FAILURE
        }
    }

    private static func run(
        _ kind: JobKind, at time: Timestamp, _ database: Database, _ interval: Duration, _ logger: Logger
    ) async -> Int32 {
        let due = kind.schedule(interval).due(at: time)
        let execution = JobExecution(database: database, now: { .now() }, logger: logger)
        let outcome = await execution.run(kind.job(database, logger), for: due, at: time, byHand: true) { begin in
            _ = try await database.pool.withConnection { try await $0.run(begin) }
        }
        switch outcome {
        case .succeeded(let changed):
            print("\(kind.rawValue): \(changed) changed")
            return EXIT_SUCCESS
        case .failed(let words):
            print("\(kind.rawValue): failed: \(words)")
            return EXIT_FAILURE
        case nil:
            print("\(kind.rawValue): not run")
            return EXIT_FAILURE
        }
    }

    private static func list(_ database: Database, _ interval: Duration) async throws {
        for job in JobKind.allCases {
            let last = try await database.lookUp(JobRun.page(job, before: nil, limit: 1)).first
            let words = last.map { run in
                "last run \(run.startedAt.rfc3339), \(run.status)\(run.byHand ? ", by hand" : "")"
            }
            print("\(job.rawValue): \(job.schedule(interval).words); \(words ?? "never run")")
        }
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data("\(program) \(word): \(text)\n".utf8))
    }
}

/// What was typed after the word.
struct JobWish: Equatable {
    struct Fault: Error, Equatable {
        let reason: String
    }

    /// Nil: they are to be listed.
    private(set) var job: JobKind?
    private(set) var time: Timestamp?
    /// Flags of settings, with their values.
    private(set) var settings: [String] = []

    init(_ arguments: [String]) throws(Fault) {
        var rest = arguments[...]
        if let name = rest.first, !name.hasPrefix("-") {
            guard let job = JobKind(rawValue: name) else {
                let names = JobKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw Fault(reason: "there is no job \(name); there are \(names)")
            }
            self.job = job
            rest.removeFirst()
        }
        while let argument = rest.popFirst() {
            guard argument == "--at" || argument.hasPrefix("--at=") else {
                settings.append(argument)
                continue
            }
            let text = argument == "--at" ? rest.popFirst() ?? "" : String(argument.dropFirst(5))
            guard let time = Timestamp(rfc3339: text) else {
                throw Fault(reason: "--at takes a time such as 2026-11-22T00:00:00Z")
            }
            self.time = time
        }
    }
}
