import Foundation
import Postgres
import Shared

/// A voucher that takes goods out of a site.
struct Vale: Sendable {
    enum Status: String, CaseIterable, PostgresDecodable, Sendable {
        case issued, delivered, cancelled
    }

    struct Line: Hashable, Sendable {
        let productID: UUID
        let quantity: Quantity
    }

    let id: UUID
    /// Of the tenant, without gaps.
    let number: Int64
    let siteID: UUID
    /// Each product once, as they were named.
    let lines: [Line]
    let requestedBy, note, requestID: String?
    var status: Status
    let deliveredAt, cancelledAt: Timestamp?
    let createdAt, updatedAt: Timestamp

    /// What the ledger holds of it: how much it took of each.
    var taken: [StockPlace: Quantity] {
        Dictionary(lines.map { (StockPlace(productID: $0.productID, siteID: siteID), $0.quantity) }) { first, _ in first
        }
    }
}

extension Vale: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        number = try row["number"]
        siteID = try row["site_id"]
        let (products, quantities): ([UUID], [Quantity]) = (try row["product_ids"], try row["quantities"])
        lines = zip(products, quantities).map(Line.init)
        requestedBy = try row["requested_by"]
        note = try row["note"]
        requestID = try row["request_id"]
        status = try row["status"]
        deliveredAt = try row["delivered_at"]
        cancelledAt = try row["cancelled_at"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension Vale: PartlyLive, Audited {
    static let resourceType = "vale"
    var tiedSite: UUID? { siteID }

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("number", number)
            writeFields(to: &object)
            object.field("status", status.rawValue)
            object.field("delivered_at", deliveredAt)
            object.field("cancelled_at", cancelledAt)
            object.field("created_at", createdAt)
            object.field("updated_at", updatedAt)
        }
    }

    func write(editedTo json: inout JSONWriter) {
        json.object { object in
            writeFields(to: &object)
            object.field("status", status.rawValue)
        }
    }

    private func writeFields(to object: inout JSONWriter) {
        object.field("site_id", siteID)
        object.field("lines", lines)
        object.field("requested_by", requestedBy)
        object.field("note", note)
        object.field("request_id", requestID)
    }
}

extension Vale.Line: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("product_id", productID)
            object.field("quantity", quantity)
        }
    }
}
