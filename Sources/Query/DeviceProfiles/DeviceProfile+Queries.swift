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

    /// Nobody else changes it, or gives it to a device, before this transaction ends.
    static func lock(_ id: UUID, in scope: TenantScope) -> Statement<DeviceProfile> {
        """
        SELECT \(columns) FROM device_profiles
         WHERE tenant_id = \(scope.tenantID) AND deleted_at IS NULL AND id = \(id) FOR NO KEY UPDATE
        """
    }

    /// Nobody deletes it before this transaction ends.
    static func hold(_ id: UUID, in tenant: TenantID) -> Statement<UUID> {
        "SELECT id FROM device_profiles WHERE tenant_id = \(tenant) AND deleted_at IS NULL AND id = \(id) FOR SHARE"
    }

    static func insert(_ new: DeviceProfileFields, into tenant: TenantID) -> Statement<DeviceProfile> {
        """
        INSERT INTO device_profiles (tenant_id, id, name, decoder, decoder_fields, occupied_field, expected_interval_s)
        VALUES (\(tenant), \(UUID.v7()), \(new.name), \(new.decoder.rawValue), \(new.decoderFields), \(new.occupiedField),
                \(new.expectedInterval))
        RETURNING \(columns)
        """
    }

    static func update(
        _ id: UUID, _ fields: DeviceProfileFields, in tenant: TenantID
    ) -> Statement<DeviceProfile> {
        """
        UPDATE device_profiles
           SET name = \(fields.name), decoder = \(fields.decoder.rawValue), decoder_fields = \(fields.decoderFields),
               occupied_field = \(fields.occupiedField), expected_interval_s = \(fields.expectedInterval), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        RETURNING \(columns)
        """
    }

    static func delete(_ id: UUID, in tenant: TenantID) -> Command {
        "UPDATE device_profiles SET deleted_at = now(), updated_at = now() WHERE tenant_id = \(tenant) AND id = \(id)"
    }

    static func isInUse(_ id: UUID, in tenant: TenantID) -> Statement<Bool> {
        """
        SELECT EXISTS (SELECT FROM devices WHERE tenant_id = \(tenant) AND profile_id = \(id) AND deleted_at IS NULL)
        """
    }

    /// The owner ids of its devices.
    static func devices(of id: UUID, in tenant: TenantID) -> Statement<Int32> {
        "SELECT owner_id FROM devices WHERE tenant_id = \(tenant) AND profile_id = \(id) AND deleted_at IS NULL"
    }
}
