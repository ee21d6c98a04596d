import Foundation
import Postgres
import Shared

extension CalendarFeed {
    private static let columns: Fragment = "id, name, site_id, space_id, created_at, updated_at"

    /// In the order of creation.
    static func page(of user: UUID, after: UUID?, limit: Int, in tenant: TenantID) -> Statement<CalendarFeed> {
        let beyond: Fragment = if let after { "id > \(after)" } else { "true" }
        return """
            SELECT \(columns) FROM calendar_feeds
             WHERE tenant_id = \(tenant) AND user_id = \(user) AND \(beyond) ORDER BY id LIMIT \(Int64(limit))
            """
    }

    /// Whoever makes several at once takes turns.
    static func lockMember(_ user: UUID, in tenant: TenantID) -> Command {
        "SELECT FROM memberships WHERE tenant_id = \(tenant) AND user_id = \(user) FOR NO KEY UPDATE"
    }

    static func insert(
        _ token: OpaqueToken, of user: UUID, name: String, site: UUID?, space: UUID?, into tenant: TenantID
    ) -> Statement<CalendarFeed> {
        """
        INSERT INTO calendar_feeds (tenant_id, id, user_id, name, site_id, space_id, sha256)
        VALUES (\(tenant), \(UUID.v7()), \(user), \(name), \(site), \(space), \(token.sha256))
        RETURNING \(columns)
        """
    }

    static func delete(_ id: UUID, of user: UUID, in tenant: TenantID) -> Statement<CalendarFeed> {
        """
        DELETE FROM calendar_feeds WHERE tenant_id = \(tenant) AND user_id = \(user) AND id = \(id)
        RETURNING \(columns)
        """
    }

    /// Nothing for an address that nobody has any more.
    static func reader(_ token: OpaqueToken, in tenant: TenantID) -> Statement<FeedReader> {
        """
        SELECT f.name, f.site_id, f.space_id, m.role, m.site_ids, r.scopes AS own_scopes
          FROM calendar_feeds f
          JOIN memberships m ON m.tenant_id = f.tenant_id AND m.user_id = f.user_id
          LEFT JOIN roles r ON r.tenant_id = m.tenant_id AND r.name = m.own_role
         WHERE f.tenant_id = \(tenant) AND f.sha256 = \(token.sha256)
        """
    }
}

/// A reservation as an entry of a calendar.
struct CalendarEntry: RowDecodable {
    let id: UUID
    let span: Range<Timestamp>
    let isPending: Bool
    let holder, space, site: String
    let note: String?
    let updatedAt: Timestamp

    init(_ row: Row) throws {
        id = try row["id"]
        let start: Timestamp = try row["starts_at"]
        span = start..<max(start, try row["ends_at"])
        isPending = try row["is_pending"]
        holder = try row["holder_name"]
        space = try row["space"]
        site = try row["site"]
        note = try row["note"]
        updatedAt = try row["updated_at"]
    }

    /// Those that hold a place or did, of a space or a site or all, in the order of their starts.
    static func all(
        of feed: FeedReader, _ span: Range<Timestamp>, limit: Int, in scope: TenantScope
    ) -> Statement<CalendarEntry> {
        var conditions: [Fragment] = [
            "r.tenant_id = \(scope.tenantID)", "r.deleted_at IS NULL", scope.sees(site: "sp.site_id"),
            "r.status IN ('pending', 'confirmed', 'completed')", "r.starts_at >= \(span.lowerBound)",
            "r.starts_at < \(span.upperBound)",
        ]
        if let wanted = feed.siteID { conditions.append("sp.site_id = \(wanted)") }
        if let wanted = feed.spaceID { conditions.append("r.space_id = \(wanted)") }
        return """
            SELECT r.id, r.starts_at, r.ends_at, r.status = 'pending' AS is_pending, r.holder_name, sp.name AS space,
                   si.name AS site, r.note, r.updated_at
              FROM reservations r
              JOIN spaces sp ON sp.tenant_id = r.tenant_id AND sp.id = r.space_id
              JOIN sites si ON si.tenant_id = sp.tenant_id AND si.id = sp.site_id
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY r.starts_at, r.id LIMIT \(Int64(limit))
            """
    }
}
