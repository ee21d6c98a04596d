import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Postgres
import Shared

/// `/tenants/current/export`: an archive of everything, made in the background.
struct ExportRoutes: Sendable {
    let database: Database
    let exporter: Exporter

    func register(on api: TenantRoutes) {
        api.post("tenants/current/export", requires: .tenantWrite, use: begin)
        api.get("tenants/current/exports", requires: .tenantWrite, use: list)
        api.get("tenants/current/exports/:id", requires: .tenantWrite, use: one)
        api.get("tenants/current/exports/:id/archive", requires: .tenantWrite, use: archive)
    }

    @Sendable private func begin(_ request: Request, _ context: TenantContext) async throws -> EditedResponse<
        Answer<Export>
    > {
        try context.mayReadEverything()
        let id = UUID.v7()
        let origin = context.origin(of: request)
        let export: Export
        do {
            export = try await database.withTenant(context) { tx in
                try await tx.run(all: Export.makeRoom(in: tx.tenantID))
                guard
                    let export = try await tx.first(
                        Export.insert(id, by: context.principal.personID, into: tx.tenantID))
                else {
                    throw Problem.internal("a new export was not answered")
                }
                let entry = AuditEntry(
                    .exportRequested, "export", id, before: Export?.none, after: export, by: context.principal, origin)
                try await tx.run(entry.insert(into: tx.tenantID))
                return export
            }
        } catch let error as PostgresError where error.sqlState == "23505" {
            throw Problem.conflict(
                "export_running",
                detail: "An export is being made already. One that nobody works on any more is given up after a minute."
            )
        }
        do {
            try exporter.take(.init(tenant: context.tenant, export: id))
        } catch {
            try await database.withTenant(context) { tx in
                _ = try await tx.run(Export.finish(id, .failed, until: nil, in: tx.tenantID))
            }
            throw error
        }
        let location = Export.path + id.lowercaseString
        return EditedResponse(status: .accepted, headers: [.location: location], response: Answer(export))
    }

    /// Newest first.
    @Sendable private func list(_ request: Request, _ context: TenantContext) async throws -> PageAnswer<Export> {
        try context.mayReachAllSites()
        let page = try PageRequest<UUID>(request, tenant: context.tenant.uuid)
        let found = try await database.read(
            context, Export.page(before: page.after, limit: page.fetchLimit, in: context.tenantID))
        return try PageAnswer(found, page, of: request, context) { $0.id }
    }

    @Sendable private func one(_ request: Request, _ context: TenantContext) async throws -> Answer<Export> {
        Answer(try await find(context))
    }

    /// A gzipped tape archive with a folder a table, of files with a JSON object a line.
    @Sendable private func archive(_ request: Request, _ context: TenantContext) async throws -> Response {
        try context.mayReadEverything()
        let export = try await find(context)
        guard export.status == .finished else {
            throw Problem.conflict(
                "not_finished", detail: "There is no archive of this export: it is \(export.status.rawValue).")
        }
        let first = try await database.read(context, Export.part(0, of: export.id, in: context.tenantID)).first
        guard let first else { throw Problem.notFound("archive") } // expired
        let (database, length) = (database, Int(export.bytes))
        let body = ResponseBody(contentLength: length) { writer in
            try await writer.write(ByteBuffer(bytes: first))
            var (position, sent) = (Int32(1), first.count)
            while sent < length {
                let next = Export.part(position, of: export.id, in: context.tenantID)
                // What was announced can't be kept any more: the connection breaks, which tells the client.
                guard let part = try await database.read(context, next).first else { throw Problem.notFound("archive") }
                try await writer.write(ByteBuffer(bytes: part))
                (position, sent) = (position + 1, sent + part.count)
            }
            try await writer.finish(nil)
        }
        let name = "pulsegate-\(context.tenant.slug)-\(export.createdAt.rfc3339.prefix(10)).tar.gz"
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/gzip", .contentDisposition: "attachment; filename=\"\(name)\"",
                .cacheControl: "no-store",
            ], body: body)
    }

    private func find(_ context: TenantContext) async throws -> Export {
        try context.mayReachAllSites()
        let id = try context.id("export")
        guard let export = try await database.read(context, Export.find(id, in: context.tenantID)).first else {
            throw Problem.notFound("export")
        }
        return export
    }
}

extension TenantContext {
    /// An archive shows what each endpoint shows to those who may ask it.
    /// - Throws: `Problem` 403.
    fileprivate func mayReadEverything() throws {
        try mayReachAllSites()
        try principal.mayGrant(Scope.reads.map(\.rawValue))
    }
}
