import Foundation
import Postgres
import Shared

/// What an operator changed with this tool, written in the change's own transaction. Never holds a secret.
struct SystemAudit: Sendable {
    let action: String
    let resourceType: String
    let resourceID: String
    var before: [String: String]?
    var after: [String: String]?

    /// One statement for any number of entries.
    static func append(_ entries: [SystemAudit], tenant: TenantID, in transaction: some QueryExecutor) async throws {
        guard !entries.isEmpty else { return }
        let ids = entries.map { _ in UUID.v7() }
        let (befores, afters) = (try entries.map { try json($0.before) }, try entries.map { try json($0.after) })
        try await transaction.run(
            """
            INSERT INTO audit_logs (tenant_id, id, actor_kind, actor_name, action, resource_type, resource_id, before, after)
            SELECT \(tenant), w.id, 'system', \(actor), w.action, w.resource_type, w.resource_id, w.before, w.after
              FROM unnest(\(ids), \(entries.map(\.action)), \(entries.map(\.resourceType)), \(entries.map(\.resourceID)),
                   \(befores), \(afters)) AS w (id, action, resource_type, resource_id, before, after)
            """)
    }

    /// Entries of what an import made or changed.
    static func devices(of tenant: TenantID) -> DeviceImport.Terms.Recorder {
        { changes, tx in
            let entries = changes.map { change in
                SystemAudit(
                    action: change.kind.rawValue + (change.before == nil ? ".created" : ".changed"),
                    resourceType: change.kind.rawValue,
                    resourceID: change.id.lowercaseString, before: change.before, after: change.after)
            }
            try await append(entries, tenant: tenant, in: tx)
        }
    }

    /// Who ran the tool, as the operating system knows them.
    private static var actor: String { "pulsegate (\(NSUserName()))" }

    private static func json(_ fields: [String: String]?) throws -> JSONB? {
        try fields.map { JSONB(String(decoding: try JSON.encoder.encode($0), as: UTF8.self)) }
    }
}
