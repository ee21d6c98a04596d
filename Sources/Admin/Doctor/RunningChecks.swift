import Postgres
import Shared

/// The ring of batch keys turns every hour while an ingest process runs.
struct RingCheck: DoctorCheck {
    let name = "batch keys"

    func examine(_ database: Database) async throws -> [Finding] {
        let age: [Int64] = try await database.lookUp(
            "SELECT extract(epoch FROM now() - turned_at)::bigint FROM batch_key_ring")
        guard let age = age.first else { return [.fail(name, "batch_key_ring is empty")] }
        guard age > 2 * 3600 else { return [.ok(name, "turned \(age / 60) minutes ago")] }
        return [.warn(name, "turned \(age / 3600) hours ago: does ingest run?")]
    }
}

/// What is acknowledged must survive a crash.
struct DurabilityCheck: DoctorCheck {
    let name = "durability"

    func examine(_ database: Database) async throws -> [Finding] {
        let off: [String] = try await database.lookUp(
            """
            SELECT name || ' = ' || setting FROM pg_settings
             WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY 1
            """)
        guard off.isEmpty else {
            return [.fail(name, "\(off.joined(separator: ", ")): what was acknowledged can be lost")]
        }
        return [.ok(name, "fsync, full_page_writes and synchronous_commit are on")]
    }
}

/// Compaction empties the log all the time. What it deletes between two looks of autovacuum is what the log's file is larger than
/// what is in it.
struct VacuumCheck: DoctorCheck {
    let name = "vacuum"
    /// Seconds between two looks from which on it is worth a word; PostgreSQL's default is 60.
    private static let often: Int64 = 10

    private struct Settings: RowDecodable {
        let isOn: Bool
        let naptime: Int64

        init(_ row: Row) throws {
            isOn = try row["is_on"]
            naptime = try row["naptime"]
        }
    }

    func examine(_ database: Database) async throws -> [Finding] {
        let settings: [Settings] = try await database.lookUp(
            """
            SELECT current_setting('autovacuum')::boolean AS is_on,
                   extract(epoch FROM current_setting('autovacuum_naptime')::interval)::bigint AS naptime
            """)
        return settings.map { judge(isOn: $0.isOn, naptime: $0.naptime) }
    }

    func judge(isOn: Bool, naptime: Int64) -> Finding {
        guard isOn else { return .fail(name, "autovacuum is off: the sample log grows without end") }
        let detail = "autovacuum looks every \(naptime) s"
        guard naptime > Self.often else { return .ok(name, detail) }
        return .warn(name, "\(detail): at full load the sample log grows by what comes in meanwhile")
    }
}

/// Ours against the server's, with the time that asking took as what is not known.
struct ClockCheck: DoctorCheck {
    let name = "clock"

    func examine(_ database: Database) async throws -> [Finding] {
        let since = Timestamp.now()
        guard let server = try await database.lookUp("SELECT clock_timestamp()" as Statement<Timestamp>).first else {
            return [.fail(name, "the server tells no time")]
        }
        let until = Timestamp.now()
        let outside = max(0, max(since.microseconds - server.microseconds, server.microseconds - until.microseconds))
        let detail = "\(outside / 1000) ms off the server's"
        return switch outside {
        case ..<1_000_000: [.ok(name, detail)]
        case ..<60_000_000: [.warn(name, detail)]
        default: [.fail(name, detail)]
        }
    }
}

/// Compaction keeps each tenant's log short, 15 minutes at most, and merges what it made small.
struct BacklogCheck: DoctorCheck {
    let name = "compaction"

    private struct Backlog: RowDecodable {
        let requests: Int64
        let samples: Int64
        let seconds: Int64
        let smallChunks: Int64

        init(_ row: Row) throws {
            requests = try row["requests"]
            samples = try row["samples"]
            seconds = try row["seconds"]
            smallChunks = try row["small_chunks"]
        }
    }

    func examine(_ database: Database) async throws -> [Finding] {
        var findings: [Finding] = []
        var (samples, smallChunks) = (Int64(0), Int64(0))
        for tenant in try await database.lookUp(Tenant.all()) {
            guard let backlog = try await database.read(tenant, Self.backlog(of: tenant.id)).first else { continue }
            samples += backlog.samples
            smallChunks += backlog.smallChunks
            let detail =
                "\(tenant.slug): \(backlog.samples) samples of \(backlog.requests) requests wait, "
                + "the oldest for \(backlog.seconds / 60) minutes"
            switch backlog.seconds {
            case ..<2700: continue
            case ..<21600: findings.append(.warn(name, detail))
            default: findings.append(.fail(name, detail))
            }
        }
        let fine = "\(samples) samples in the log, none of them old; \(smallChunks) small chunks to be merged in time"
        return findings.isEmpty ? [.ok(name, fine)] : findings
    }

    /// Small chunks are counted by the index that merging goes by.
    private static func backlog(of tenant: TenantID) -> Statement<Backlog> {
        """
        SELECT count(*) AS requests, coalesce(sum(samples), 0) AS samples,
               coalesce(extract(epoch FROM now() - min(received_at)), 0)::bigint AS seconds,
               (SELECT count(*) FROM sample_chunks WHERE tenant_id = \(tenant) AND samples < 350) AS small_chunks
          FROM sample_log WHERE tenant_id = \(tenant)
        """
    }
}
