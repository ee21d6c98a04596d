import Foundation
import Postgres
import Shared

/// What a client says of a product.
struct ProductFields: Sendable {
    let sku, name: String
    let description: String?
    let unit: String
    let price: Money
    let currency: String
    /// At or below it there is too little of it; zero: nobody watches.
    let minStock: Quantity
    let supplierID: UUID?
    let isActive: Bool

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        body.skip("id", "stock", "stock_by_site", "created_at", "updated_at")
        sku = body.required("sku") { $0.sku($1) } ?? ""
        name = body.required("name") { $0.name($1) } ?? ""
        description = body.note("description")
        unit = body.required("unit") { $0.bounded($1, 1...32) } ?? ""
        price = body.required("price") { $0.decimal($1) } ?? .zero
        currency = body.required("currency") { $0.currency($1) } ?? ""
        minStock = body.decimal("min_stock") ?? .zero
        supplierID = body.id("supplier_id")
        isActive = body.boolean("is_active") ?? true
        try body.check()
    }
}

extension JSONBody {
    fileprivate mutating func sku(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        if !text.contains(/^[^\s\p{Cc}](?:[^\p{Cc}]{0,62}[^\s\p{Cc}])?$/.matchingSemantics(.unicodeScalar)) {
            refuse(name, "invalid_sku", "Must have 1 to 64 characters, and neither begin nor end with a space.")
        }
        return text
    }

    /// ISO 4217, as far as its form goes.
    fileprivate mutating func currency(_ name: String) -> String? {
        guard let text = text(name)?.uppercased() else { return nil }
        if !text.contains(/^[A-Z]{3}$/) { refuse(name, "invalid_currency", "Must have three letters, such as EUR.") }
        return text
    }
}

extension ProductFields: RowDecodable {
    init(_ row: Row) throws {
        sku = try row["sku"]
        name = try row["name"]
        description = try row["description"]
        unit = try row["unit"]
        price = try row["price"]
        currency = try row["currency"]
        minStock = try row["min_stock"]
        supplierID = try row["supplier_id"]
        isActive = try row["is_active"]
    }
}

extension ProductFields {
    func write(to object: inout JSONWriter) {
        object.field("sku", sku)
        object.field("name", name)
        object.field("description", description)
        object.field("unit", unit)
        object.field("price", price)
        object.field("currency", currency)
        object.field("min_stock", minStock)
        object.field("supplier_id", supplierID)
        object.field("is_active", isActive)
    }
}
