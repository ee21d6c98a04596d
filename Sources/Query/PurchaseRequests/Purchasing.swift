import Foundation
import Postgres
import Shared

/// Makes purchase requests and takes them through their states; what arrives is booked into stock, in the transaction of the step.
struct Purchasing: Sendable {
    let context: TenantContext
    let trail: AuditTrail

    private var ledger: Ledger { Ledger(scope: context.scope, actor: context.principal.actor) }

    /// - Throws: `Problem` 422.
    func create(_ wanted: PurchaseRequestFields, key: String?, in tx: TenantTransaction) async throws -> PurchaseRequest
    {
        let (lines, currency) = try await check(wanted, in: tx)
        let id = UUID.v7()
        let first = PurchaseHistoryEntry(step: "create", status: .draft, actor: context.principal.actor)
        let insert = PurchaseRequest.insert(
            id, wanted, currency: currency, key: key, by: context.principal.id, into: tx.tenantID)
        let insertLines = PurchaseRequest.insertLines(of: id, lines, in: tx.tenantID)
        try await tx.run(all: [insert] + insertLines + [first.insert(of: id, in: tx.tenantID)])
        let made = try await tx.written(PurchaseRequest.find(id, in: context.scope))
        try await tx.run(trail.created(.purchaseRequestCreated, made.entry))
        return made
    }

    /// - Parameter before: locked.
    /// - Throws: `Problem` 409 for what is no draft any more, 422.
    func change(
        _ before: PurchaseRequest, to wanted: PurchaseRequestFields, in tx: TenantTransaction
    ) async throws -> PurchaseRequest {
        _ = try next(.change, before)
        let (lines, currency) = try await check(wanted, in: tx)
        let insertLines = PurchaseRequest.insertLines(of: before.id, lines, in: tx.tenantID)
        let entry = PurchaseHistoryEntry(step: "change", status: .draft, actor: context.principal.actor)
        let update = PurchaseRequest.update(before.id, wanted, currency: currency, in: tx.tenantID)
        try await tx.run(all: [update] + insertLines + [entry.insert(of: before.id, in: tx.tenantID)])
        return try await written(.change, before, in: tx)
    }

    /// - Parameter before: locked.
    /// - Returns: nil where it is so already.
    /// - Throws: `Problem` 403, 409.
    func take(
        _ step: PurchaseStep, _ before: PurchaseRequest, reason: String? = nil, in tx: TenantTransaction
    ) async throws -> PurchaseRequest? {
        guard let status = try next(step, before) else { return nil }
        var entry = PurchaseHistoryEntry(step: step.rawValue, status: status, actor: context.principal.actor)
        entry.reason = reason
        try await tx.run(all: [
            PurchaseRequest.settle(before.id, status, in: tx.tenantID), entry.insert(of: before.id, in: tx.tenantID),
        ])
        return try await written(step, before, in: tx)
    }

    /// Books what arrived.
    ///
    /// - Parameter before: locked.
    /// - Returns: nil where all had arrived already and nothing is named.
    /// - Throws: `Problem` 409 `exceeds_ordered`, `invalid_status`, 422.
    func receive(
        _ receipt: Receipt, for before: PurchaseRequest, key: String?, in tx: TenantTransaction
    ) async throws -> PurchaseRequest? {
        if before.status == .received, receipt.lines == nil { return nil }
        let arrived = try receipt.arrivals(for: before)
        let missing = before.lines.reduce(0) { $0 + $1.missing.units } - arrived.reduce(0) { $0 + $1.quantity.units }
        guard let status = try next(.receive, before, completes: missing == 0) else {
            throw PurchaseStep.Refusal.status(before.status).problem
        }
        let entries = arrived.map { productID, quantity in
            Ledger.Entry(
                place: StockPlace(productID: productID, siteID: before.siteID), quantity: quantity, kind: .purchase)
        }
        let books = try await ledger.open(Set(entries.map(\.place)), in: tx)
        try books.checkSite(before.siteID)
        try books.check(entries.map { .init(place: $0.place, taken: -$0.quantity, field: "lines") })
        var entry = PurchaseHistoryEntry(step: "receive", status: status, actor: context.principal.actor)
        entry.lines = arrived.map { Vale.Line(productID: $0.productID, quantity: $0.quantity) }
        let words = Ledger.Words(reference: receipt.reference, requestID: key)
        try await tx.run(all: [
            PurchaseRequest.receive(arrived, of: before.id, in: tx.tenantID),
            ledger.write(entries, .init(purchaseRequestID: before.id), words).command,
            PurchaseRequest.settle(before.id, status, in: tx.tenantID), entry.insert(of: before.id, in: tx.tenantID),
        ])
        return try await written(.receive, before, in: tx)
    }

    /// - Parameter before: locked.
    /// - Throws: `Problem` 409 for one that is under way or was received.
    func delete(_ before: PurchaseRequest, in tx: TenantTransaction) async throws {
        _ = try next(.delete, before)
        try await tx.run(all: [
            PurchaseRequest.delete(before.id, in: tx.tenantID), trail.deleted(.purchaseRequestDeleted, before.entry),
        ])
    }

    private func next(
        _ step: PurchaseStep, _ request: PurchaseRequest, completes: Bool = false
    ) throws -> PurchaseRequest.Status? {
        let addsMany = step == .change || step == .receive && !completes
        guard !addsMany || request.steps < PurchaseRequest.mostSteps else {
            throw Problem.conflict(
                "too_many_steps", detail: "A request has \(PurchaseRequest.mostSteps) steps at most.")
        }
        do throws(PurchaseStep.Refusal) {
            let asker = context.principal.asker(of: request)
            return try step.apply(to: request.status, by: asker, completes: completes)
        } catch {
            throw error.problem
        }
    }

    private func written(
        _ step: PurchaseStep, _ before: PurchaseRequest, in tx: TenantTransaction
    ) async throws -> PurchaseRequest {
        let after = try await tx.written(PurchaseRequest.find(before.id, in: context.scope))
        try await tx.run(trail.changed(step.action, before.entry, after.entry))
        return after
    }

    /// Site, products and suppliers are there and stay, and all prices are of one currency.
    private func check(
        _ wanted: PurchaseRequestFields, in tx: TenantTransaction
    ) async throws -> (lines: [PurchaseRequest.Line], currency: String) {
        let places = wanted.lines.map { StockPlace(productID: $0.productID, siteID: wanted.siteID) }
        let books = try await ledger.open(Set(places), movesNothing: true, in: tx)
        try books.checkSite(wanted.siteID)
        let named = wanted.lines.enumerated().map { (id: $1.productID, field: "lines[\($0)].product_id") }
        let products = try books.products(named, mustBeActive: true)
        let suppliers = Set(wanted.lines.compactMap(\.supplierID))
        let known = Set(try await tx.all(Supplier.hold(suppliers.sorted(), in: tx.tenantID)))
        for (index, line) in wanted.lines.enumerated() {
            if let supplier = line.supplierID, !known.contains(supplier) {
                throw Problem.unknown("lines[\(index)].supplier_id", "supplier")
            }
            guard products[index].currency == products[0].currency else {
                throw Problem.unprocessable([
                    .init(
                        field: "lines[\(index)].product_id", code: "mixed_currencies",
                        detail: "All lines must be of one currency: this is of \(products[index].currency).")
                ])
            }
        }
        let lines = zip(wanted.lines, products).map { line, product in
            PurchaseRequest.Line(
                productID: line.productID, quantity: line.quantity, price: line.price ?? product.price,
                supplierID: line.supplierID, received: .zero)
        }
        guard PurchaseRequest.total(lines.map { ($0.quantity, $0.price) }) != nil else {
            throw Problem.unprocessable([
                .init(
                    field: "lines", code: "out_of_range", detail: "The total has more digits than any is meant to have."
                )
            ])
        }
        return (lines, products[0].currency)
    }
}
