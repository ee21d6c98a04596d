import Logging
import Postgres
import Shared

/// The database as `pulsegate_system` sees it: one tenant at a time, and the list of tenants.
struct SystemDatabase: Sendable {
    let database: Database

    /// Connects for as long as `body` runs.
    static func with<Value: Sendable>(
        url: String? = nil, _ body: @Sendable (SystemDatabase) async throws -> Value
    ) async throws -> Value {
        let url = try url ?? EnvironmentSetting.systemDatabaseURL.required()
        let connection = ConnectionConfiguration(
            url: url, applicationName: "pulsegate", settings: ["lock_timeout": "10s"])
        let pool = PostgresPool(
            PoolConfiguration(connection: connection, maxConnections: 2),
            logger: Logger(label: "postgres") { _ in
                SwiftLogNoOpLogHandler()
            })
        do {
            let value = try await body(SystemDatabase(database: Database(pool: pool)))
            await pool.close()
            return value
        } catch {
            await pool.close()
            throw error
        }
    }

    /// - Throws: `Refusal` when there is no such tenant.
    func tenant(_ slug: String) async throws -> Tenant {
        guard let tenant = try await database.lookUp(Tenant.named(slug)).first else {
            throw Refusal(.conflict, "there is no tenant \(slug)")
        }
        return tenant
    }
}

extension Tenant {
    /// Only `pulsegate_system` sees tenants before one is set.
    static func named(_ slug: String) -> Statement<Tenant> {
        "SELECT id, uuid, slug, plan, is_active FROM tenants WHERE slug = \(slug)"
    }
}
