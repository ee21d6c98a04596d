import Postgres
import ServiceLifecycle

/// Stands first among the services, so it is stopped last: when nobody needs the pool any more.
package struct PoolClosing: Service {
    let pools: [PostgresPool]

    package init(_ pools: PostgresPool...) {
        self.pools = pools
    }

    package func run() async throws {
        try? await gracefulShutdown()
        for pool in pools { await pool.close() }
    }
}
