import Foundation
import Logging
import Postgres
import Shared

/// A source of uplinks, with its secrets opened.
struct Integration: Sendable, TenantScoped {
    struct Secret: Sendable {
        let material: SecretMaterial
        let expiresAt: Timestamp?
    }

    let id: UUID
    let tenant: Tenant
    let dialect: String
    let authentication: WebhookAuthentication
    let isActive: Bool
    let secrets: [Secret]

    var tenantID: TenantID { tenant.id }

    /// Those that count at a moment; none at all refuses everything.
    func activeSecrets(at now: Timestamp) -> [SecretMaterial] {
        secrets.filter { $0.expiresAt.map { $0 > now } ?? true }.map(\.material)
    }
}

/// Knows integrations by the id in their webhook's path.
struct IntegrationDirectory: Sendable {
    private struct IntegrationRow: RowDecodable {
        let dialect: String
        let auth: String
        let headerName: String?
        let username: String?
        let isActive: Bool

        init(_ row: Row) throws {
            dialect = try row["dialect"]
            auth = try row["auth"]
            headerName = try row["header_name"]
            username = try row["username"]
            isActive = try row["is_active"]
        }
    }

    private struct SecretRow: RowDecodable {
        let id: UUID
        let masterKeyID: String
        let sealed: [UInt8]
        let expiresAt: Timestamp?

        init(_ row: Row) throws {
            id = try row["id"]
            masterKeyID = try row["master_key_id"]
            sealed = try row["sealed"]
            expiresAt = try row["expires_at"]
        }
    }

    private let cache: LookupCache<UUID, Integration?>

    init(
        database: Database, secretBox: SecretBox, logger: Logger, capacity: Int = 50_000,
        isAway: @escaping @Sendable () -> Bool = { false }
    ) {
        cache = LookupCache(capacity: capacity, isAway: isAway) { id in
            guard let tenant = try await database.lookUp(Tenant.byIntegration(id)).first else { return (nil, nil) }
            guard tenant.isActive else { return (nil, tenant.id) }
            let (integration, secrets) = try await database.withTenant(tenant) { tx in
                (try await tx.first(Self.integration(id, tenant.id)), try await tx.all(Self.secrets(id, tenant.id)))
            }
            guard let row = integration,
                let authentication = WebhookAuthentication(
                    auth: row.auth, headerName: row.headerName, username: row.username)
            else { return (nil, tenant.id) }
            let opened = secrets.compactMap { secret -> Integration.Secret? in
                do {
                    let plaintext = try secretBox.open(
                        secret.sealed, keyID: secret.masterKeyID, context: SecretTable.integrations.context(secret.id))
                    return SecretMaterial(shown: plaintext, for: authentication)
                        .map { Integration.Secret(material: $0, expiresAt: secret.expiresAt) }
                } catch {
                    // Fail closed, and say so: a master key is missing or not the one that sealed it.
                    logger.error("secret can't be opened", metadata: ["secret_id": "\(secret.id)"])
                    return nil
                }
            }
            let found = Integration(
                id: id, tenant: tenant, dialect: row.dialect, authentication: authentication, isActive: row.isActive,
                secrets: opened)
            return (found, tenant.id)
        }
    }

    func integration(_ id: UUID) async throws -> Integration? {
        try await cache.value(for: id)
    }

    func invalidate(_ tenant: TenantID) { cache.invalidate(tag: tenant) }
    func invalidateAll() { cache.invalidateAll() }

    private static func integration(_ id: UUID, _ tenant: TenantID) -> Statement<IntegrationRow> {
        """
        SELECT dialect, auth, header_name, username, is_active FROM integrations
         WHERE tenant_id = \(tenant) AND id = \(id) AND deleted_at IS NULL
        """
    }

    private static func secrets(_ id: UUID, _ tenant: TenantID) -> Statement<SecretRow> {
        """
        SELECT id, master_key_id, sealed, expires_at FROM integration_secrets
         WHERE tenant_id = \(tenant) AND integration_id = \(id) AND revoked_at IS NULL
           AND (expires_at IS NULL OR expires_at > now())
         ORDER BY created_at DESC
        """
    }
}
