import Foundation
import Postgres
import Shared

/// A wish to buy goods for a site, until they are there.
struct PurchaseRequest: Sendable {
    enum Status: String, CaseIterable, PostgresDecodable, Sendable {
        case draft, submitted, approved, rejected, received, cancelled
    }

    struct Line: Hashable, Sendable {
        let productID: UUID
        let quantity: Quantity
        /// Of one, as expected.
        let price: Money
        let supplierID: UUID?
        let received: Quantity

        /// What is still to come.
        var missing: Quantity { Quantity(units: quantity.units - received.units) }
    }

    let id: UUID
    let siteID: UUID
    let status: Status
    let lines: [Line]
    /// Of all prices.
    let currency: String
    let neededBy, note, requestID: String?
    let requesterID: UUID
    /// Those who made, changed or submitted it: they may not approve it.
    let askedBy: Set<UUID>
    /// What became of it: a list of steps, as JSON.
    let history: JSONB
    let steps: Int64
    let createdAt, updatedAt: Timestamp

    /// Of one request: its history comes with it.
    static let mostSteps = 500

    var total: Money { Self.total(lines.map { ($0.quantity, $0.price) }) ?? .largest }

    /// Each line rounded to two places, halves upwards. Nil for more than is ever paid.
    static func total(_ lines: [(quantity: Quantity, price: Money)]) -> Money? {
        let sum = lines.reduce(Int128(0)) { sum, line in
            sum + (Int128(line.quantity.units) * Int128(line.price.units) + Int128(Quantity.one / 2))
                / Int128(Quantity.one)
        }
        return sum <= Int128(Money.largest.units) ? Money(units: Int64(sum)) : nil
    }
}

extension PurchaseRequest: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        siteID = try row["site_id"]
        status = try row["status"]
        let (products, quantities): ([UUID], [Quantity]) = (try row["product_ids"], try row["quantities"])
        let (prices, suppliers): ([Money], [UUID?]) = (try row["prices"], try row["supplier_ids"])
        let received: [Quantity] = try row["received"]
        lines = products.indices.map { index in
            Line(
                productID: products[index], quantity: quantities[index], price: prices[index],
                supplierID: suppliers[index], received: received[index])
        }
        currency = try row["currency"]
        neededBy = try row["needed_by"]
        note = try row["note"]
        requestID = try row["request_id"]
        requesterID = try row["requester_id"]
        askedBy = Set(try row["asked_by"] as [UUID])
        history = try row["history"]
        steps = try row["steps"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension PurchaseRequest: PartlyLive {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            writeFields(to: &object)
            object.field("history", history)
            object.field("created_at", createdAt)
            object.field("updated_at", updatedAt)
        }
    }

    fileprivate func writeFields(to object: inout JSONWriter) {
        object.field("site_id", siteID)
        object.field("status", status.rawValue)
        object.field("lines", lines)
        object.field("currency", currency)
        object.field("total", total)
        object.field("needed_by", neededBy)
        object.field("note", note)
        object.field("request_id", requestID)
        object.field("requester_id", requesterID)
    }

    func write(editedTo json: inout JSONWriter) {
        json.object { object in
            object.field("site_id", siteID)
            object.field("status", status.rawValue)
            object.field("lines", lines)
            object.field("needed_by", neededBy)
            object.field("note", note)
            object.field("request_id", requestID)
        }
    }
}

extension PurchaseRequest.Line: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("product_id", productID)
            object.field("quantity", quantity)
            object.field("price", price)
            object.field("supplier_id", supplierID)
            object.field("received", received)
        }
    }
}

extension PurchaseRequest {
    /// What is written down and told of it at a step: not its whole history each time.
    struct Entry: Audited {
        static let resourceType = "purchase_request"

        let request: PurchaseRequest

        var id: UUID { request.id }
        var tiedSite: UUID? { request.siteID }

        func write(to json: inout JSONWriter) {
            json.object { object in
                object.field("id", id)
                request.writeFields(to: &object)
            }
        }
    }

    var entry: Entry { Entry(request: self) }
}
