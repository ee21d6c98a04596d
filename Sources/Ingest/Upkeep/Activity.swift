import Foundation
import Logging
import Postgres
import ServiceLifecycle
import Shared
import Synchronization

/// What is only interesting as of now, gathered in memory and written once a second: when a store was last heard of and by
/// what gateway, when a key was last used. A crash loses a second of it, which the next request makes good.
final class Activity: Service {
    private struct Store: Hashable {
        let tenant: TenantID
        let owner: Int32
    }

    private struct Key: Hashable {
        let tenant: TenantID
        let id: UUID
    }

    private struct Seen {
        var at: Timestamp
        var gatewayVersion: String?
    }

    private struct State {
        var stores: [Store: Seen] = [:]
        var keys: [Key: Timestamp] = [:]
    }

    private let state = Mutex(State())
    private let database: Database
    private let interval: Duration
    private let logger: Logger

    init(database: Database, interval: Duration = .seconds(1), logger: Logger) {
        self.database = database
        self.interval = interval
        self.logger = logger
    }

    /// Notes a stored batch of a store.
    func seen(_ credential: StoreCredential, gatewayVersion: String?, at now: Timestamp) {
        state.withLock { state in
            let store = Store(tenant: credential.tenant.id, owner: credential.owner)
            var seen = state.stores[store] ?? Seen(at: now, gatewayVersion: nil)
            seen.at = max(seen.at, now)
            seen.gatewayVersion = gatewayVersion ?? seen.gatewayVersion
            state.stores[store] = seen
            state.keys[Key(tenant: credential.tenant.id, id: credential.keyID)] = now
        }
    }

    func run() async throws {
        await repeatUntilShutdown(every: interval, logger: logger) { try await self.flush() }
        do {
            try await flush()
        } catch {
            logger.warning("last activity was not written", metadata: ["reason": "\(error)"])
        }
    }

    /// Writes what was noted since; what could not be written is noted again.
    func flush() async throws {
        let (stores, keys) = state.withLock { state in
            defer { state = State() }
            return (state.stores, state.keys)
        }
        let tenants = Set(stores.keys.map(\.tenant)).union(keys.keys.map(\.tenant)).sorted()
        do {
            for tenant in tenants {
                try await write(
                    stores.filter { $0.key.tenant == tenant }, keys.filter { $0.key.tenant == tenant }, tenant)
            }
        } catch {
            state.withLock { state in
                state.stores.merge(stores) { newer, _ in newer }
                state.keys.merge(keys) { newer, _ in newer }
            }
            throw error
        }
    }

    private func write(_ stores: [Store: Seen], _ keys: [Key: Timestamp], _ tenant: TenantID) async throws {
        let stores = stores.sorted { $0.key.owner < $1.key.owner }
        let keys = keys.sorted { $0.key.id < $1.key.id }
        try await database.pool.transaction(settings: [tenant.setting]) { tx in
            _ = try await tx.pipeline([
                ("""
                INSERT INTO site_states AS s (tenant_id, owner_id, last_seen_at, gateway_version)
                SELECT \(tenant), * FROM unnest(\(stores.map(\.key.owner)), \(stores.map(\.value.at)),
                    \(stores.map(\.value.gatewayVersion)))
                ON CONFLICT (tenant_id, owner_id)
                DO UPDATE SET last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at),
                              gateway_version = coalesce(excluded.gateway_version, s.gateway_version)
                """ as Command).erased,
                ("""
                UPDATE api_keys AS k SET last_used_at = w.used_at
                  FROM unnest(\(keys.map(\.key.id)), \(keys.map(\.value))) AS w (id, used_at)
                 WHERE k.tenant_id = \(tenant) AND k.id = w.id
                   AND (k.last_used_at IS NULL OR k.last_used_at < w.used_at)
                """ as Command).erased,
            ])
        }
    }
}
