import Foundation
import Postgres
import Shared

extension DeviceProfile {
    private static let columns: Fragment = """
        id, name, decoder, decoder_fields, occupied_field, expected_interval_s, created_at, updated_at
        """

    /// In the order of creation.
    static func page(after: UUID?, limit: Int, in scope: TenantScope) -> Statement<DeviceProfile> {
        let beyond: Fragment = if let after { "id > \(after)" } else { "true" }
        return """
            SELECT \(columns) FROM device_profiles
             WHERE tenant_id = \(scope.tenantID) AND deleted_at IS NULL AND \(beyond)
             ORDER BY id LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in scope: TenantScope) -> Statement<DeviceProfile> {
        """
        SELECT \(columns) FROM device_profiles
         WHERE tenant_id = \(scope.tenantID) AND deleted_at IS NULL AND id = \(id)
        """
    }
}
