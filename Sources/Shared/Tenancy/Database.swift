import Logging
import Postgres

/// Whoever acts for one tenant: a request's context, a verified credential.
package protocol TenantScoped: Sendable {
    var tenantID: TenantID { get }
}

extension Tenant: TenantScoped {
    package var tenantID: TenantID { id }
}

/// The only way to a tenant's rows: every transaction begins by saying whose it is, and row-level security does the rest.
package struct Database: Sendable {
    package let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Runs `body` in a transaction that sees one tenant. BEGIN and the tenant's setting travel with the first statement;
    /// after a serialization failure or deadlock the body runs again, so it must have no effect but on `tx`.
    /// - Throws: `PostgresError`, or what `body` throws; in both cases nothing was written.
    package func withTenant<R: Sendable>(
        _ scope: some TenantScoped, _ options: TransactionOptions = .init(),
        _ body: @Sendable (TenantTransaction) async throws -> R
    ) async throws -> R {
        let tenant = scope.tenantID
        return try await pool.transaction(options, settings: [tenant.setting]) { transaction in
            try await body(TenantTransaction(tenantID: tenant, transaction: transaction))
        }
    }

    /// Runs `body` in a transaction that makes a tenant and goes on within it.
    /// - Parameter tenant: makes it and answers with it.
    /// - Throws: as ``withTenant(_:_:_:)``.
    package func founding<R: Sendable>(
        _ tenant: Statement<Tenant>, _ body: @Sendable (TenantTransaction, Tenant) async throws -> R
    ) async throws -> R {
        try await pool.transaction { transaction in
            guard let tenant = try await transaction.first(tenant) else {
                throw Problem.internal("a new tenant was not answered")
            }
            try await transaction.set([tenant.id.setting])
            return try await body(TenantTransaction(tenantID: tenant.id, transaction: transaction), tenant)
        }
    }

    /// One reading statement as a tenant, in one round trip.
    package func read<R>(_ scope: some TenantScoped, _ statement: Statement<R>) async throws -> [R] {
        try await pool.single(statement, readOnly: true, settings: [scope.tenantID.setting])
    }

    /// A statement that needs no tenant: functions of `pulsegate_lookup`, the schema's version.
    package func lookUp<R>(_ statement: Statement<R>) async throws -> [R] {
        try await pool.withConnection { try await $0.all(statement) }
    }
}

/// A transaction within one tenant; comes only from ``Database/withTenant(_:_:_:)``.
package struct TenantTransaction: QueryExecutor, TenantScoped {
    package let tenantID: TenantID
    fileprivate let transaction: PostgresTransaction

    package func all<R>(_ statement: Statement<R>) async throws -> [R] {
        try await transaction.all(statement)
    }

    package func first<R>(_ statement: Statement<R>) async throws -> R? {
        try await transaction.first(statement)
    }

    @discardableResult
    package func run(_ command: Command) async throws -> Int {
        try await transaction.run(command)
    }

    package func pipeline(_ statements: [AnyStatement]) async throws -> [ResultSet] {
        try await transaction.pipeline(statements)
    }
}
