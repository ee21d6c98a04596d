import Postgres
import Shared

/// The frame of a group's transaction, sent in the same pipelines as what it holds.
enum GroupTransaction {
    static let begin = ("BEGIN" as Command).erased

    /// From here on the transaction acts for this tenant.
    static func set(_ tenant: TenantID) -> AnyStatement {
        Setting.apply([tenant.setting])
    }
}

extension PostgresConnection {
    /// Ends a failed transaction. When even that fails the connection is broken, and the pool replaces it.
    func rollBack() async {
        do {
            try await run("ROLLBACK")
        } catch {
            await close()
        }
    }
}

extension PostgresError {
    /// The data itself was refused (SQLSTATE classes 22, 23 and 54): trying again would not help, and its neighbours are
    /// not to blame.
    var isRefusal: Bool {
        kind == .server && ["22", "23", "54"].contains { sqlState?.hasPrefix($0) == true }
    }
}
