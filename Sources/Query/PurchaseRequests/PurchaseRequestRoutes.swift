import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

struct PurchaseRequestRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        let path = "purchase-requests"
        api.get("\(path)", requires: .purchaseRequestsRead, use: list)
        api.post("\(path)", requires: .purchaseRequestsWrite, use: create)
        api.get("\(path)/:id", requires: .purchaseRequestsRead, use: one)
        api.patch("\(path)/:id", requires: .purchaseRequestsWrite) { try await change($0, $1, replaces: false) }
        api.put("\(path)/:id", requires: .purchaseRequestsWrite) { try await change($0, $1, replaces: true) }
        api.delete("\(path)/:id", requires: .purchaseRequestsWrite, use: delete)
        for step in [PurchaseStep.submit, .approve, .reject, .cancel] {
            api.post("\(path)/:id/\(step.rawValue)", requires: step.scope) { try await take(step, $0, $1) }
        }
        api.post("\(path)/:id/receive", requires: PurchaseStep.receive.scope, use: receive)
    }

    /// Newest first. Filters: `site` (id or code), `status`.
    @Sendable private func list(
        _ request: Request, _ context: TenantContext
    ) async throws -> PageAnswer<PurchaseRequest> {
        var query = QueryParameters(request)
        let filter = PurchaseRequest.Filter(sites: query.references("site"), statuses: query.words("status"))
        try query.check()
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let requests = try await database.read(
            context, PurchaseRequest.page(filter, after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(requests, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<PurchaseRequest> {
        let find = PurchaseRequest.find(try context.id("purchase request"), in: context.scope)
        return Answer(try await database.found(context, find, "purchase request"))
    }

    @Sendable private func create(
        _ request: Request, _ context: TenantContext
    ) async throws -> Answer<Created<PurchaseRequest>> {
        var body = try await JSONBody(request, context)
        let wanted = try PurchaseRequestFields(&body, standing: nil)
        let key = try IdempotencyKey(request, field: wanted.requestID, operation: "purchase-requests", payload: wanted)
        let purchasing = Purchasing(context: context, trail: AuditTrail(request, context))
        return try await database.withTenant(context) { tx in
            if let answer = try await key?.begin(in: tx) {
                try context.checkMaySee([wanted.siteID])
                return Answer(.before(answer))
            }
            let made = try await purchasing.create(wanted, key: key?.key, in: tx)
            if let key { try await tx.run(key.finish(made, in: tx)) }
            return Answer(.now(made), createdAt: "/api/v1/purchase-requests/\(made.id.lowercaseString)")
        }
    }

    private func change(
        _ request: Request, _ context: TenantContext, replaces: Bool
    ) async throws -> Answer<PurchaseRequest> {
        let body = try await JSONBody(request, context)
        return try await locked(request, context) { before, purchasing, tx in
            var whole = replaces ? body : body.merged(into: before)
            if replaces { whole.keep("request_id", before.requestID) }
            return try await purchasing.change(
                before, to: try PurchaseRequestFields(&whole, standing: before), in: tx)
        }
    }

    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        _ = try await locked(request, context) { before, purchasing, tx in
            try await purchasing.delete(before, in: tx)
            return before
        }
        return .noContent
    }

    /// Nothing changes where it is so already. A rejection says why.
    private func take(
        _ step: PurchaseStep, _ request: Request, _ context: TenantContext
    ) async throws -> Answer<PurchaseRequest> {
        var body = try await JSONBody(request, context, mayBeEmpty: step != .reject)
        let reason = step == .reject ? body.required("reason") { $0.bounded($1, 1...2_000) } : body.note("reason")
        try body.check()
        return try await locked(request, context) { before, purchasing, tx in
            try await purchasing.take(step, before, reason: reason, in: tx) ?? before
        }
    }

    /// `lines`: [{product_id, quantity}], without them all that is still to come; `reference`, such as a delivery note's number.
    @Sendable private func receive(
        _ request: Request, _ context: TenantContext
    ) async throws -> Answer<Created<PurchaseRequest>> {
        let id = try context.id("purchase request")
        var body = try await JSONBody(request, context, mayBeEmpty: true)
        let receipt = try Receipt(&body)
        let key = try IdempotencyKey(
            request, field: receipt.requestID, operation: "purchase-requests/receive",
            payload: ReceiptOf(request: id, receipt: receipt))
        let purchasing = Purchasing(context: context, trail: AuditTrail(request, context))
        return try await database.withTenant(context) { tx in
            let before = try await PurchaseRequest.locked(id, context, in: tx)
            if let answer = try await key?.begin(in: tx) { return Answer(.before(answer)) }
            try request.checkIfMatch(before)
            let after = try await purchasing.receive(receipt, for: before, key: key?.key, in: tx) ?? before
            if let key { try await tx.run(key.finish(after, in: tx)) }
            return Answer(.now(after))
        }
    }

    private func locked(
        _ request: Request, _ context: TenantContext,
        _ body: @Sendable (PurchaseRequest, Purchasing, TenantTransaction) async throws -> PurchaseRequest
    ) async throws -> Answer<PurchaseRequest> {
        let id = try context.id("purchase request")
        let purchasing = Purchasing(context: context, trail: AuditTrail(request, context))
        return try await database.withTenant(context) { tx in
            let before = try await PurchaseRequest.locked(id, context, in: tx)
            try request.checkIfMatch(before)
            return Answer(try await body(before, purchasing, tx))
        }
    }
}

extension PurchaseRequest {
    /// - Throws: `Problem` 404.
    fileprivate static func locked(
        _ id: UUID, _ context: TenantContext, in tx: TenantTransaction
    ) async throws -> PurchaseRequest {
        _ = try await tx.found(lock(id, in: context.scope), "purchase request")
        return try await tx.written(find(id, in: context.scope))
    }
}

/// What the same receipt is the same by.
private struct ReceiptOf: JSONWritable {
    let request: UUID
    let receipt: Receipt

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("purchase_request_id", request)
            object.field("lines", receipt.lines?.map { Vale.Line(productID: $0.productID, quantity: $0.quantity) })
            object.field("reference", receipt.reference)
        }
    }
}
