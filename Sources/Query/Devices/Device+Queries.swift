import Foundation
import Postgres
import Shared

extension Device {
    struct Filter: Hashable, Sendable {
        var sites = References()
        var spaces = References()
        var profiles: [UUID] = []
    }

    private static let columns: Fragment = """
        d.id, d.device_eui, d.name, d.profile_id, \(site) AS site_id, d.space_id, d.metadata,
        st.newest_at AS last_seen_at, st.battery, st.rssi, st.snr, st.session, d.created_at, d.updated_at
        """

    private static let tables: Fragment = """
        devices d
          LEFT JOIN spaces sp ON sp.tenant_id = d.tenant_id AND sp.id = d.space_id
          LEFT JOIN device_states st ON st.tenant_id = d.tenant_id AND st.owner_id = d.owner_id
        """

    /// In the order of creation.
    static func page(_ filter: Filter, after: UUID?, limit: Int, in scope: TenantScope) -> Statement<Device> {
        let tenant = scope.tenantID
        var conditions = [visible(in: scope)]
        if !filter.sites.isEmpty {
            conditions.append("\(site) IN (SELECT id FROM sites WHERE \(filter.sites.matchSite(of: tenant)))")
        }
        if !filter.spaces.isEmpty { conditions.append(filter.spaces.match(id: "sp.id", code: "sp.code")) }
        if !filter.profiles.isEmpty { conditions.append("d.profile_id = ANY (\(filter.profiles))") }
        if let after { conditions.append("d.id > \(after)") }
        return """
            SELECT \(columns) FROM \(tables)
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY d.id LIMIT \(Int64(limit))
            """
    }

    static func find(_ eui: DeviceEUI, in scope: TenantScope) -> Statement<Device> {
        "SELECT \(columns) FROM \(tables) WHERE \(visible(in: scope)) AND d.device_eui = \(eui.description)"
    }

    /// Nobody else changes it before this transaction ends.
    static func lock(_ eui: DeviceEUI, in scope: TenantScope) -> Statement<UUID> {
        """
        SELECT d.id FROM devices d LEFT JOIN spaces sp ON sp.tenant_id = d.tenant_id AND sp.id = d.space_id
         WHERE \(visible(in: scope)) AND d.device_eui = \(eui.description) FOR NO KEY UPDATE OF d
        """
    }

    static func update(
        _ id: UUID, _ fields: DeviceFields, _ placement: DevicePlacement, in tenant: TenantID
    ) -> Statement<Int32> {
        """
        UPDATE devices
           SET name = \(fields.name), profile_id = \(placement.profileID), site_id = \(placement.siteID),
               space_id = \(placement.spaceID), metadata = \(fields.metadata), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        RETURNING owner_id
        """
    }

    static func delete(_ id: UUID, in tenant: TenantID) -> Command {
        "UPDATE devices SET deleted_at = now(), updated_at = now() WHERE tenant_id = \(tenant) AND id = \(id)"
    }

    static func visible(in scope: TenantScope) -> Fragment {
        "d.tenant_id = \(scope.tenantID) AND d.deleted_at IS NULL AND \(scope.sees(site: site))"
    }
}
