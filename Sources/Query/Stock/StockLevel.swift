import Foundation
import Postgres
import Shared

/// How much of a product is at a site.
struct StockLevel: Sendable {
    /// Where one stands in the list.
    struct Position: Codable, Sendable {
        let productID, siteID: UUID
    }

    let productID, siteID: UUID
    let quantity: Quantity
    let updatedAt: Timestamp

    var position: Position { Position(productID: productID, siteID: siteID) }
}

extension StockLevel: RowDecodable {
    init(_ row: Row) throws {
        productID = try row["product_id"]
        siteID = try row["site_id"]
        quantity = try row["quantity"]
        updatedAt = try row["updated_at"]
    }

    /// By product, then by site.
    static func page(
        products: [UUID], sites: References, after: Position?, limit: Int, in scope: TenantScope
    ) -> Statement<StockLevel> {
        var conditions: [Fragment] = ["tenant_id = \(scope.tenantID)", scope.covers(site: "site_id")]
        if !products.isEmpty { conditions.append("product_id = ANY (\(products))") }
        if !sites.isEmpty {
            conditions.append(sites.includes(site: "site_id", of: scope.tenantID))
        }
        if let after { conditions.append("(product_id, site_id) > (\(after.productID), \(after.siteID))") }
        return """
            SELECT product_id, site_id, quantity, updated_at FROM stock_levels
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY product_id, site_id LIMIT \(Int64(limit))
            """
    }
}

extension StockLevel: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("product_id", productID)
            object.field("site_id", siteID)
            object.field("quantity", quantity)
            object.field("updated_at", updatedAt)
        }
    }
}
