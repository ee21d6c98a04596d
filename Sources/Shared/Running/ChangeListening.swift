import Logging
import Postgres
import ServiceLifecycle

/// Tells a process's caches what people changed: triggers say `<table>:<tenant's int4 id>` on `pulsegate_changes`.
package struct ChangeListening: Service, CustomStringConvertible {
    private let connection: ConnectionConfiguration
    private let logger: Logger
    private let onChange: @Sendable (_ table: String, TenantID) -> Void
    private let onUnknown: @Sendable () -> Void

    /// - Parameters:
    ///   - onChange: something of a tenant changed in a table.
    ///   - onUnknown: anything may have changed, so all must be dropped: listening has just begun, and what was said before
    ///     is lost; or the change was made outside of a tenant.
    package init(
        _ connection: ConnectionConfiguration, logger: Logger,
        onChange: @escaping @Sendable (_ table: String, TenantID) -> Void, onUnknown: @escaping @Sendable () -> Void
    ) {
        self.connection = connection
        self.logger = logger
        self.onChange = onChange
        self.onUnknown = onUnknown
    }

    package func run() async throws {
        let listener = NotificationListener(
            connection, channels: ["pulsegate_changes"], logger: logger, onReconnect: onUnknown,
            onNotification: { notification in
                let words = notification.payload.split(separator: ":")
                guard words.count == 2, let tenant = Int32(words[1]) else { return onUnknown() }
                onChange(String(words[0]), TenantID(tenant))
            })
        await cancelWhenGracefulShutdown { await listener.run() }
    }

    /// Service groups log their services, and the closures hold what has secrets.
    package var description: String { "ChangeListening" }
}
