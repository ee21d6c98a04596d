import Logging
import Postgres
import ServiceLifecycle
import Shared

/// Drops from the caches what people changed: the database tells `table:tenant` on `pulsegate_changes`.
struct ChangeFollower: Service {
    static let channel = "pulsegate_changes"

    let connection: ConnectionConfiguration
    let parts: IngestParts
    let logger: Logger

    func run() async throws {
        let parts = parts
        let listener = NotificationListener(
            connection, channels: [Self.channel], logger: logger,
            onReconnect: {
                // Whatever was said while nobody listened is lost.
                parts.keys.invalidateAll()
                parts.integrations.invalidateAll()
                parts.owners.invalidateAll()
            },
            onNotification: { notification in parts.drop(notification.payload) })
        await cancelWhenGracefulShutdown { await listener.run() }
    }
}

/// Service groups print their services; the parts hold opened secrets.
extension ChangeFollower: CustomStringConvertible {
    var description: String { "ChangeFollower" }
}

extension IngestParts {
    fileprivate func drop(_ change: String) {
        let words = change.split(separator: ":")
        guard words.count == 2, let number = Int32(words[1]) else { return }
        let tenant = TenantID(number)
        switch words[0] {
        case "devices", "device_profiles": owners.invalidate(tenant)
        default:
            keys.invalidate(tenant)
            integrations.invalidate(tenant)
        }
    }
}
