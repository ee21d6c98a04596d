import Foundation
import Postgres
import Shared

/// What a person types to sign in.
struct SignIn: Sendable {
    let email: String
    let password: String
    /// The tenant's slugs or UUIDs, as the body, a header and the host name it; none where the person has only one.
    let tenants: [String]

    /// Longer than any password or address may be, so that hashing what anybody sends stays cheap.
    static let maxLength = 1_024

    init(email: String, password: String, tenants: [String] = []) {
        self.email = email.lowercased()
        self.password = password
        self.tenants = tenants
    }

    /// - Parameter named: by header and host, which choose the tenant as well as the body does.
    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody, named: [String]) throws {
        email = body.requiredText("email").lowercased()
        password = body.requiredText("password")
        tenants = (body.text("tenant").map { [$0] } ?? []) + named
        if email.utf8.count > Self.maxLength { body.refuse("email", "too_long", "No address is that long.") }
        if password.utf8.count > Self.maxLength { body.refuse("password", "too_long", "No password is that long.") }
        try body.check()
    }
}

/// A row for each tenant that a person may enter; one without a tenant for a person who may enter none.
struct SignInCandidate: RowDecodable {
    struct Membership: Sendable {
        let tenant: Tenant
        let tenantName: String
        let role: String
    }

    let userID: UUID
    let passwordHash: String?
    let passwordSetAt: Timestamp
    /// Somebody else chose it.
    let passwordChangeRequired: Bool
    let membership: Membership?

    init(_ row: Row) throws {
        userID = try row["user_id"]
        passwordHash = try row["password_hash"]
        passwordSetAt = try row["password_set_at"]
        passwordChangeRequired = try row["password_change_required"]
        guard let role = try row["role"] as String? else {
            membership = nil
            return
        }
        membership = Membership(tenant: try Tenant(row), tenantName: try row["tenant_name"], role: role)
    }
}

extension SignInCandidate.Membership: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("tenant_id", tenant.uuid)
            object.field("slug", tenant.slug)
            object.field("name", tenantName)
            object.field("role", role)
        }
    }
}
