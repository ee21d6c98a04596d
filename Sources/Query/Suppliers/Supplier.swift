import Foundation
import Postgres
import Shared

/// Whom goods are bought from.
struct Supplier: Sendable {
    let id: UUID
    let fields: SupplierFields
    let createdAt, updatedAt: Timestamp
}

/// What a client says of a supplier.
struct SupplierFields: Sendable {
    let name: String
    let taxID, contact, email, phone: String?
    let leadTimeDays: Int32?

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        body.skip("id", "created_at", "updated_at")
        name = body.required("name") { $0.name($1) } ?? ""
        taxID = body.bounded("tax_id", 1...64)
        contact = body.name("contact")
        email = body.email()
        phone = body.phone("phone")
        leadTimeDays = body.integer("lead_time_days", in: 0...3_650).map(Int32.init)
        try body.check()
    }
}

extension Supplier: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        fields = try SupplierFields(row)
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension SupplierFields: RowDecodable {
    init(_ row: Row) throws {
        name = try row["name"]
        taxID = try row["tax_id"]
        contact = try row["contact"]
        email = try row["email"]
        phone = try row["phone"]
        leadTimeDays = try row["lead_time_days"]
    }
}

extension Supplier: PartlyLive, Audited {
    static let resourceType = "supplier"

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            fields.write(to: &object)
            object.field("created_at", createdAt)
            object.field("updated_at", updatedAt)
        }
    }

    func write(editedTo json: inout JSONWriter) {
        json.object { fields.write(to: &$0) }
    }
}

extension SupplierFields {
    fileprivate func write(to object: inout JSONWriter) {
        object.field("name", name)
        object.field("tax_id", taxID)
        object.field("contact", contact)
        object.field("email", email)
        object.field("phone", phone)
        object.field("lead_time_days", leadTimeDays)
    }
}
