import Foundation
import Postgres
import Shared

/// What the database says of those who hold tokens, believed for a few seconds: whether the tenant is active, the
/// session goes on and the membership exists, with its role and sites. So a removal takes effect within the caches'
/// time to live.
struct AccessDirectory: Sendable {
    struct Membership: RowDecodable {
        let email: String
        let role: String
        let scopes: Set<Scope>
        let siteIDs: [UUID]
        let passwordChangeRequired: Bool
        let sessionBegunAt: Timestamp

        init(_ row: Row) throws {
            email = try row["email"]
            role = try row["role"]
            scopes = Scope.held(by: role, own: try row["own_scopes"])
            siteIDs = try row["site_ids"]
            passwordChangeRequired = try row["password_change_required"]
            sessionBegunAt = try row["created_at"]
        }

        /// Nothing once the session has ended.
        static func find(_ key: SessionKey) -> Statement<Membership> {
            """
            SELECT u.email, m.role, r.scopes AS own_scopes, m.site_ids, u.password_change_required, s.created_at
              FROM sessions s JOIN memberships m ON m.tenant_id = s.tenant_id AND m.user_id = s.user_id
              JOIN users u ON u.id = s.user_id
              LEFT JOIN roles r ON r.tenant_id = m.tenant_id AND r.name = m.own_role
             WHERE s.tenant_id = \(key.tenant) AND s.id = \(key.session) AND s.user_id = \(key.user)
               AND s.ended_at IS NULL AND s.created_at >= u.sessions_valid_from
            """
        }
    }

    struct SessionKey: Hashable, Sendable {
        let tenant: TenantID
        let user: UUID
        let session: UUID
    }

    private let tenants: LookupCache<UUID, Tenant?>
    private let memberships: LookupCache<SessionKey, Membership?>
    private let serviceKeys: LookupCache<PresentedKey, KnownKey?>

    init(database: Database, timeToLive: Duration = .seconds(4)) {
        tenants = LookupCache(capacity: 10_000, timeToLive: timeToLive, servesStale: false) { uuid in
            let tenant = try await database.lookUp(Tenant.byUUID(uuid)).first
            return (tenant, tag: tenant?.id)
        }
        serviceKeys = LookupCache(capacity: 10_000, timeToLive: timeToLive, servesStale: false) { key in
            guard let tenant = try await database.lookUp(Tenant.bySlug(key.tenantSlug)).first else { return (nil, nil) }
            guard tenant.isActive else { return (nil, tenant.id) }
            let found = try await database.withTenant(tenant) { tx in
                try await tx.first(KnownKey.Row.use(key, in: tenant.id))
            }
            return (found.map { KnownKey(tenant: tenant, row: $0) }, tag: tenant.id)
        }
        memberships = LookupCache(capacity: 50_000, timeToLive: timeToLive, servesStale: false) { key in
            let scope = TenantScope(key.tenant)
            return (try await database.read(scope, Membership.find(key)).first, tag: key.tenant)
        }
    }

    /// Nil for an unknown or deactivated tenant.
    func tenant(_ uuid: UUID) async throws -> Tenant? {
        guard let tenant = try await tenants.value(for: uuid), tenant.isActive else { return nil }
        return tenant
    }

    func membership(_ key: SessionKey) async throws -> Membership? {
        try await memberships.value(for: key)
    }

    /// Nil for one that nobody issued, was revoked or has expired.
    func serviceKey(_ key: ServiceKey) async throws -> KnownKey? {
        let known = try await serviceKeys.value(for: PresentedKey(tenantSlug: key.tenantSlug, sha256: key.sha256))
        guard let known, known.row.expiresAt.map({ $0 > .now() }) ?? true else { return nil }
        return known
    }

    /// The database told of a change.
    func invalidate(_ tenant: TenantID) {
        tenants.invalidate(tag: tenant)
        memberships.invalidate(tag: tenant)
        serviceKeys.invalidate(tag: tenant)
    }

    func invalidateAll() {
        tenants.invalidateAll()
        memberships.invalidateAll()
        serviceKeys.invalidateAll()
    }
}
