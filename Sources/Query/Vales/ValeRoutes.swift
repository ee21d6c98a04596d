import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

struct ValeRoutes: Sendable {
    let database: Database

    func register(on api: TenantRoutes) {
        api.get("vales", requires: .valesRead, use: list)
        api.post("vales", requires: .valesWrite, use: create)
        api.get("vales/:id", requires: .valesRead, use: one)
        api.patch("vales/:id", requires: .valesWrite) { try await change($0, $1, replaces: false) }
        api.put("vales/:id", requires: .valesWrite) { try await change($0, $1, replaces: true) }
        api.delete("vales/:id", requires: .valesWrite, use: delete)
        for step in ValeStep.allCases {
            api.post("vales/:id/\(step.path)", requires: step.scope) { try await take(step, $0, $1) }
        }
    }

    /// Newest first. Filters: `site` (id or code), `status`, `number`.
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Vale> {
        var query = QueryParameters(request)
        let filter = Vale.Filter(
            sites: query.references("site"), statuses: query.words("status"),
            number: query.integer("number", in: 1...Int.max).map(Int64.init))
        try query.check()
        let page = try PageRequest<Int64>(request, tenant: context.tenant.uuid)
        let vales = try await database.read(
            context, Vale.page(filter, after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(vales, page, of: request, context) { $0.number }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<Vale> {
        Answer(try await database.found(context, Vale.find(try context.id("vale"), in: context.scope), "vale"))
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> Answer<Created<Vale>> {
        var body = try await JSONBody(request, context)
        let wanted = try ValeFields(&body, standing: nil)
        let key = try IdempotencyKey(request, field: wanted.requestID, operation: "vales", payload: wanted)
        let issuing = Issuing(context: context, trail: AuditTrail(request, context))
        return try await database.withTenant(context) { tx in
            if let answer = try await key?.begin(in: tx) {
                try context.checkMaySee([wanted.siteID])
                return Answer(.before(answer))
            }
            let made = try await issuing.issue(wanted, key: key?.key, in: tx)
            if let key { try await tx.run(key.finish(made, in: tx)) }
            return Answer(.now(made), createdAt: "/api/v1/vales/\(made.id.lowercaseString)")
        }
    }

    private func change(
        _ request: Request, _ context: TenantContext, replaces: Bool
    ) async throws -> Answer<Vale> {
        let id = try context.id("vale")
        let body = try await JSONBody(request, context)
        let issuing = Issuing(context: context, trail: AuditTrail(request, context))
        return try await database.withTenant(context) { tx in
            let before = try await Vale.locked(id, context, in: tx)
            try request.checkIfMatch(before)
            var whole = replaces ? body : body.merged(into: before)
            if replaces { whole.keep("request_id", before.requestID) }
            return Answer(try await issuing.change(before, to: try ValeFields(&whole, standing: before), in: tx))
        }
    }

    /// Gives back what an issued one took, and forgets it but for its number. What was delivered stays.
    @Sendable private func delete(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        let id = try context.id("vale")
        let trail = AuditTrail(request, context)
        let issuing = Issuing(context: context, trail: trail)
        try await database.withTenant(context) { tx in
            let vale = try await Vale.locked(id, context, in: tx)
            try request.checkIfMatch(vale)
            guard vale.status != .delivered else {
                throw Problem.conflict("invalid_status", detail: "What was delivered can't be deleted.")
            }
            if vale.status == .issued { try await issuing.giveBack(vale, in: tx) }
            try await tx.run(all: [Vale.delete(id, in: tx.tenantID), trail.deleted(.valeDeleted, vale)])
        }
        return .noContent
    }

    /// Nothing changes where it is so already.
    private func take(
        _ step: ValeStep, _ request: Request, _ context: TenantContext
    ) async throws -> Answer<Vale> {
        let id = try context.id("vale")
        let trail = AuditTrail(request, context)
        let issuing = Issuing(context: context, trail: trail)
        return try await database.withTenant(context) { tx in
            let before = try await Vale.locked(id, context, in: tx)
            try request.checkIfMatch(before)
            let status: Vale.Status?
            do throws(ValeStep.Refusal) {
                status = try step.apply(to: before.status)
            } catch {
                throw Problem.conflict("invalid_status", detail: error.detail)
            }
            guard let status else { return Answer(before) }
            if status == .cancelled {
                try await issuing.giveBack(before, in: tx)
            } else {
                try await tx.run(Vale.settle(id, status, in: tx.tenantID))
            }
            let after = try await tx.written(Vale.find(id, in: context.scope))
            try await tx.run(trail.changed(step.action, before, after))
            return Answer(after)
        }
    }
}

extension Vale {
    /// - Throws: `Problem` 404.
    fileprivate static func locked(
        _ id: UUID, _ context: TenantContext, in tx: TenantTransaction
    ) async throws -> Vale {
        _ = try await tx.found(lock(id, in: context.scope), "vale")
        return try await tx.written(find(id, in: context.scope))
    }
}
