import Foundation
import Postgres
import ServiceLifecycle
import Shared
import Synchronization

/// Those who listen: how many they may be, how far their tenants' events have come, and when the process stops.
final class EventStreams: Service, CustomStringConvertible {
    struct Limits: Sendable {
        var all = 1_000
        var ofTenant = 100
        /// Between two looks for new events.
        var interval = Duration.milliseconds(500)
        /// Without a word: proxies cut what is silent for long, and whether somebody still listens shows when something is said.
        var silence = Duration.seconds(5)
        /// Between two looks at whether somebody still may listen.
        var trust = Duration.seconds(5)
    }

    private struct State {
        var isStopping = false
        var ofTenant: [TenantID: Int] = [:]
        var all: Int { ofTenant.values.reduce(0, +) }
    }

    let limits: Limits
    private let reached: LookupCache<TenantID, Int64>
    private let state = Mutex(State())

    init(database: Database, limits: Limits = Limits(), metrics: MetricRegistry) {
        self.limits = limits
        // However many listen to a tenant, one look serves them all.
        reached = LookupCache(capacity: 10_000, timeToLive: limits.interval * 0.8, servesStale: false) { tenant in
            let last = try await database.withTenant(TenantScope(tenant)) { try await $0.first(Event.place) }
            return (last ?? 0, tag: nil)
        }
        metrics.gauge("pulsegate_event_streams", help: "Who listens to events now.") { [weak self] in
            self.map { Double($0.state.withLock { $0.all }) } ?? 0
        }
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// The last place that the tenant's events have reached, as it was a moment ago.
    func reached(_ tenant: TenantID) async throws -> Int64 {
        try await reached.value(for: tenant)
    }

    /// - Throws: `Problem` 429, 503 when too many listen; what `begin` has counted `end` must count back.
    func begin(_ tenant: TenantID) throws {
        try state.withLock { state in
            guard !state.isStopping, state.all < limits.all else {
                throw Problem.unavailable(retryAfter: 5, detail: "Too many listen to events.")
            }
            guard state.ofTenant[tenant, default: 0] < limits.ofTenant else {
                throw Problem.beyondShare(detail: "Your tenant has \(limits.ofTenant) event streams open already.")
            }
            state.ofTenant[tenant, default: 0] += 1
        }
    }

    func end(_ tenant: TenantID) {
        state.withLock { state in
            let left = state.ofTenant[tenant, default: 1] - 1
            state.ofTenant[tenant] = left > 0 ? left : nil
        }
    }

    /// Streams never end by themselves, so a process that stops ends them: their listeners go on elsewhere, where they were.
    func run() async throws {
        try await gracefulShutdown()
        state.withLock { $0.isStopping = true }
    }

    /// Service groups log their services.
    var description: String { "EventStreams" }
}
