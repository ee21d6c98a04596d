import Foundation
import Postgres
import Shared

/// A tenant with everything it needs to begin, made in one transaction.
struct Onboarding: Sendable {
    let slug: Slug
    let name: String
    let plan: Plan
    let storeCodes: [Code]
    let timezone: String
    let email: String
    let userName: String
    let password: String
    let integration: NewIntegration?

    /// - Throws: `Refusal` for what can be seen to be wrong before anything is written.
    init(
        slug: String, name: String, plan: Plan, stores: Int, timezone: String, email: String, userName: String,
        password: String?, integration: NewIntegration?
    ) throws {
        guard let slug = Slug(slug) else {
            throw Refusal(.data, "a slug has 2 to 49 characters a-z, 0-9 and -, and begins with no -")
        }
        guard (0...Int(plan.maxStores)).contains(stores) else {
            throw Refusal(.conflict, "the plan \(plan.rawValue) has 0 to \(plan.maxStores) stores, not \(stores)")
        }
        guard TimeZone(identifier: timezone) != nil else {
            throw Refusal(.data, "\(timezone) is no IANA time zone")
        }
        if let fault = password.flatMap({ PasswordPolicy.fault(of: $0) }) {
            throw Refusal(.data, fault.detail)
        }
        self.slug = slug
        self.name = name
        self.plan = plan
        self.timezone = timezone
        self.email = email.lowercased()
        self.userName = userName
        self.password = password ?? Base62.random(20)
        self.integration = integration
        storeCodes = Self.codes(stores)
    }

    /// T01, T02, … T99; as many digits as the last one needs.
    static func codes(_ count: Int) -> [Code] {
        let width = max(2, String(count).count)
        return (0..<count).compactMap { position in
            let number = String(position + 1)
            return Code("T" + String(repeating: "0", count: width - number.count) + number)
        }
    }

    /// - Throws: `Refusal`; nothing was written then.
    func run(in system: SystemDatabase, secretBox: SecretBox?) async throws -> OnboardingReport {
        // Hashing takes long on purpose: not while holding a transaction.
        let passwordHash = try await PasswordHasher(threads: 1).hash(password)
        do {
            return try await system.database.pool.transaction { transaction in
                guard let tenant = try await transaction.first(insertTenant()) else {
                    throw Refusal(.failed, "the tenant was not made")
                }
                try await transaction.set([tenant.id.setting])
                let isNewUser = try await insertUser(passwordHash, tenant, in: transaction)
                let stores = try await insertStores(tenant, in: transaction)
                let issued: IssuedIntegration? =
                    if let integration, let secretBox {
                        try await integration.create(in: transaction, tenant: tenant.id, secretBox: secretBox)
                    } else {
                        nil
                    }
                try await SystemAudit.append(
                    [audit(tenant, stores: stores.count)], tenant: tenant.id, in: transaction)
                return OnboardingReport(
                    tenant: .init(uuid: tenant.uuid.lowercaseString, slug: tenant.slug),
                    user: .init(email: email, password: isNewUser ? password : nil), stores: stores,
                    integration: issued)
            }
        } catch {
            throw Refusal(error) ?? error
        }
    }

    private func audit(_ tenant: Tenant, stores: Int) -> SystemAudit {
        SystemAudit(
            action: "tenant.onboarded", resourceType: "tenant", resourceID: tenant.uuid.lowercaseString,
            after: [
                "slug": slug.rawValue, "name": name, "plan": plan.rawValue, "stores": String(stores), "owner": email,
            ])
    }
}

extension Onboarding {
    private func insertTenant() -> Statement<Tenant> {
        """
        INSERT INTO tenants (uuid, slug, name, plan, max_stores)
        VALUES (\(UUID.v7()), \(slug.rawValue), \(name), \(plan.rawValue), \(plan.maxStores))
        RETURNING id, uuid, slug, plan, is_active
        """
    }

    /// The person, unless they are known, and the membership.
    /// - Returns: whether the person is new.
    private func insertUser(
        _ passwordHash: String, _ tenant: Tenant, in transaction: PostgresTransaction
    ) async throws -> Bool {
        let made = try await transaction.run(
            """
            INSERT INTO users (id, email, name, password_hash)
            VALUES (\(UUID.v7()), \(email), \(userName), \(passwordHash))
            ON CONFLICT (email) DO NOTHING
            """)
        try await transaction.run(
            """
            INSERT INTO memberships (tenant_id, user_id, role)
            SELECT \(tenant.id), id, \(Role.owner.rawValue) FROM users WHERE email = \(email)
            """)
        return made == 1
    }

    private func insertStores(
        _ tenant: Tenant, in transaction: PostgresTransaction
    ) async throws -> [OnboardingReport.StorePart] {
        guard !storeCodes.isEmpty else { return [] }
        let ids = storeCodes.map { _ in UUID.v7() }
        try await transaction.run(
            """
            INSERT INTO sites (tenant_id, id, code, name, kind, timezone)
            SELECT \(tenant.id), w.id, w.code, 'Store ' || w.code, 'store', \(timezone)
              FROM unnest(\(ids), \(storeCodes.map(\.rawValue))) AS w (id, code)
            """)
        let keys = storeCodes.map { StoreKey.make(tenant: slug, store: $0) }
        let new = zip(ids, keys).map { NewStoreKey(siteID: $0, name: "Gateway", key: $1) }
        try await transaction.run(NewStoreKey.insert(new, tenant: tenant.id))
        return zip(storeCodes, zip(ids, keys)).map { code, made in
            OnboardingReport.StorePart(code: code.rawValue, id: made.0.lowercaseString, key: made.1.secret)
        }
    }
}
