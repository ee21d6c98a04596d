import Foundation
import Shared
import Support
import Testing

@testable import Postgres
@testable import Query

extension MigratedDatabase {
    /// Blocks of 8 KiB that a statement of north's touches.
    func cost<Row>(_ statement: @escaping @Sendable (TenantScope) -> Statement<Row>) async throws -> Int {
        try await withPool(as: .query) { pool in
            let found = try await pool.lookUp(Tenant.bySlug("north")).first
            let tenant = try #require(found)
            let asked = statement(TenantScope(tenant.id))
            let explained = AnyStatement(
                sql: "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + asked.sql, parameters: asked.parameters)
            let plan = try await pool.withTenant(tenant) { tx in
                try await tx.pipeline([explained])[0].rows(as: JSONB.self)[0].text
            }
            let read = try JSONSerialization.jsonObject(with: Data(plan.utf8)) as? [[String: Any]]
            let top = try #require(read?.first?["Plan"] as? [String: Any], "\(plan)")
            return (top["Shared Hit Blocks"] as? Int ?? 0) + (top["Shared Read Blocks"] as? Int ?? 0)
        }
    }
}
