import Postgres
import Shared
import Support

extension MigratedDatabase {
    /// A tenant in a database of its own, as `pulsegate_system` and, for looking, as `pulsegate_query`.
    static func withTenant(
        plan: Plan = .enterprise,
        _ body: @Sendable (Tenant, _ system: Database, _ reader: Database) async throws -> Void
    ) async throws {
        try await withClone { clone in
            let tenant = try await clone.plantTenant("acme", plan: plan)
            try await clone.withPool(as: .system) { system in
                try await clone.withPool(as: .query) { reader in
                    try await body(tenant, system, reader)
                }
            }
        }
    }
}
