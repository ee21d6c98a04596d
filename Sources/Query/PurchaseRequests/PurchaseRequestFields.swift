import Foundation
import Postgres
import Shared

/// What a client says of a purchase request.
struct PurchaseRequestFields: Sendable {
    struct Line: Sendable {
        let productID: UUID
        let quantity: Quantity
        /// Nil: what the product costs.
        let price: Money?
        let supplierID: UUID?
    }

    let siteID: UUID
    let lines: [Line]
    let neededBy, note, requestID: String?

    /// - Parameter standing: the request that becomes this; nil for a new one.
    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody, standing: PurchaseRequest?) throws {
        body.skip("id", "currency", "total", "requester_id", "history", "created_at", "updated_at")
        siteID = body.required("site_id") { $0.id($1) } ?? UUID()
        lines =
            body.required("lines") { body, name in body.list(name, count: 1...100) { $0.purchaseLine() } } ?? []
        var seen: Set<UUID> = []
        for (index, line) in lines.enumerated() where !seen.insert(line.productID).inserted {
            body.refuse("lines[\(index)].product_id", "duplicate", "The product stands in another line already.")
        }
        neededBy = body.day("needed_by")
        note = body.note("note")
        requestID = body.requestID("request_id")
        let status: PurchaseRequest.Status? = body.word("status")
        if let status, status != standing?.status ?? .draft {
            body.refuse("status", "immutable", "POST …/submit, /approve, /reject, /receive and /cancel change it.")
        }
        if let standing, requestID != standing.requestID {
            body.refuse("request_id", "immutable", "This is of its creation.")
        }
        try body.check()
    }
}

extension JSONBody {
    fileprivate mutating func purchaseLine() -> PurchaseRequestFields.Line? {
        skip("received")
        let productID = required("product_id") { $0.id($1) }
        let quantity: Quantity? = required("quantity") { $0.decimal($1, from: Quantity(units: 1)) }
        let (price, supplierID): (Money?, UUID?) = (decimal("price"), id("supplier_id"))
        guard let productID, let quantity else { return nil }
        return .init(productID: productID, quantity: quantity, price: price, supplierID: supplierID)
    }
}

/// What the same wish is the same by.
extension PurchaseRequestFields: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("site_id", siteID)
            object.field("lines", lines)
            object.field("needed_by", neededBy)
            object.field("note", note)
        }
    }
}

extension PurchaseRequestFields.Line: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("product_id", productID)
            object.field("quantity", quantity)
            object.field("price", price)
            object.field("supplier_id", supplierID)
        }
    }
}

/// What a client says has arrived.
struct Receipt: Sendable {
    struct Line: Sendable {
        let productID: UUID
        let quantity: Quantity
        /// Of the body.
        let field: String
    }

    /// Nil: all that is still to come.
    let lines: [Line]?
    let reference, requestID: String?

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        var index = -1
        lines = body.list("lines", count: 1...100) { line in
            index += 1
            let productID = line.required("product_id") { $0.id($1) }
            let quantity: Quantity? = line.required("quantity") { $0.decimal($1, from: Quantity(units: 1)) }
            guard let productID, let quantity else { return nil }
            return Line(productID: productID, quantity: quantity, field: "lines[\(index)]")
        }
        var seen: Set<UUID> = []
        for line in lines ?? [] where !seen.insert(line.productID).inserted {
            body.refuse("\(line.field).product_id", "duplicate", "The product stands in another line already.")
        }
        reference = body.bounded("reference", 1...200)
        requestID = body.requestID("request_id")
        try body.check()
    }

    /// What of a request arrives by it.
    /// - Throws: `Problem` 422 for what isn't on it, 409 `exceeds_ordered` for more than is still to come.
    func arrivals(for request: PurchaseRequest) throws -> [(productID: UUID, quantity: Quantity)] {
        guard let lines else {
            return request.lines.filter { $0.missing > .zero }.map { ($0.productID, $0.missing) }
        }
        var (unknown, tooMany): ([Problem.FieldError], [Problem.FieldError]) = ([], [])
        for line in lines {
            guard let ordered = request.lines.first(where: { $0.productID == line.productID }) else {
                unknown.append(
                    .init(field: "\(line.field).product_id", code: "unknown", detail: "It was not asked for."))
                continue
            }
            guard line.quantity > ordered.missing else { continue }
            let detail = "\(ordered.missing.shortText) are still to come."
            tooMany.append(.init(field: "\(line.field).quantity", code: "exceeds_ordered", detail: detail))
        }
        guard unknown.isEmpty else { throw Problem.unprocessable(unknown) }
        guard tooMany.isEmpty else {
            var problem = Problem.conflict("exceeds_ordered", detail: "More than is still to come.")
            problem.errors = tooMany
            throw problem
        }
        return lines.map { ($0.productID, $0.quantity) }
    }
}
