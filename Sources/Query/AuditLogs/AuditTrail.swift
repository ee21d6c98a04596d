import Foundation
import Hummingbird
import Postgres
import Shared

/// What the audit log keeps of a resource that is changed.
protocol Audited: JSONWritable {
    /// As the log calls it.
    static var resourceType: String { get }
    var id: UUID { get }
    /// Of what is tied to a site; nil for what is of all of the tenant.
    var tiedSite: UUID? { get }
}

extension Audited {
    var tiedSite: UUID? { nil }
}

/// One request's entries in the audit log: who asks and from where.
struct AuditTrail: Sendable {
    private let actor: AuditEntry.Actor
    private let tenant: TenantID
    private let origin: AuditEntry.Origin

    init(_ request: Request, _ context: TenantContext) {
        actor = context.principal.actor
        tenant = context.tenantID
        origin = context.origin(of: request)
    }

    /// What the house does by itself.
    init(of service: StaticString, in tenant: TenantID) {
        actor = .service(service)
        self.tenant = tenant
        origin = AuditEntry.Origin(address: nil, userAgent: nil, requestID: nil)
    }

    func created<Resource: Audited>(_ action: AuditEntry.Action, _ new: Resource) -> Command {
        entry(action, Resource.resourceType, new.id, before: nil, after: new, site: new.tiedSite)
    }

    func changed<Resource: Audited>(
        _ action: AuditEntry.Action, _ before: Resource, _ after: Resource
    ) -> Command {
        entry(action, Resource.resourceType, after.id, before: before, after: after, site: after.tiedSite)
    }

    func deleted<Resource: Audited>(_ action: AuditEntry.Action, _ old: Resource) -> Command {
        entry(action, Resource.resourceType, old.id, before: old, after: nil, site: old.tiedSite)
    }

    func entry<View: JSONWritable>(
        _ action: AuditEntry.Action, _ type: String, _ id: UUID, before: View?, after: View?, site: UUID? = nil
    ) -> Command {
        var entry = AuditEntry(action, type, id, before: before, after: after, by: actor, origin)
        entry.siteID = site
        return entry.insert(into: tenant)
    }

    /// What is told of a resource beside what is written down of it.
    func told<Resource: Audited>(_ type: StaticString, of resource: Resource) -> Command {
        NewEvent(type: type.description, siteID: resource.tiedSite, data: resource.document).insert(into: tenant)
    }
}

extension TenantTransaction {
    /// The row that was asked for.
    /// - Throws: `Problem` 404.
    func found<Row>(_ statement: Statement<Row>, _ thing: String) async throws -> Row {
        guard let row = try await first(statement) else { throw Problem.notFound(thing) }
        return row
    }

    /// The row that an INSERT or UPDATE of a locked row answers.
    func written<Row>(_ statement: Statement<Row>) async throws -> Row {
        guard let row = try await first(statement) else { throw Problem.internal("a written row was not answered") }
        return row
    }
}
