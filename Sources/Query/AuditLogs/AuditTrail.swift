import Foundation
import Hummingbird
import Postgres
import Shared

/// What the audit log keeps of a resource that is changed.
protocol Audited: JSONWritable {
    /// As the log calls it.
    static var resourceType: String { get }
    var id: UUID { get }
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
        entry(action, Resource.resourceType, new.id, before: nil, after: new)
    }

    func changed<Resource: Audited>(
        _ action: AuditEntry.Action, _ before: Resource, _ after: Resource
    ) -> Command {
        entry(action, Resource.resourceType, after.id, before: before, after: after)
    }

    func deleted<Resource: Audited>(_ action: AuditEntry.Action, _ old: Resource) -> Command {
        entry(action, Resource.resourceType, old.id, before: old, after: nil)
    }

    func entry<View: JSONWritable>(
        _ action: AuditEntry.Action, _ type: String, _ id: UUID, before: View?, after: View?
    ) -> Command {
        AuditEntry(action, type, id, before: before, after: after, by: actor, origin).insert(into: tenant)
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
