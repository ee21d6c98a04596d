import Foundation
import Postgres
import Shared

/// Goods that are kept, handed out and bought.
struct Product: Sendable {
    /// How much of it is at one site.
    struct Stock: Sendable {
        let siteID: UUID
        let quantity: Quantity
    }

    let id: UUID
    let fields: ProductFields
    /// At the sites that the member may see.
    let stockBySite: [Stock]
    let createdAt, updatedAt: Timestamp

    var stock: Quantity { Quantity(units: stockBySite.reduce(0) { $0 + $1.quantity.units }) }
}

extension Product: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        fields = try ProductFields(row)
        let (sites, quantities): ([UUID], [Quantity]) = (try row["site_ids"], try row["quantities"])
        stockBySite = zip(sites, quantities).map(Stock.init)
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension Product: PartlyLive {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            fields.write(to: &object)
            object.field("stock", stock)
            object.field("stock_by_site", stockBySite)
            object.field("created_at", createdAt)
            object.field("updated_at", updatedAt)
        }
    }

    func write(editedTo json: inout JSONWriter) {
        json.object { fields.write(to: &$0) }
    }
}

extension Product.Stock: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("site_id", siteID)
            object.field("quantity", quantity)
        }
    }
}

extension Product {
    /// What is written down and told of it: all of the tenant may read that, so it holds no site's stock.
    struct Entry: Audited {
        static let resourceType = "product"

        let product: Product

        var id: UUID { product.id }

        func write(to json: inout JSONWriter) {
            json.object { object in
                object.field("id", id)
                product.fields.write(to: &object)
            }
        }
    }

    var entry: Entry { Entry(product: self) }
}
