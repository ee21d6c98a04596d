import Foundation
import Postgres
import Shared

extension Reading {
    /// Newest first, within a half-open span. One statement also tells a device without readings (one empty row) from
    /// one that doesn't exist (no row).
    static func page(
        of eui: DeviceEUI, _ span: Range<Timestamp>, before: Position?, limit: Int, in scope: TenantScope
    ) -> Statement<ReadingRow> {
        var beforeThat: Fragment = "true"
        if let before {
            let at = Timestamp(microseconds: before.at)
            beforeThat = "(u.received_at, u.epoch, u.fcnt) < (\(at), \(before.epoch), \(before.fcnt))"
        }
        return """
            SELECT r.* FROM devices d
              LEFT JOIN spaces sp ON sp.tenant_id = d.tenant_id AND sp.id = d.space_id
              LEFT JOIN LATERAL (
                  SELECT u.received_at, u.epoch, u.fcnt, u.f_port, u.rssi, u.snr, u.gateway_id, u.payload, u.data
                    FROM uplinks u
                   WHERE u.tenant_id = \(scope.tenantID) AND u.owner_id = d.owner_id
                     AND u.received_at >= \(span.lowerBound) AND u.received_at < \(span.upperBound) AND \(beforeThat)
                   ORDER BY u.received_at DESC, u.epoch DESC, u.fcnt DESC LIMIT \(Int64(limit))) r ON true
             WHERE \(Device.visible(in: scope)) AND d.device_eui = \(eui.description)
             ORDER BY r.received_at DESC, r.epoch DESC, r.fcnt DESC
            """
    }
}
