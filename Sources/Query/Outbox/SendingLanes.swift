import Foundation
import Shared

/// What is being sent at the moment, so that none takes the room of all: not a tenant whose endpoints answer slowly, not one endpoint, not
/// a mail service that is down.
actor SendingLanes {
    /// Where something goes.
    enum Lane: Hashable, Sendable {
        case endpoint(UUID)
        case channel(NewNotification.Channel)
    }

    /// At once, of all tenants' endpoints. Channels have lanes of their own beside.
    static let most = 64
    /// At once, of one tenant's endpoints.
    static let mostOfTenant = 8
    /// At once, to one endpoint, or by one channel.
    static let mostOfLane = 4

    private var lanes: [Lane: Int] = [:]
    private var tenants: [TenantID: Int] = [:]
    private var running = 0
    private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextTicket = 0

    /// How much more may be sent of a tenant's now.
    func room(for tenant: TenantID) -> Int {
        // Never the last half of what is left, so that there is always some for whoever comes next.
        max(0, min((Self.most - toEndpoints + 1) / 2, Self.mostOfTenant - tenants[tenant, default: 0]))
    }

    /// How much more may go by a channel now.
    func room(by channel: NewNotification.Channel) -> Int {
        max(0, Self.mostOfLane - lanes[.channel(channel), default: 0])
    }

    /// Endpoints to which something is on its way; they get their next when that is through.
    var busyEndpoints: [UUID] {
        lanes.keys.compactMap { lane in if case .endpoint(let id) = lane { id } else { nil } }
    }

    var isIdle: Bool { running == 0 }

    private var toEndpoints: Int { tenants.values.reduce(0, +) }

    func enter(_ lane: Lane, of tenant: TenantID) {
        running += 1
        lanes[lane, default: 0] += 1
        if case .endpoint = lane { tenants[tenant, default: 0] += 1 }
    }

    func leave(_ lane: Lane, of tenant: TenantID) {
        running -= 1
        lanes[lane] = lanes[lane].flatMap { $0 > 1 ? $0 - 1 : nil }
        if case .endpoint = lane { tenants[tenant] = tenants[tenant].flatMap { $0 > 1 ? $0 - 1 : nil } }
        for ticket in waiting.keys { wake(ticket) }
    }

    /// Waits until one is through, at most for a time; not at all where none is on its way.
    func oneIsThrough(within limit: Duration) async {
        guard running > 0, limit > .zero else { return }
        let ticket = nextTicket
        nextTicket += 1
        let timer = Task {
            try? await Task.sleep(for: limit)
            self.wake(ticket)
        }
        await withCheckedContinuation { waiting[ticket] = $0 }
        timer.cancel()
    }

    private func wake(_ ticket: Int) {
        waiting.removeValue(forKey: ticket)?.resume()
    }
}
