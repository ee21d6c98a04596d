import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Query

/// Two tenants and an outbox that reaches this machine's own servers.
struct OutboxBed: Sendable {
    static let secret = "whsec_" + Data(repeating: 5, count: 32).base64EncodedString()

    let migrated: MigratedDatabase
    let database: Database
    let box: SecretBox
    let north, south: Tenant
    let metrics = MetricRegistry()

    static func run(_ body: @escaping @Sendable (OutboxBed) async throws -> Void) async throws {
        try await MigratedDatabase.withClone { migrated in
            let north = try await migrated.plantTenant("north")
            let south = try await migrated.plantTenant("south")
            let box = try SecretBox(masterKey: "k1:" + Data(repeating: 7, count: 32).base64EncodedString())
            try await migrated.withPool(as: .system, maxConnections: 8) { database in
                try await body(OutboxBed(migrated: migrated, database: database, box: box, north: north, south: south))
            }
        }
    }

    func outbox(
        notifiers: [NewNotification.Channel: any Notifier] = [:], timeLimit: Duration = .seconds(15),
        networks: [String] = ["127.0.0.0/8"], resolve: @escaping AddressLookup.Resolve = AddressLookup.ask
    ) -> Outbox {
        let lookup = AddressLookup(AddressGuard(exceptions: networks.compactMap { IPNetwork($0) }), resolve: resolve)
        return Outbox(
            database: database, secretBox: box, sender: WebhookSender(addresses: lookup, timeLimit: timeLimit),
            notifiers: notifiers, metrics: OutboxMetrics(metrics), logger: .silent)
    }

    @discardableResult
    func endpoint(
        of tenant: Tenant, _ url: String, types: [String] = [], secrets: [String] = [secret]
    ) async throws -> UUID {
        let id = UUID.v7()
        let seals = try secrets.map { try WebhookSecret.insert($0, of: id, tenant: tenant.id, box) }
        try await migrated.asSuperuser { connection in
            try await connection.run(
                """
                INSERT INTO webhook_endpoints (tenant_id, id, url, event_types)
                VALUES (\(tenant.id), \(id), \(url), \(types))
                """)
            for seal in seals { try await connection.run(seal) }
        }
        return id
    }

    @discardableResult
    func event(of tenant: Tenant, _ type: String = "vale.created", data: String = "{}") async throws -> UUID {
        let id = UUID.v7()
        try await migrated.asSuperuser { connection in
            try await connection.run(
                "INSERT INTO events (tenant_id, id, type, data) VALUES (\(tenant.id), \(id), \(type), \(JSONB(data)))")
        }
        return id
    }

    @discardableResult
    func notification(of tenant: Tenant, _ channel: NewNotification.Channel, to recipient: String) async throws -> UUID
    {
        let new = NewNotification(channel: channel, recipient: recipient, subject: "Low stock", body: "Product P-1")
        let command = new.insert(into: tenant.id)
        return try await migrated.asSuperuser { connection in
            try await connection.run(command)
            return try #require(try await connection.first("SELECT id FROM notifications ORDER BY id DESC LIMIT 1"))
        }
    }

    func run(_ command: Command) async throws {
        try await migrated.asSuperuser { _ = try await $0.run(command) }
    }

    /// `status attempts last_status last_error` of each delivery, in the order of creation.
    func deliveries(of tenant: Tenant? = nil) async throws -> [String] {
        let owner = tenant?.id
        return try await migrated.asSuperuser { connection in
            try await connection.all(
                """
                SELECT concat_ws(' ', status, attempts, last_status, last_error) FROM webhook_deliveries
                 WHERE \(owner) IS NULL OR tenant_id = \(owner) ORDER BY id
                """)
        }
    }

    func notifications() async throws -> [String] {
        try await migrated.asSuperuser { connection in
            try await connection.all(
                "SELECT concat_ws(' ', channel, status, attempts, last_error) FROM notifications ORDER BY id")
        }
    }
}
