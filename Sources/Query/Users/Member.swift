import Foundation
import Postgres
import Shared

/// A user as one tenant knows them, or will once they join.
struct Member: Sendable {
    enum Status: String, Sendable {
        case active
        /// There is an invitation, whose id stands for the user's until they join.
        case invited
    }

    let id: UUID
    let email: String
    let name: String
    let role: String
    let scopes: Set<Scope>
    /// Empty: every site.
    let siteIDs: [UUID]
    let status: Status
    let passwordChangeRequired: Bool
    let lastLoginAt: Timestamp?
    let createdAt: Timestamp
    let updatedAt: Timestamp
    let tenantName: String
}

extension Member: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        email = try row["email"]
        name = try row["name"]
        role = try row["role"]
        scopes = Scope.held(by: role, own: try row["own_scopes"])
        siteIDs = try row["site_ids"]
        status = Status(rawValue: try row["status"]) ?? .invited
        passwordChangeRequired = try row["password_change_required"]
        lastLoginAt = try row["last_login_at"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
        tenantName = try row["tenant_name"]
    }
}

extension Member: PartlyLive {
    func write(to json: inout JSONWriter) {
        json.object { write(fieldsOf: &$0) }
    }

    func write(editedTo json: inout JSONWriter) {
        json.object { write(editedFieldsOf: &$0) }
    }

    func write(fieldsOf object: inout JSONWriter) {
        write(editedFieldsOf: &object)
        object.field("last_login_at", lastLoginAt)
    }

    private func write(editedFieldsOf object: inout JSONWriter) {
        object.field("id", id)
        object.field("email", email)
        object.field("name", name)
        object.field("role", role)
        object.field("site_ids", siteIDs)
        object.field("status", status.rawValue)
        object.field("password_change_required", passwordChangeRequired)
        object.field("created_at", createdAt)
        object.field("updated_at", updatedAt)
    }
}
