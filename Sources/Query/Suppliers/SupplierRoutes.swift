import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

struct SupplierRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("suppliers", requires: .suppliersRead, use: list)
        api.post("suppliers", requires: .suppliersWrite, use: create)
        api.get("suppliers/:id", requires: .suppliersRead, use: one)
        api.patch("suppliers/:id", requires: .suppliersWrite) { try await change($0, $1, replaces: false) }
        api.put("suppliers/:id", requires: .suppliersWrite) { try await change($0, $1, replaces: true) }
        api.delete("suppliers/:id", requires: .suppliersWrite, use: delete)
    }

    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Supplier> {
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let suppliers = try await database.read(
            context, Supplier.page(after: page.after, limit: page.fetchLimit, in: context.tenantID))
        return try PageAnswer(suppliers, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<Supplier> {
        let find = Supplier.find(try context.id("supplier"), in: context.tenantID)
        return Answer(try await database.found(context, find, "supplier"))
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> Answer<Supplier> {
        var body = try await JSONBody(request, context)
        let fields = try SupplierFields(&body)
        try context.mayReachAllSites()
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            let supplier = try await tx.written(Supplier.insert(fields, into: tx.tenantID))
            try await tx.run(trail.created(.supplierCreated, supplier))
            return Answer(supplier, createdAt: "/api/v1/suppliers/\(supplier.id.lowercaseString)")
        }
    }

    private func change(
        _ request: Request, _ context: TenantContext, replaces: Bool
    ) async throws -> Answer<Supplier> {
        let id = try context.id("supplier")
        let body = try await JSONBody(request, context)
        try context.mayReachAllSites()
        let trail = AuditTrail(request, context)
        return try await database.withTenant(context) { tx in
            let before = try await tx.found(Supplier.lock(id, in: tx.tenantID), "supplier")
            try request.checkIfMatch(before)
            var whole = replaces ? body : body.merged(into: before)
            let after = try await tx.written(Supplier.update(id, try SupplierFields(&whole), in: tx.tenantID))
            try await tx.run(trail.changed(.supplierChanged, before, after))
            return Answer(after)
        }
    }

    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        let id = try context.id("supplier")
        try context.mayReachAllSites()
        let trail = AuditTrail(request, context)
        try await database.withTenant(context) { tx in
            let supplier = try await tx.found(Supplier.lock(id, in: tx.tenantID), "supplier")
            try request.checkIfMatch(supplier)
            guard try await tx.first(Supplier.isInUse(id, in: tx.tenantID)) == false else {
                throw Problem.conflict("supplier_in_use", detail: "Products have this supplier.")
            }
            try await tx.run(all: [Supplier.delete(id, in: tx.tenantID), trail.deleted(.supplierDeleted, supplier)])
        }
        return .noContent
    }
}
