import Foundation
import Postgres
import Shared

/// What a client says of a movement.
struct StockMovementFields: Sendable {
    let place: StockPlace
    let kind: StockMovement.Kind
    /// Signed.
    let quantity: Quantity
    let words: Ledger.Words

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        body.skip("id", "created_at", "updated_at")
        place = StockPlace(
            productID: body.required("product_id") { $0.id($1) } ?? UUID(),
            siteID: body.required("site_id") { $0.id($1) } ?? UUID())
        let kind: StockMovement.Kind? = body.required("kind") { $0.word($1) }
        if let kind, !StockMovement.Kind.byHand.contains(kind) {
            body.refuse("kind", "not_allowed", "By hand there are receipt, issue and adjustment.")
        }
        self.kind = kind ?? .adjustment
        let lowest = self.kind == .adjustment ? -Quantity.largest : Quantity(units: 1)
        let amount: Quantity = body.required("quantity") { $0.decimal($1, from: lowest) } ?? Quantity(units: 1)
        if amount == .zero { body.refuse("quantity", "out_of_range", "Must not be zero.") }
        quantity = self.kind == .issue ? -amount : amount
        words = body.words()
        try body.check()
    }
}

/// What a client says of a transfer.
struct StockTransferFields: Sendable {
    let productID, fromSiteID, toSiteID: UUID
    let quantity: Quantity
    let words: Ledger.Words

    var source: StockPlace { StockPlace(productID: productID, siteID: fromSiteID) }
    var destination: StockPlace { StockPlace(productID: productID, siteID: toSiteID) }

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        body.skip("id", "created_at", "updated_at")
        productID = body.required("product_id") { $0.id($1) } ?? UUID()
        fromSiteID = body.required("from_site_id") { $0.id($1) } ?? UUID()
        toSiteID = body.required("to_site_id") { $0.id($1) } ?? UUID()
        if fromSiteID == toSiteID { body.refuse("to_site_id", "same_site", "Must be another site.") }
        quantity = body.required("quantity") { $0.decimal($1, from: Quantity(units: 1)) } ?? Quantity(units: 1)
        words = body.words()
        try body.check()
    }
}

extension JSONBody {
    fileprivate mutating func words() -> Ledger.Words {
        Ledger.Words(
            reference: bounded("reference", 1...200), reason: note("reason"), requestID: requestID("request_id"))
    }
}

/// What the same wish is the same by.
extension StockMovementFields: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("product_id", place.productID)
            object.field("site_id", place.siteID)
            object.field("kind", kind.rawValue)
            object.field("quantity", quantity)
            object.field("reference", words.reference)
            object.field("reason", words.reason)
        }
    }
}

extension StockTransferFields: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("product_id", productID)
            object.field("from_site_id", fromSiteID)
            object.field("to_site_id", toSiteID)
            object.field("quantity", quantity)
            object.field("reference", words.reference)
            object.field("reason", words.reason)
        }
    }
}
