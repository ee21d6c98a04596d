import Foundation
import Postgres
import Shared

/// A role that a tenant can give: one of the house, or one of its own.
struct TenantRole: Sendable {
    let id: UUID
    let name: String
    /// Sorted.
    let scopes: [String]
    /// Nil for roles of the house.
    let createdAt: Timestamp?
    let updatedAt: Timestamp?

    /// Of the house: it can't be changed.
    var isBuiltIn: Bool { createdAt == nil }

    var held: Set<Scope> { Set(named: scopes) }

    /// The roles of the house, in the order of their rights.
    static let builtIn: [TenantRole] = Role.allCases.enumerated().map { position, role in
        TenantRole(
            // Of version 8 (RFC 9562 §5.8), and before every id that is made.
            id: UUID(uuid: (0, 0, 0, 0, 0, 0, 0x80, 0, 0x80, 0, 0, 0, 0, 0, 0, UInt8(position + 1))),
            name: role.rawValue, scopes: role.scopes.map(\.rawValue).sorted(), createdAt: nil, updatedAt: nil)
    }
}

extension TenantRole: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        name = try row["name"]
        scopes = try row["scopes"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension TenantRole: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("name", name)
            object.field("scopes", scopes)
            object.field("is_built_in", isBuiltIn)
            object.field("created_at", createdAt)
            object.field("updated_at", updatedAt)
        }
    }
}
