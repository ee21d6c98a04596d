import Postgres

extension MetricRegistry {
    /// The pool's numbers, read when metrics are.
    package func registerPool(_ pool: PostgresPool) {
        let states: [(String, @Sendable (PostgresPool.Statistics) -> Int)] = [
            ("idle", { $0.idle }), ("in_use", { $0.inUse }),
        ]
        for (state, count) in states {
            gauge(
                "pulsegate_database_connections", help: "Connections to the database.", labels: [("state", state)]
            ) { Double(count(pool.statistics())) }
        }
        gauge("pulsegate_database_waiters", help: "Callers that wait for a connection.") {
            Double(pool.statistics().waiting)
        }
    }
}
