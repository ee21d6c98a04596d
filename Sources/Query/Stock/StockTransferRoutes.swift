import Foundation
import Hummingbird
import Postgres
import Shared

struct StockTransferRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.post("stock-transfers", requires: .stockMovementsWrite, use: create)
        api.get("stock-transfers/:id", requires: .stockMovementsRead, use: one)
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<StockTransfer> {
        let find = StockTransfer.find(try context.id("stock transfer"), in: context.scope)
        var transfer = try await database.found(context, find, "stock transfer")
        transfer.movements = try await database.read(
            context, StockMovement.of(transfer: transfer.id, in: context.tenantID))
        return Answer(transfer)
    }

    @Sendable private func create(
        _ request: Request, _ context: TenantContext
    ) async throws -> Answer<Created<StockTransfer>> {
        var body = try await JSONBody(request, context)
        let fields = try StockTransferFields(&body)
        let key = try IdempotencyKey(
            request, field: fields.words.requestID, operation: "stock-transfers", payload: fields)
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            if let answer = try await key?.begin(in: tx) {
                try context.checkMaySee([fields.fromSiteID, fields.toSiteID])
                return Answer(.before(answer))
            }
            let made = try await transfer(fields, key: key?.key, context, in: tx)
            // Whoever is limited to one of the sites hears of what happened there.
            let told = made.movements.map { trail.told("stock.moved", of: $0) }
            try await tx.run(
                all: [trail.created(.stockTransferred, made)] + told + (key.map { [$0.finish(made, in: tx)] } ?? []))
            return Answer(.now(made), createdAt: "/api/v1/stock-transfers/\(made.id.lowercaseString)")
        }
    }

    private func transfer(
        _ fields: StockTransferFields, key: String?, _ context: TenantContext, in tx: TenantTransaction
    ) async throws -> StockTransfer {
        let ledger = Ledger(scope: context.scope, actor: context.principal.actor)
        let books = try await ledger.open([fields.source, fields.destination], in: tx)
        try books.checkSite(fields.fromSiteID, field: "from_site_id")
        try books.checkSite(fields.toSiteID, field: "to_site_id")
        _ = try books.products([(fields.productID, "product_id")], mustBeActive: false)
        try books.check([
            .init(place: fields.source, taken: fields.quantity, field: "quantity"),
            .init(place: fields.destination, taken: -fields.quantity, field: "quantity"),
        ])
        let id = UUID.v7()
        var words = fields.words
        words.requestID = key
        let entries = [
            Ledger.Entry(place: fields.source, quantity: -fields.quantity, kind: .transferOut),
            Ledger.Entry(place: fields.destination, quantity: fields.quantity, kind: .transferIn),
        ]
        let (_, command) = ledger.write(entries, .init(transferID: id), words)
        try await tx.run(all: [StockTransfer.insert(id, fields, key: key, into: tx.tenantID), command])
        var made = try await tx.written(StockTransfer.find(id, in: context.scope))
        made.movements = try await tx.all(StockMovement.of(transfer: id, in: tx.tenantID))
        return made
    }
}
