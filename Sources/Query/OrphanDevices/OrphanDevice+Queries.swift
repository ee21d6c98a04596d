import Foundation
import Postgres
import Shared

extension OrphanDevice {
    private static let columns: Fragment = """
        id, device_eui, first_seen_at, last_seen_at, uplink_count, last_payload, last_rssi, last_snr, integration_id
        """

    /// In the order of first appearance, without those that were told to be ignored. Orphans stand at no site, so a
    /// member limited to sites sees them all.
    static func page(after: UUID?, limit: Int, in scope: TenantScope) -> Statement<OrphanDevice> {
        let beyond: Fragment = if let after { "id > \(after)" } else { "true" }
        return """
            SELECT \(columns) FROM orphan_devices
             WHERE tenant_id = \(scope.tenantID) AND ignored_at IS NULL AND \(beyond)
             ORDER BY id LIMIT \(Int64(limit))
            """
    }

    static func find(_ eui: DeviceEUI, in scope: TenantScope) -> Statement<OrphanDevice> {
        """
        SELECT \(columns) FROM orphan_devices
         WHERE tenant_id = \(scope.tenantID) AND ignored_at IS NULL AND device_eui = \(eui.description)
        """
    }
}
