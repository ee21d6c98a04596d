import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

/// `/api-keys`: of gateways, which ingest knows, and of programs, which use this API.
struct APIKeyRoutes: Sendable {
    let database: Database
    let directory: AccessDirectory

    func register(on api: TenantRoutes) {
        api.get("api-keys", requires: .apiKeysRead, use: list)
        api.post("api-keys", requires: .apiKeysWrite, use: create)
        api.get("api-keys/:id", requires: .apiKeysRead, use: one)
        api.patch("api-keys/:id", requires: .apiKeysWrite, use: change)
        api.delete("api-keys/:id", requires: .apiKeysWrite, use: revoke)
        api.post("api-keys/:id/rotate", requires: .apiKeysWrite, use: rotate)
    }

    /// Filters: `kind`, `store` (id or code).
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<APIKey> {
        var query = QueryParameters(request)
        let filter = APIKey.Filter(kinds: query.words("kind"), stores: query.references("store"))
        try query.check()
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let keys = try await database.read(
            context, APIKey.page(filter, after: page.after, limit: page.fetchLimit, in: context.scope))
        return try PageAnswer(keys, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<APIKey> {
        let id = try context.id("API key")
        guard let key = try await database.read(context, APIKey.find(id, in: context.scope)).first
        else { throw Problem.notFound("API key") }
        return Answer(key)
    }

    @Sendable private func create(_ request: Request, _ context: TenantContext) async throws -> Answer<IssuedAPIKey> {
        var body = try await JSONBody(request, context)
        let wanted = try APIKeyRequest(&body, by: context.principal)
        let origin = context.origin(of: request)
        return try await database.withTenant(context) { tx in
            if case .service = wanted.purpose { try context.mayIssueServiceKeys() }
            let issued = try await issue(wanted, .keyCreated, context, origin, in: tx)
            return Answer(issued, isSecret: true, createdAt: "/api/v1/api-keys/\(issued.key.id.lowercaseString)")
        }
    }

    @Sendable private func change(_ request: Request, _ context: TenantContext) async throws -> Answer<APIKey> {
        let id = try context.id("API key")
        var body = try await JSONBody(request, context)
        let change = try APIKeyChange(&body)
        let origin = context.origin(of: request)
        let changed = try await database.withTenant(context) { tx in
            let key = try await locked(id, request, context, in: tx)
            try context.mayIssue(key)
            guard
                let changed = try await tx.first(
                    change.apply(to: key, by: context.principal, in: context.tenantID))
            else { throw Problem.notFound("API key") }
            let entry = AuditEntry(
                .keyChanged, "api_key", id, before: key, after: changed, by: context.principal, origin)
            try await tx.run(entry.insert(into: context.tenantID))
            return changed
        }
        directory.invalidate(context.tenantID)
        return Answer(changed)
    }

    @Sendable private func revoke(_ request: Request, _ context: TenantContext) async throws -> HTTPResponse.Status {
        let id = try context.id("API key")
        let origin = context.origin(of: request)
        try await database.withTenant(context) { tx in
            let key = try await locked(id, request, context, in: tx)
            let entry = AuditEntry(
                .keyRevoked, "api_key", id, before: key, after: APIKey?.none, by: context.principal, origin)
            try await tx.run(all: [key.revoke(in: context.tenantID), entry.insert(into: context.tenantID)])
        }
        directory.invalidate(context.tenantID)
        return .noContent
    }

    /// A new key with the same rights; the old one goes on working for a while.
    @Sendable private func rotate(_ request: Request, _ context: TenantContext) async throws -> Answer<IssuedAPIKey> {
        let id = try context.id("API key")
        var body = try await JSONBody(request, context, mayBeEmpty: true)
        let overlap = body.overlap()
        try body.check()
        let origin = context.origin(of: request)
        let issued = try await database.withTenant(context) { tx in
            let key = try await locked(id, request, context, in: tx)
            try context.mayIssue(key)
            if let end = key.expiresAt, end <= .now() {
                throw Problem.conflict("expired", detail: "An expired key is replaced by a new one, not rotated.")
            }
            try await tx.run(key.expire(inSeconds: overlap, in: context.tenantID))
            return try await issue(APIKeyRequest(like: key), .keyRotated, before: key, context, origin, in: tx)
        }
        directory.invalidate(context.tenantID)
        return Answer(issued, isSecret: true)
    }

    private func issue(
        _ wanted: APIKeyRequest, _ action: AuditEntry.Action, before: APIKey? = nil, _ context: TenantContext,
        _ origin: AuditEntry.Origin, in tx: TenantTransaction
    ) async throws -> IssuedAPIKey {
        let new =
            switch wanted.purpose {
            case .store(let id):
                try NewAPIKey(
                    ofStore: try await store(id, context, in: tx), in: context.tenant, name: wanted.name,
                    expiresAt: wanted.expiresAt)
            case .service(let scopes):
                try NewAPIKey(with: scopes, in: context.tenant, name: wanted.name, expiresAt: wanted.expiresAt)
            }
        let principal = context.principal
        guard let key = try await tx.first(APIKey.insert(new, into: context.tenantID, by: principal.personID)) else {
            throw Problem.internal("a new key was not answered")
        }
        let entry = AuditEntry(action, "api_key", key.id, before: before, after: key, by: principal, origin)
        try await tx.run(entry.insert(into: context.tenantID))
        return IssuedAPIKey(key: key, secret: new.secret)
    }

    private func locked(
        _ id: UUID, _ request: Request, _ context: TenantContext, in tx: TenantTransaction
    ) async throws -> APIKey {
        guard let key = try await tx.first(APIKey.lock(id, in: context.scope)) else {
            throw Problem.notFound("API key")
        }
        try request.checkIfMatch(key)
        return key
    }

    private func store(_ id: UUID, _ context: TenantContext, in tx: TenantTransaction) async throws -> Site {
        let reference = References([id.uuidString])
        guard let site = try await tx.first(Site.find(reference, .store, in: context.scope)) else {
            throw Problem.unprocessable([
                .init(field: "store_id", code: "unknown", detail: "There is no such store.")
            ])
        }
        return site
    }
}

extension TenantContext {
    /// Whoever changes or rotates a key has it in hand.
    /// - Throws: `Problem` 403 for one that can do more than the principal.
    fileprivate func mayIssue(_ key: APIKey) throws {
        guard key.kind == .service else { return }
        try mayIssueServiceKeys()
        try principal.mayGrant(key.scopes)
    }

    /// - Throws: `Problem` 403 for a member limited to sites, since programs reach all of them; and for programs, which would live on
    ///   in others after their own end.
    fileprivate func mayIssueServiceKeys() throws {
        try mayReachAllSites()
        guard principal.kind == .user else {
            throw Problem.forbidden(code: "no_session", detail: "Keys of services are issued by people.")
        }
    }
}
