import Foundation
import Postgres
import Shared

/// What a client wants of a new integration.
struct IntegrationRequest: Sendable {
    let id = UUID.v7()
    let name: String
    let dialect: IntegrationDialect
    let auth: IntegrationAuth
    let headerName: String?
    let username: String?
    let isActive: Bool

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        name = body.required("name") { $0.name($1) } ?? ""
        dialect = body.required("dialect") { $0.word($1) } ?? .generic
        auth = body.required("auth") { $0.word($1) } ?? .hmac
        headerName = body.headerName("header_name", for: auth)
        username = body.username("username", for: auth)
        isActive = body.boolean("is_active") ?? true
        try body.check()
    }
}

/// What a client wants to be otherwise (RFC 7396). How it proves itself and what it writes stay: that would be another integration.
struct IntegrationChange: Sendable {
    private let name: String?
    private let isActive: Bool?
    private let headerName, username: String?

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody, of integration: Integration) throws {
        name = body.has("name") ? body.required("name") { $0.name($1) } : nil
        isActive = body.has("is_active") ? body.required("is_active") { $0.boolean($1) } : nil
        headerName = body.has("header_name") ? body.headerName("header_name", for: integration.auth) : nil
        username = body.has("username") ? body.username("username", for: integration.auth) : nil
        try body.check()
    }

    func apply(to integration: Integration, in tenant: TenantID) -> Statement<Integration> {
        Integration.change(
            integration.id, name: name ?? integration.name, headerName: headerName ?? integration.headerName,
            username: username ?? integration.username, isActive: isActive ?? integration.isActive, in: tenant)
    }
}

extension JSONBody {
    /// Where the secret stands; of integrations that prove themselves by a header, and of no others.
    fileprivate mutating func headerName(_ name: String, for auth: IntegrationAuth) -> String? {
        part(name, belongs: auth == .header) { $0.contains(/^[A-Za-z0-9-]{1,64}$/) }
    }

    /// Likewise of those that sign in with HTTP Basic.
    fileprivate mutating func username(_ name: String, for auth: IntegrationAuth) -> String? {
        part(name, belongs: auth == .basic) { !$0.isEmpty && $0.utf8.count <= 200 && !$0.contains(/[:\p{Cc}]/) }
    }

    private mutating func part(_ name: String, belongs: Bool, _ isValid: (String) -> Bool) -> String? {
        let text = belongs ? required(name) { $0.text($1) } : text(name)
        guard let text else { return nil }
        guard belongs else {
            refuse(name, "not_allowed", "This kind of authentication has none.")
            return nil
        }
        if !isValid(text) { refuse(name, "invalid", "This can't stand in a header.") }
        return text
    }
}
