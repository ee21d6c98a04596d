import Foundation
import Postgres
import Shared

/// Makes the demo tenant, or finds it again: what is there stays, and what its files lost is issued anew.
struct DemoSetup: Sendable {
    let directory: DemoDirectory
    let ingestURL: String
    let queryURL: String
    let secretBox: SecretBox

    /// What the files hold besides URLs and devices.
    struct Credentials: Sendable {
        let password: String
        let storeKeys: [FeedFile.Store]
        let integration: DemoFile.IntegrationPart
    }

    /// - Returns: whether the tenant is new.
    func run(in system: SystemDatabase) async throws -> Bool {
        let found = try await system.database.lookUp(Tenant.named(DemoPlaces.tenant)).first
        let credentials: Credentials
        if let found {
            let kept = try await kept(of: found, in: system.database)
            credentials =
                if let kept { kept } else { try await reissued(of: found, in: system.database) }
        } else {
            credentials = try await onboarded(in: system)
        }
        let tenant = try await system.tenant(DemoPlaces.tenant)
        try await DemoFurniture(database: system.database, tenant: tenant).place()
        try await DemoGoods(database: system.database, tenant: tenant).place()
        try write(credentials)
        return found == nil
    }

    private func onboarded(in system: SystemDatabase) async throws -> Credentials {
        let onboarding = try Onboarding(
            slug: DemoPlaces.tenant, name: "Demo company", plan: .enterprise, stores: DemoPlaces.storeCount,
            timezone: DemoPlaces.timezone, email: DemoPlaces.email, userName: "Demo Owner", password: nil,
            integration: NewIntegration(name: "Demo network server", dialect: .generic, auth: .hmac))
        let report = try await onboarding.run(in: system, secretBox: secretBox)
        guard let integration = report.integration else { throw Refusal(.failed, "no integration was made") }
        // An owner left over from a demo whose tenant was renamed has a password that nobody knows.
        let password =
            if let password = report.user.password {
                password
            } else {
                try await resetPassword(of: system.tenant(DemoPlaces.tenant), in: system.database)
            }
        return Credentials(
            password: password, storeKeys: report.stores.map { .init(code: $0.code, key: $0.key) },
            integration: .init(id: integration.id, secret: integration.secret))
    }

    /// Those of the files, if they are whole and this database knows them.
    private func kept(of tenant: Tenant, in database: Database) async throws -> Credentials? {
        guard let demo = try directory.demo(), let feed = try directory.feed(),
            let integration = UUID(uuidString: demo.integration.id)
        else { return nil }
        let hashes = (feed.stores.map(\.key) + [demo.storeAPIKey]).compactMap { StoreKey(parsing: $0)?.sha256 }
        let known = try await database.read(
            tenant,
            """
            SELECT (SELECT count(*) FROM api_keys
                     WHERE tenant_id = \(tenant.id) AND sha256 = ANY (\(hashes)) AND revoked_at IS NULL
                       AND (expires_at IS NULL OR expires_at > now()))
                 + (SELECT count(*) FROM integrations
                     WHERE tenant_id = \(tenant.id) AND id = \(integration) AND deleted_at IS NULL AND is_active)
            """ as Statement<Int64>)
        guard feed.stores.count == DemoPlaces.storeCount, known == [Int64(Set(hashes).count + 1)] else { return nil }
        return Credentials(password: demo.password, storeKeys: feed.stores, integration: demo.integration)
    }

    /// Keys, secret and password anew: the old ones can't be read from the database.
    private func reissued(of tenant: Tenant, in database: Database) async throws -> Credentials {
        let password = try await resetPassword(of: tenant, in: database)
        let keys = StoreKeys(database: database, tenant: tenant)
        var stores: [FeedFile.Store] = []
        for code in Onboarding.codes(DemoPlaces.storeCount) {
            let issued = try await keys.rotate(store: code.rawValue, overlapSeconds: 0)
            stores.append(.init(code: issued.store, key: issued.key))
        }
        let integrations = Integrations(database: database, tenant: tenant)
        let issued: IssuedIntegration
        if let present = try await integrations.list().first(where: { $0.dialect == "generic" && $0.auth == "hmac" }),
            let id = UUID(uuidString: present.id)
        {
            issued = try await integrations.rotate(id, overlapSeconds: 0, ingestURL: ingestURL, secretBox: secretBox)
        } else {
            let new = NewIntegration(name: "Demo network server", dialect: .generic, auth: .hmac)
            issued = try await integrations.create(new, secretBox: secretBox)
        }
        return Credentials(
            password: password, storeKeys: stores, integration: .init(id: issued.id, secret: issued.secret))
    }

    private func resetPassword(of tenant: Tenant, in database: Database) async throws -> String {
        let password = Base62.random(20)
        let hash = try await PasswordHasher(threads: 1).hash(password)
        try await database.withTenant(tenant) { tx in
            let id: UUID? = try await tx.first(
                """
                UPDATE users SET password_hash = \(hash), updated_at = now() WHERE email = \(DemoPlaces.email)
                RETURNING id
                """)
            guard let id else { throw Refusal(.conflict, "there is no user \(DemoPlaces.email)") }
            try await tx.run(
                """
                INSERT INTO memberships (tenant_id, user_id, role) VALUES (\(tenant.id), \(id), \(Role.owner.rawValue))
                ON CONFLICT DO NOTHING
                """)
            let audit = SystemAudit(
                action: "user.password_reset", resourceType: "user", resourceID: id.lowercaseString)
            try await SystemAudit.append([audit], tenant: tenant.id, in: tx)
        }
        return password
    }

    private func write(_ credentials: Credentials) throws {
        let store = Onboarding.codes(DemoPlaces.storeCount)[0].rawValue
        guard let key = credentials.storeKeys.first(where: { $0.code == store })?.key else {
            throw Refusal(.failed, "no key for \(store)")
        }
        let demo = DemoFile(
            ingestURL: ingestURL, queryURL: queryURL, tenant: DemoPlaces.tenant, email: DemoPlaces.email,
            password: credentials.password, store: store, storeAPIKey: key, integration: credentials.integration,
            deviceEUIs: DemoPlaces.spaces.indices.map { DemoPlaces.deviceEUI($0).rawValue })
        try directory.write(demo, FeedFile(stores: credentials.storeKeys))
    }
}
