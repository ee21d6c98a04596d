import Foundation
import Postgres
import Shared

extension OrphanDevice {
    private static let columns: Fragment = """
        id, device_eui, first_seen_at, last_seen_at, uplink_count, last_payload, last_rssi, last_snr, integration_id
        """

    /// In the order of first appearance. Orphans stand at no site, so a member limited to sites sees them all.
    ///
    /// - Parameter ignored: those that were told to be ignored, instead of the others.
    static func page(ignored: Bool, after: UUID?, limit: Int, in scope: TenantScope) -> Statement<OrphanDevice> {
        let beyond: Fragment = if let after { "id > \(after)" } else { "true" }
        return """
            SELECT \(columns) FROM orphan_devices
             WHERE tenant_id = \(scope.tenantID) AND (ignored_at IS NOT NULL) = \(ignored) AND \(beyond)
             ORDER BY id LIMIT \(Int64(limit))
            """
    }

    /// Whether ingest goes on keeping what it says.
    static func ignore(_ eui: DeviceEUI, _ ignored: Bool, in tenant: TenantID) -> Statement<OrphanDevice> {
        """
        UPDATE orphan_devices SET ignored_at = CASE WHEN \(ignored) THEN coalesce(ignored_at, now()) END
         WHERE tenant_id = \(tenant) AND device_eui = \(eui.description)
        RETURNING \(columns)
        """
    }

    static func find(_ eui: DeviceEUI, in scope: TenantScope) -> Statement<OrphanDevice> {
        """
        SELECT \(columns) FROM orphan_devices
         WHERE tenant_id = \(scope.tenantID) AND ignored_at IS NULL AND device_eui = \(eui.description)
        """
    }

    /// Ignored or not.
    static func exists(_ eui: DeviceEUI, in tenant: TenantID) -> Statement<Bool> {
        """
        SELECT EXISTS (SELECT FROM orphan_devices WHERE tenant_id = \(tenant) AND device_eui = \(eui.description))
        """
    }
}
