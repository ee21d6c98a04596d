import Foundation
import Postgres
import Shared

extension Reservation {
    struct Filter: Hashable, Sendable {
        var spaces = References()
        var sites = References()
        var statuses: [Status] = []
        /// Those that touch it.
        var span: Range<Timestamp>?
    }

    /// Where one stands in a list: by its start.
    struct Position: Hashable, Sendable, Codable {
        /// Microseconds since the Unix epoch.
        let startsAt: Int64
        let id: UUID
    }

    var position: Position { Position(startsAt: startsAt.microseconds, id: id) }

    private static let columns: Fragment = """
        r.id, r.space_id, sp.site_id, r.starts_at, r.ends_at, r.status, r.holder_user_id, r.holder_name, r.holder_email,
        r.holder_phone, r.note, r.request_id, r.expires_at, r.checked_in_at, r.created_at, r.updated_at
        """

    private static let tables: Fragment = """
        reservations r JOIN spaces sp ON sp.tenant_id = r.tenant_id AND sp.id = r.space_id
        """

    /// In the order of their starts.
    static func page(_ filter: Filter, after: Position?, limit: Int, in scope: TenantScope) -> Statement<Reservation> {
        let tenant = scope.tenantID
        var conditions = [visible(in: scope)]
        if !filter.spaces.isEmpty {
            let matches = filter.spaces.match(id: "id", code: "code")
            conditions.append(
                "r.space_id = ANY (ARRAY(SELECT id FROM spaces WHERE tenant_id = \(tenant) AND \(matches)))")
        }
        if !filter.sites.isEmpty {
            conditions.append(
                "sp.site_id = ANY (ARRAY(SELECT id FROM sites WHERE \(filter.sites.matchSite(of: tenant))))")
        }
        if !filter.statuses.isEmpty { conditions.append("r.status = ANY (\(filter.statuses.map(\.rawValue)))") }
        if let span = filter.span { conditions.append(touches(span)) }
        if let after {
            let at = Timestamp(microseconds: after.startsAt)
            conditions.append("(r.starts_at, r.id) > (\(at), \(after.id))")
        }
        return """
            SELECT \(columns) FROM \(tables)
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY r.starts_at, r.id LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in scope: TenantScope) -> Statement<Reservation> {
        "SELECT \(columns) FROM \(tables) WHERE \(visible(in: scope)) AND r.id = \(id)"
    }

    static func all(_ ids: [UUID], in tenant: TenantID) -> Statement<Reservation> {
        "SELECT \(columns) FROM \(tables) WHERE r.tenant_id = \(tenant) AND r.id = ANY (\(ids)) ORDER BY r.id"
    }

    /// Nobody else changes it before this transaction ends.
    static func lock(_ id: UUID, in scope: TenantScope) -> Statement<Reservation> {
        "SELECT \(columns) FROM \(tables) WHERE \(visible(in: scope)) AND r.id = \(id) FOR NO KEY UPDATE OF r"
    }

    /// Nothing where somebody else holds the place.
    static func insert(
        _ id: UUID, _ new: ReservationFields, for holder: Holder, key: String?, expiresAt: Timestamp?,
        into tenant: TenantID
    ) -> Command {
        """
        INSERT INTO reservations (tenant_id, id, space_id, starts_at, ends_at, status, holder_user_id, holder_name, holder_email,
                                  holder_phone, note, request_id, expires_at)
        VALUES (\(tenant), \(id), \(new.spaceID), \(new.startsAt), \(new.endsAt), \(new.status.rawValue), \(holder.userID),
                \(holder.name), \(holder.email), \(holder.phone), \(new.note), \(key), \(expiresAt))
        ON CONFLICT DO NOTHING
        """
    }

    static func update(
        _ id: UUID, _ fields: ReservationFields, for holder: Holder, in tenant: TenantID
    ) -> Command {
        """
        UPDATE reservations
           SET space_id = \(fields.spaceID), starts_at = \(fields.startsAt), ends_at = \(fields.endsAt),
               holder_user_id = \(holder.userID), holder_name = \(holder.name), holder_email = \(holder.email),
               holder_phone = \(holder.phone), note = \(fields.note), updated_at = now(),
               checked_in_at = CASE WHEN starts_at = \(fields.startsAt) THEN checked_in_at END
         WHERE tenant_id = \(tenant) AND id = \(id)
        """
    }

    /// What became of it by a step.
    func settle(in tenant: TenantID) -> Command {
        """
        UPDATE reservations
           SET status = \(status.rawValue), checked_in_at = \(checkedInAt), updated_at = now(),
               expires_at = NULL
         WHERE tenant_id = \(tenant) AND id = \(id)
        """
    }

    static func delete(_ id: UUID, in tenant: TenantID) -> Command {
        """
        UPDATE reservations
           SET deleted_at = now(), updated_at = now(), expires_at = NULL,
               status = CASE WHEN status IN ('pending', 'confirmed') THEN 'cancelled' ELSE status END
         WHERE tenant_id = \(tenant) AND id = \(id)
        """
    }

    /// Pending ones of a space that nobody confirmed in time, locked.
    static func expired(of space: UUID, at now: Timestamp, in tenant: TenantID) -> Statement<Reservation> {
        """
        SELECT \(columns) FROM \(tables)
         WHERE r.tenant_id = \(tenant) AND r.space_id = \(space) AND r.deleted_at IS NULL AND r.status = 'pending' AND r.expires_at <= \(now)
         ORDER BY r.id FOR NO KEY UPDATE OF r
        """
    }

    /// Those of these spaces that have not ended, locked.
    static func open(of spaces: [UUID], in tenant: TenantID) -> Statement<Reservation> {
        """
        SELECT \(columns) FROM \(tables)
         WHERE r.tenant_id = \(tenant) AND r.space_id = ANY (\(spaces)) AND r.deleted_at IS NULL AND r.status IN ('pending', 'confirmed')
           AND r.ends_at > now()
         ORDER BY r.id FOR NO KEY UPDATE OF r
        """
    }

    /// The condition for a row `r` that holds a place in this span.
    static func holdsPlace(in span: Range<Timestamp>, of tenant: TenantID) -> Fragment {
        """
        r.tenant_id = \(tenant) AND r.deleted_at IS NULL AND r.status IN ('pending', 'confirmed') AND \(touches(span))
             AND (r.expires_at IS NULL OR r.expires_at > now())
        """
    }

    /// By the start, which an index knows: none is longer than 30 days.
    private static func touches(_ span: Range<Timestamp>) -> Fragment {
        """
        r.starts_at < \(span.upperBound) AND r.starts_at > \(span.lowerBound.adding(seconds: -longest))
             AND r.ends_at > \(span.lowerBound)
        """
    }

    private static func visible(in scope: TenantScope) -> Fragment {
        "r.tenant_id = \(scope.tenantID) AND r.deleted_at IS NULL AND \(scope.sees(site: "sp.site_id"))"
    }
}
