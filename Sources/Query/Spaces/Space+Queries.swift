import Foundation
import Postgres
import Shared

extension Space {
    struct Filter: Hashable, Sendable {
        var sites = References()
        var kinds: [Kind] = []
        var states: [State] = []
        /// Those that can be booked for this span.
        var free: Range<Timestamp>?
    }

    private static let columns: Fragment = """
        v.id, v.site_id, v.code, v.name, v.kind, v.floor, v.capacity, v.is_bookable, v.opening_hours, v.metadata,
        v.state, v.state_since, v.device_eui, v.created_at, v.updated_at
        """

    /// In the order of creation.
    static func page(_ filter: Filter, after: UUID?, limit: Int, in scope: TenantScope) -> Statement<Space> {
        var conditions = [visible(in: scope)]
        if !filter.sites.isEmpty {
            // Of one site by its index, in the order that is asked for.
            let wanted: Fragment = "SELECT id FROM sites WHERE \(filter.sites.matchSite(of: scope.tenantID))"
            conditions.append(filter.sites.isOne ? "v.site_id = (\(wanted))" : "v.site_id = ANY (ARRAY(\(wanted)))")
        }
        if !filter.kinds.isEmpty { conditions.append("v.kind = ANY (\(filter.kinds.map(\.rawValue)))") }
        if !filter.states.isEmpty { conditions.append("v.state = ANY (\(filter.states.map(\.rawValue)))") }
        if let free = filter.free { conditions.append(isFree(free, in: scope)) }
        if let after { conditions.append("v.id > \(after)") }
        return """
            SELECT \(columns) FROM v_spaces v
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY v.id LIMIT \(Int64(limit))
            """
    }

    private static func isFree(_ span: Range<Timestamp>, in scope: TenantScope) -> Fragment {
        """
        v.is_bookable AND admits_stay(v.opening_hours, v.timezone, \(span.lowerBound), \(span.upperBound))
             AND NOT EXISTS (SELECT FROM reservations r
                              WHERE r.space_id = v.id AND \(Reservation.holdsPlace(in: span, of: scope.tenantID)))
        """
    }

    static func find(_ id: UUID, in scope: TenantScope) -> Statement<Space> {
        "SELECT \(columns) FROM v_spaces v WHERE \(visible(in: scope)) AND v.id = \(id)"
    }

    static func all(_ ids: [UUID], in scope: TenantScope) -> Statement<Space> {
        "SELECT \(columns) FROM v_spaces v WHERE \(visible(in: scope)) AND v.id = ANY (\(ids)) ORDER BY v.id"
    }

    private static func visible(in scope: TenantScope) -> Fragment {
        "v.tenant_id = \(scope.tenantID) AND \(scope.sees(site: "v.site_id"))"
    }
}

/// Of the table itself.
extension Space {
    /// Nobody else changes it, books it or puts a device into it before this transaction ends.
    static func lock(_ id: UUID, in scope: TenantScope) -> Statement<UUID> {
        "SELECT sp.id FROM spaces sp WHERE \(ownVisible(in: scope)) AND sp.id = \(id) FOR NO KEY UPDATE"
    }

    /// The same for all of a site.
    static func lock(of site: UUID, in scope: TenantScope) -> Statement<UUID> {
        """
        SELECT sp.id FROM spaces sp WHERE \(ownVisible(in: scope)) AND sp.site_id = \(site)
         ORDER BY sp.id FOR NO KEY UPDATE
        """
    }

    /// Whether it lies in a site of this member's, deleted or not.
    static func isOrWasSeen(_ id: UUID, in scope: TenantScope) -> Statement<Bool> {
        """
        SELECT EXISTS (SELECT FROM spaces sp
                        WHERE sp.tenant_id = \(scope.tenantID) AND \(scope.sees(site: "sp.site_id")) AND sp.id = \(id))
        """
    }

    /// Nobody deletes it before this transaction ends. Answers its site.
    static func hold(_ id: UUID, in scope: TenantScope) -> Statement<UUID> {
        "SELECT sp.site_id FROM spaces sp WHERE \(ownVisible(in: scope)) AND sp.id = \(id) FOR SHARE"
    }

    static func insert(_ id: UUID, _ new: SpaceFields, into tenant: TenantID) -> Command {
        """
        INSERT INTO spaces (tenant_id, id, site_id, code, name, kind, floor, capacity, is_bookable, opening_hours, metadata)
        VALUES (\(tenant), \(id), \(new.siteID), \(new.code), \(new.name), \(new.kind.rawValue), \(new.floor), \(new.capacity),
                \(new.isBookable), \(new.openingHours), \(new.metadata))
        """
    }

    static func update(_ id: UUID, _ fields: SpaceFields, in tenant: TenantID) -> Command {
        """
        UPDATE spaces
           SET site_id = \(fields.siteID), code = \(fields.code), name = \(fields.name), kind = \(fields.kind.rawValue),
               floor = \(fields.floor), capacity = \(fields.capacity), is_bookable = \(fields.isBookable),
               opening_hours = \(fields.openingHours), metadata = \(fields.metadata), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        """
    }

    /// Its device stays in the site.
    static func delete(_ id: UUID, in tenant: TenantID) -> [Command] {
        [
            """
            UPDATE devices d SET site_id = sp.site_id, space_id = NULL, updated_at = now()
              FROM spaces sp
             WHERE d.tenant_id = \(tenant) AND d.space_id = \(id) AND d.deleted_at IS NULL
               AND sp.tenant_id = \(tenant) AND sp.id = \(id)
            """,
            "UPDATE spaces SET deleted_at = now(), updated_at = now() WHERE tenant_id = \(tenant) AND id = \(id)",
        ]
    }

    private static func ownVisible(in scope: TenantScope) -> Fragment {
        "sp.tenant_id = \(scope.tenantID) AND sp.deleted_at IS NULL AND \(scope.sees(site: "sp.site_id"))"
    }
}
