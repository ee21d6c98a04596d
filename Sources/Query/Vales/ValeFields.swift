import Foundation
import Postgres
import Shared

/// What a client says of a vale.
struct ValeFields: Sendable {
    let siteID: UUID
    /// Each product once.
    let lines: [Vale.Line]
    /// Where each line's product was named first: `lines[2].product_id`.
    private let fieldNames: [UUID: String]
    let requestedBy, note, requestID: String?

    /// - Parameter standing: the vale that becomes this; nil for a new one.
    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody, standing: Vale?) throws {
        body.skip("id", "number", "delivered_at", "cancelled_at", "created_at", "updated_at")
        siteID = body.required("site_id") { $0.id($1) } ?? UUID()
        let named = body.required("lines") { body, name in body.list(name, count: 1...100) { $0.valeLine() } } ?? []
        var (order, sums, names): ([UUID], [UUID: Quantity], [UUID: String]) = ([], [:], [:])
        for (index, line) in named.enumerated() {
            if sums[line.productID] == nil {
                order.append(line.productID)
                names[line.productID] = "lines[\(index)].product_id"
            }
            // The same product twice is added up.
            if let sum = (sums[line.productID] ?? .zero).adding(line.quantity) {
                sums[line.productID] = sum
            } else {
                body.refuse("lines[\(index)].quantity", "out_of_range", "Too much of one product.")
            }
        }
        lines = order.map { Vale.Line(productID: $0, quantity: sums[$0] ?? .zero) }
        fieldNames = names
        requestedBy = body.name("requested_by")
        note = body.note("note")
        requestID = body.requestID("request_id")
        let status: Vale.Status? = body.word("status")
        if let status, status != standing?.status ?? .issued {
            body.refuse("status", "immutable", "POST …/deliver and …/cancel change it.")
        }
        if let standing, requestID != standing.requestID {
            body.refuse("request_id", "immutable", "This is of its creation.")
        }
        try body.check()
    }

    /// How much it takes of each.
    var taken: [StockPlace: Quantity] {
        Dictionary(lines.map { (StockPlace(productID: $0.productID, siteID: siteID), $0.quantity) }) { first, _ in first
        }
    }

    func field(of product: UUID) -> String { fieldNames[product] ?? "lines" }
}

extension JSONBody {
    fileprivate mutating func valeLine() -> Vale.Line? {
        let productID = required("product_id") { $0.id($1) }
        let quantity: Quantity? = required("quantity") { $0.decimal($1, from: Quantity(units: 1)) }
        guard let productID, let quantity else { return nil }
        return Vale.Line(productID: productID, quantity: quantity)
    }
}

/// What the same wish is the same by.
extension ValeFields: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("site_id", siteID)
            object.field("lines", lines)
            object.field("requested_by", requestedBy)
            object.field("note", note)
        }
    }
}
