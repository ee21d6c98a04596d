import Foundation
import Postgres
import Shared

/// A key of a store's gateway or of a program; never with its secret.
struct APIKey: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case store, service
    }

    let id: UUID
    let name: String
    let kind: Kind
    /// Of kind store.
    let siteID: UUID?
    /// Of kind service. One that this release does not know stays, and opens nothing.
    let scopes: [String]
    let prefix: String
    let expiresAt: Timestamp?
    let lastUsedAt: Timestamp?
    let createdBy: UUID?
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

extension APIKey: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        name = try row["name"]
        kind = Kind(rawValue: try row["kind"]) ?? .service
        siteID = try row["site_id"]
        scopes = try row["scopes"]
        prefix = try row["prefix"]
        expiresAt = try row["expires_at"]
        lastUsedAt = try row["last_used_at"]
        createdBy = try row["created_by"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension APIKey: PartlyLive {
    func write(to json: inout JSONWriter) {
        json.object { write(fieldsOf: &$0) }
    }

    func write(editedTo json: inout JSONWriter) {
        json.object { write(editedFieldsOf: &$0) }
    }

    func write(fieldsOf object: inout JSONWriter) {
        write(editedFieldsOf: &object)
        object.field("last_used_at", lastUsedAt)
    }

    private func write(editedFieldsOf object: inout JSONWriter) {
        object.field("id", id)
        object.field("name", name)
        object.field("kind", kind.rawValue)
        object.field("store_id", siteID)
        object.field("scopes", scopes)
        object.field("prefix", prefix)
        object.field("expires_at", expiresAt)
        object.field("created_by", createdBy)
        object.field("created_at", createdAt)
        object.field("updated_at", updatedAt)
    }
}

/// A key with its secret, shown this once.
struct IssuedAPIKey: JSONWritable {
    let key: APIKey
    let secret: String

    func write(to json: inout JSONWriter) {
        json.object { object in
            key.write(fieldsOf: &object)
            object.field("key", secret)
        }
    }
}
