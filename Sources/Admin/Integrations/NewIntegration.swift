import Foundation
import Postgres
import Shared

/// An integration as it is shown once, with its secret.
struct IssuedIntegration: Codable, Sendable {
    let id: String
    let secret: String
    let url: String
    let auth: IntegrationAuth.RawValue
}

/// A source of uplinks that is about to be made.
struct NewIntegration: Sendable {
    let id = UUID.v7()
    let name: String
    let dialect: IntegrationDialect
    let auth: IntegrationAuth
    let headerName: String?
    let username: String?
    let ingestURL: String

    /// - Throws: `Refusal` unless header name and user name stand exactly where `auth` wants them.
    init(name: String, kind: IntegrationKind) throws {
        guard (kind.auth == .header) == (kind.headerName != nil) else {
            throw Refusal(.data, "--header-name belongs to --auth header, and that needs it")
        }
        guard (kind.auth == .basic) == (kind.username != nil) else {
            throw Refusal(.data, "--username belongs to --auth basic, and that needs it")
        }
        self.init(
            name: name, dialect: kind.dialect, auth: kind.auth, headerName: kind.headerName, username: kind.username,
            ingestURL: kind.ingestURL ?? "")
    }

    init(
        name: String, dialect: IntegrationDialect, auth: IntegrationAuth, headerName: String? = nil,
        username: String? = nil, ingestURL: String = ""
    ) {
        self.name = name
        self.dialect = dialect
        self.auth = auth
        self.headerName = headerName
        self.username = username
        self.ingestURL = ingestURL
    }

    /// The transaction must have the tenant set.
    func create(
        in transaction: some QueryExecutor, tenant: TenantID, secretBox: SecretBox
    ) async throws -> IssuedIntegration {
        try await transaction.run(
            """
            INSERT INTO integrations (tenant_id, id, name, dialect, auth, header_name, username)
            VALUES (\(tenant), \(id), \(name), \(dialect.rawValue), \(auth.rawValue), \(headerName), \(username))
            """)
        try await transaction.run(
            "INSERT INTO integration_routes (integration_id, tenant_id) VALUES (\(id), \(tenant))")
        let secret = auth.newSecret()
        try await transaction.run(
            IntegrationSecret.insert(secret, as: .v7(), of: id, tenant: tenant, secretBox))
        let audit = SystemAudit(
            action: "integration.created", resourceType: "integration", resourceID: id.lowercaseString,
            after: ["name": name, "dialect": dialect.rawValue, "auth": auth.rawValue])
        try await SystemAudit.append([audit], tenant: tenant, in: transaction)
        return IssuedIntegration(
            id: id.lowercaseString, secret: secret, url: "\(ingestURL)/v1/webhooks/\(id.lowercaseString)",
            auth: auth.rawValue)
    }
}
