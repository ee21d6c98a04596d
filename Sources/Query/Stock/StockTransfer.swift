import Foundation
import Postgres
import Shared

/// Goods that went from one site to another: two entries in the ledger, or none.
struct StockTransfer: Sendable {
    let id: UUID
    let productID, fromSiteID, toSiteID: UUID
    let quantity: Quantity
    let reference, reason, requestID: String?
    let createdAt: Timestamp
    /// What left, and what came.
    var movements: [StockMovement] = []
}

extension StockTransfer: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        productID = try row["product_id"]
        fromSiteID = try row["from_site_id"]
        toSiteID = try row["to_site_id"]
        quantity = try row["quantity"]
        reference = try row["reference"]
        reason = try row["reason"]
        requestID = try row["request_id"]
        createdAt = try row["created_at"]
    }

    private static let columns: Fragment = """
        id, product_id, from_site_id, to_site_id, quantity, reference, reason, request_id, created_at
        """

    /// For those who may see both sites.
    static func find(_ id: UUID, in scope: TenantScope) -> Statement<StockTransfer> {
        """
        SELECT \(columns) FROM stock_transfers
         WHERE tenant_id = \(scope.tenantID) AND id = \(id) AND \(scope.sees(site: "from_site_id")) AND \(scope.sees(site: "to_site_id"))
        """
    }

    static func insert(_ id: UUID, _ new: StockTransferFields, key: String?, into tenant: TenantID) -> Command {
        """
        INSERT INTO stock_transfers (tenant_id, id, product_id, from_site_id, to_site_id, quantity, reference, reason, request_id)
        VALUES (\(tenant), \(id), \(new.productID), \(new.fromSiteID), \(new.toSiteID), \(new.quantity), \(new.words.reference),
                \(new.words.reason), \(key))
        """
    }
}

extension StockTransfer: PartlyLive, Audited {
    static let resourceType = "stock_transfer"

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("product_id", productID)
            object.field("from_site_id", fromSiteID)
            object.field("to_site_id", toSiteID)
            object.field("quantity", quantity)
            object.field("reference", reference)
            object.field("reason", reason)
            object.field("request_id", requestID)
            object.field("movements", movements)
            object.field("created_at", createdAt)
            object.field("updated_at", createdAt)
        }
    }

    func write(editedTo json: inout JSONWriter) { write(to: &json) }
}
