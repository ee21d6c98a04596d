import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

struct ProductRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("products", requires: .productsRead, use: list)
        api.post("products", requires: .productsWrite, use: create)
        api.get("products/:id", requires: .productsRead, use: one)
        api.patch("products/:id", requires: .productsWrite) { try await change($0, $1, replaces: false) }
        api.put("products/:id", requires: .productsWrite) { try await change($0, $1, replaces: true) }
        api.delete("products/:id", requires: .productsWrite, use: delete)
        api.get("stock-movements/low-stock", requires: .stockMovementsRead, use: low)
    }

    /// Filters: `sku`, `supplier_id`, `is_active`.
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Product> {
        var query = QueryParameters(request)
        var filter = Product.Filter(skus: query.list("sku"), suppliers: query.ids("supplier_id"))
        if query.text("is_active") != nil { filter.isActive = query.flag("is_active") }
        try query.check()
        return try await page(filter, request, context)
    }

    /// Products that are watched and of which there is no more than their `min_stock`.
    @Sendable private func low(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Product> {
        try await page(Product.Filter(isLow: true), request, context)
    }

    private func page(
        _ filter: Product.Filter, _ request: Request, _ context: TenantContext
    ) async throws -> PageAnswer<Product> {
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let products = try await database.read(
            context, Product.page(filter, after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(products, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<Product> {
        let find = Product.find(try context.id("product"), in: context.scope)
        return Answer(try await database.found(context, find, "product"))
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> Answer<Product> {
        var body = try await JSONBody(request, context)
        let fields = try ProductFields(&body)
        try context.mayReachAllSites()
        let trail = AuditTrail(request, context)
        let id = UUID.v7()
        return try await database.withTenant(context) { tx in
            try await fields.holdSupplier(in: tx)
            try await tx.run(Product.insert(id, fields, into: tx.tenantID))
            let product = try await tx.written(Product.find(id, in: context.scope))
            try await tx.run(trail.created(.productCreated, product.entry))
            return Answer(product, createdAt: "/api/v1/products/\(id.lowercaseString)")
        }
    }

    private func change(
        _ request: Request, _ context: TenantContext, replaces: Bool
    ) async throws -> Answer<Product> {
        let id = try context.id("product")
        let body = try await JSONBody(request, context)
        try context.mayReachAllSites()
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            let before = try await Product.locked(Product.lock(id, in: tx.tenantID), context, in: tx)
            try request.checkIfMatch(before)
            var whole = replaces ? body : body.merged(into: before)
            let fields = try ProductFields(&whole)
            if fields.supplierID != before.fields.supplierID { try await fields.holdSupplier(in: tx) }
            try await tx.run(Product.update(id, fields, in: tx.tenantID))
            let after = try await tx.written(Product.find(id, in: context.scope))
            try await tx.run(trail.changed(.productChanged, before.entry, after.entry))
            return Answer(after)
        }
    }

    /// What is there, or may come back, stands against it.
    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        let id = try context.id("product")
        try context.mayReachAllSites()
        let trail = AuditTrail(request, context)
        try await database.withTenant(context) { tx in
            let product = try await Product.locked(Product.lockWithStock(id, in: tx.tenantID), context, in: tx)
            try request.checkIfMatch(product)
            guard try await tx.first(Product.isInUse(id, in: tx.tenantID)) == false else {
                throw Problem.conflict(
                    "product_in_use", detail: "There is stock of it, or an open vale or purchase request names it.")
            }
            try await tx.run(all: [Product.delete(id, in: tx.tenantID), trail.deleted(.productDeleted, product.entry)])
        }
        return .noContent
    }
}

extension Product {
    /// - Throws: `Problem` 404.
    fileprivate static func locked(
        _ lock: Statement<UUID>, _ context: TenantContext, in tx: TenantTransaction
    ) async throws -> Product {
        let id = try await tx.found(lock, "product")
        return try await tx.written(find(id, in: context.scope))
    }
}

extension ProductFields {
    /// - Throws: `Problem` 422 for one that isn't there.
    fileprivate func holdSupplier(in tx: TenantTransaction) async throws {
        guard let supplierID else { return }
        guard try await tx.first(Supplier.hold([supplierID], in: tx.tenantID)) != nil else {
            throw Problem.unknown("supplier_id", "supplier")
        }
    }
}
