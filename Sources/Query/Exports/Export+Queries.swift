import Foundation
import Postgres
import Shared

extension Export {
    /// One that nobody works on any more has failed, whether somebody has written that down or not.
    private static let columns: Fragment = """
        id, bytes, created_at, updated_at, expires_at,
        CASE WHEN status = 'running' AND updated_at < now() - make_interval(secs => \(Double(patience))) THEN 'failed'
             ELSE status END AS status
        """

    /// Newest first.
    static func page(before: UUID?, limit: Int, in tenant: TenantID) -> Statement<Export> {
        let until: Fragment = before.map { "AND id < \($0)" } ?? ""
        return """
            SELECT \(columns) FROM exports WHERE tenant_id = \(tenant) \(until) ORDER BY id DESC LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in tenant: TenantID) -> Statement<Export> {
        "SELECT \(columns) FROM exports WHERE tenant_id = \(tenant) AND id = \(id)"
    }

    /// What nobody works on any more is given up, and of archives there is one at a time: they lie in the database.
    static func makeRoom(in tenant: TenantID) -> [Command] {
        [
            """
            UPDATE exports SET status = 'failed'
             WHERE tenant_id = \(tenant) AND status = 'running'
               AND updated_at < now() - make_interval(secs => \(Double(patience)))
            """,
            "UPDATE exports SET expires_at = now() WHERE tenant_id = \(tenant) AND expires_at > now()",
            """
            DELETE FROM export_parts p USING exports e
             WHERE p.tenant_id = \(tenant) AND e.tenant_id = p.tenant_id AND e.id = p.export_id AND e.status <> 'running'
            """,
        ]
    }

    /// A sign of life, of one that is worked on or waits for its turn.
    static func keepAlive(_ id: UUID, in tenant: TenantID) -> Command {
        "UPDATE exports SET updated_at = now() WHERE tenant_id = \(tenant) AND id = \(id) AND status = 'running'"
    }

    /// The database refuses a second one that runs.
    static func insert(_ id: UUID, by user: UUID?, into tenant: TenantID) -> Statement<Export> {
        """
        INSERT INTO exports (tenant_id, id, requested_by) VALUES (\(tenant), \(id), \(user))
        RETURNING id, status, bytes, created_at, updated_at, expires_at
        """
    }

    /// The archive's next part, and a sign of life. No row where it was given up meanwhile.
    static func append(_ bytes: [UInt8], at position: Int32, to id: UUID, in tenant: TenantID) -> Command {
        """
        WITH alive AS (
            UPDATE exports SET bytes = bytes + \(Int64(bytes.count)), updated_at = now()
             WHERE tenant_id = \(tenant) AND id = \(id) AND status = 'running'
            RETURNING id
        )
        INSERT INTO export_parts (tenant_id, export_id, position, bytes)
        SELECT \(tenant), id, \(position), \(bytes) FROM alive
        """
    }

    static func finish(_ id: UUID, _ status: Status, until expiry: Timestamp?, in tenant: TenantID) -> Command {
        """
        UPDATE exports SET status = \(status.rawValue), updated_at = now(), expires_at = \(expiry)
         WHERE tenant_id = \(tenant) AND id = \(id) AND status = 'running'
        """
    }

    static func part(_ position: Int32, of id: UUID, in tenant: TenantID) -> Statement<[UInt8]> {
        """
        SELECT p.bytes FROM export_parts p JOIN exports e ON e.tenant_id = p.tenant_id AND e.id = p.export_id
         WHERE p.tenant_id = \(tenant) AND p.export_id = \(id) AND p.position = \(position) AND e.expires_at > now()
        """
    }
}
