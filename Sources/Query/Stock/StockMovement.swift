import Foundation
import Postgres
import Shared

/// An entry of the ledger: goods that came to a site or left it. It never changes; what was wrong is put right by another.
struct StockMovement: Sendable {
    enum Kind: String, CaseIterable, PostgresDecodable, Sendable {
        case receipt, issue, adjustment
        case transferIn = "transfer_in"
        case transferOut = "transfer_out"
        case vale
        case valeReturn = "vale_return"
        case purchase

        /// Those that people enter; the others come of something else.
        static let byHand: [Kind] = [.receipt, .issue, .adjustment]
    }

    /// What else it comes of.
    struct Cause: Sendable {
        var valeID, transferID, purchaseRequestID: UUID?
    }

    let id: UUID
    let productID, siteID: UUID
    /// Signed: negative where goods leave.
    let quantity: Quantity
    let kind: Kind
    let reference, reason: String?
    let cause: Cause
    let actor: AuditEntry.Actor
    let requestID: String?
    let createdAt: Timestamp
}

extension StockMovement: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        productID = try row["product_id"]
        siteID = try row["site_id"]
        quantity = try row["quantity"]
        kind = try row["kind"]
        reference = try row["reference"]
        reason = try row["reason"]
        cause = Cause(
            valeID: try row["vale_id"], transferID: try row["transfer_id"],
            purchaseRequestID: try row["purchase_request_id"])
        actor = AuditEntry.Actor(kind: try row["actor_kind"], id: try row["actor_id"], name: try row["actor_name"])
        requestID = try row["request_id"]
        createdAt = try row["created_at"]
    }
}

extension StockMovement: PartlyLive, Audited {
    static let resourceType = "stock_movement"
    var tiedSite: UUID? { siteID }

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("product_id", productID)
            object.field("site_id", siteID)
            object.field("kind", kind.rawValue)
            object.field("quantity", quantity)
            object.field("reference", reference)
            object.field("reason", reason)
            object.field("vale_id", cause.valeID)
            object.field("transfer_id", cause.transferID)
            object.field("purchase_request_id", cause.purchaseRequestID)
            object.field("actor", actor)
            object.field("request_id", requestID)
            object.field("created_at", createdAt)
            object.field("updated_at", createdAt)
        }
    }

    func write(editedTo json: inout JSONWriter) { write(to: &json) }
}
