import Logging
import Postgres
import ServiceLifecycle
import Shared

/// Drops from caches what the database says has changed; what it said while nobody listened is made good by dropping
/// all.
struct ChangeListening: Service, CustomStringConvertible {
    let connection: ConnectionConfiguration
    let directory: AccessDirectory
    let logger: Logger

    func run() async throws {
        let listener = NotificationListener(
            connection, channels: ["pulsegate_changes"], logger: logger,
            onReconnect: { directory.invalidateAll() },
            onNotification: { notification in
                guard let tenant = Self.tenant(of: notification) else { return directory.invalidateAll() }
                directory.invalidate(tenant)
            })
        await cancelWhenGracefulShutdown { await listener.run() }
    }

    /// Service groups log their services; a connection's URL may hold a password.
    var description: String { "ChangeListening" }

    /// Payloads are `<table>:<tenant's int4 id>`; the id is missing where something was changed outside of a tenant.
    private static func tenant(of notification: Postgres.Notification) -> TenantID? {
        notification.payload.split(separator: ":").last.flatMap { Int32($0) }.map { TenantID($0) }
    }
}
