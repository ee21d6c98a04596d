import Postgres
import Shared

/// Names of relations that a query found at fault.
private struct Culprit: RowDecodable {
    let name: String

    init(_ row: Row) throws {
        name = try row["name"]
    }
}

struct SchemaCheck: DoctorCheck {
    let name = "schema"

    func examine(_ database: Database) async throws -> [Finding] {
        let version = try await SchemaVersion.current(in: database)
        return switch version {
        case SchemaVersion.required: [.ok(name, "version \(version)")]
        case 0: [.fail(name, "not migrated: run pulsegate migrate")]
        case ..<SchemaVersion.required:
            [.fail(name, "version \(version), but \(SchemaVersion.required) is needed: run pulsegate migrate")]
        default: [.fail(name, "version \(version) is newer than this build, which knows \(SchemaVersion.required)")]
        }
    }
}

/// Row-level security, enabled and forced, on whatever belongs to a tenant, partitions included: they inherit nothing.
struct FenceCheck: DoctorCheck {
    let name = "row-level security"

    func examine(_ database: Database) async throws -> [Finding] {
        let open: [Culprit] = try await database.lookUp(
            """
            SELECT c.relname::text AS name
              FROM pg_class c
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
               AND (c.relname IN ('tenants', 'users')
                    OR EXISTS (SELECT FROM pg_attribute a
                                WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped))
               AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
             ORDER BY 1
            """)
        guard open.isEmpty else { return [.fail(name, "not forced on \(open.map(\.name).joined(separator: ", "))")] }
        return [.ok(name, "forced on every tenant table")]
    }
}

/// What is granted on a partition is granted past its parent's policies.
struct PartitionGrantCheck: DoctorCheck {
    let name = "grants on partitions"

    func examine(_ database: Database) async throws -> [Finding] {
        let granted: [Culprit] = try await database.lookUp(
            """
            SELECT DISTINCT c.relname || ' to ' || coalesce(r.rolname, 'PUBLIC') AS name
              FROM pg_class c
              CROSS JOIN LATERAL aclexplode(c.relacl) g
              LEFT JOIN pg_roles r ON r.oid = g.grantee
             WHERE c.relnamespace = 'public'::regnamespace AND c.relispartition AND g.grantee <> c.relowner
            UNION
            SELECT DISTINCT c.relname || ' to ' || coalesce(r.rolname, 'PUBLIC')
              FROM pg_class c
              JOIN pg_attribute a ON a.attrelid = c.oid
              CROSS JOIN LATERAL aclexplode(a.attacl) g
              LEFT JOIN pg_roles r ON r.oid = g.grantee
             WHERE c.relnamespace = 'public'::regnamespace AND c.relispartition AND g.grantee <> c.relowner
             ORDER BY 1
            """)
        guard granted.isEmpty else { return [.fail(name, granted.map(\.name).joined(separator: ", "))] }
        return [.ok(name, "none")]
    }
}

/// The partitions of this period of 30 days and of the next, which ingest makes long before it begins.
struct PartitionCheck: DoctorCheck {
    let name = "partitions"
    private static let period: Int64 = 30 * 86_400

    func examine(_ database: Database) async throws -> [Finding] {
        let now = Timestamp.now().seconds / Self.period
        let wanted = ["sample_chunks", "uplinks"].flatMap { ["\($0)_p\(now)", "\($0)_p\(now + 1)"] }
        let missing: [Culprit] = try await database.lookUp(
            "SELECT w.name FROM unnest(\(wanted)) AS w (name) WHERE to_regclass('public.' || w.name) IS NULL")
        guard missing.isEmpty else {
            return [
                .fail(name, "missing: \(missing.map(\.name).joined(separator: ", ")); ingest makes them as it runs")
            ]
        }
        return [.ok(name, "there for this period and the next")]
    }
}
