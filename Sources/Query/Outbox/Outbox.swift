import Foundation
import Logging
import Postgres
import Shared

/// Sends what tenants owe: events to their webhooks, notifications to people, each until it was taken or three days are over.
///
/// Sending happens outside of any transaction. What is claimed is out of everybody's reach for the time of a lease and comes back after it
/// if this process dies, so that nothing is lost, and a receiver has something twice only where a process died between sending and saying so.
struct Outbox: Sendable {
    /// Longer than an attempt with all that belongs to it.
    static let lease = Duration.seconds(60)
    /// That it takes at most.
    static let connections = 4

    /// As `pulsegate_system`.
    let database: Database
    let secretBox: SecretBox
    let sender: WebhookSender
    /// Those that are set up.
    let notifiers: [NewNotification.Channel: any Notifier]
    let metrics: OutboxMetrics
    let logger: Logger
    var plan = DeliveryPlan()
    let lanes = SendingLanes()

    /// Begins to send what is due, of all tenants in turn, and goes on as long as there is more of it and room for it, for about a second. Slow
    /// attempts go on behind its back and keep nobody else waiting. To be called every second or so, not twice at once.
    ///
    /// - Returns: how many attempts were begun.
    @discardableResult
    func deliverDue(at now: Timestamp) async throws -> Int {
        let time = OutboxTime(now)
        let tenants = try await database.lookUp(Self.waiting)
        var begun = 0
        while !tenants.isEmpty, !Task.isCancelled {
            var round = 0
            let wasIdle = await lanes.isIdle
            // Not always the same one first.
            for tenant in tenants.shuffled() { round += await begin(tenant, time) }
            begun += round
            guard time.elapsed < .seconds(1) else { break }
            if round > 0 { continue }
            // What was on its way when nothing more had room may be through by now, and have left room.
            if wasIdle { break }
            await lanes.oneIsThrough(within: .seconds(1) - time.elapsed)
        }
        return begun
    }

    /// The same for one tenant, to the end: nothing is due any more when it returns, and nothing is on its way.
    @discardableResult
    func deliverDue(of tenant: Tenant, at now: Timestamp) async throws -> Int {
        let time = OutboxTime(now)
        var begun = 0
        while true {
            let round = await begin(tenant, time)
            await settled()
            guard round > 0 else { return begun }
            begun += round
        }
    }

    /// Waits until nothing is on its way any more: before a process ends, so that what was sent is also written down.
    func settled() async {
        while await !lanes.isIdle { await lanes.oneIsThrough(within: .seconds(1)) }
    }

    private static let waiting: Statement<Tenant> =
        "SELECT id, uuid, slug, plan, is_active FROM tenants WHERE id IN (SELECT tenants_with_outbox()) ORDER BY id"

    /// One tenant's trouble is no other's.
    private func begin(_ tenant: Tenant, _ time: OutboxTime) async -> Int {
        do {
            var begun = try await beginDeliveries(of: tenant, time)
            for channel in NewNotification.Channel.allCases {
                begun += try await beginNotifications(by: channel, of: tenant, time)
            }
            return begun
        } catch {
            logger.warning("nothing was sent", metadata: ["tenant": "\(tenant.slug)", "reason": "\(error)"])
            return 0
        }
    }

    private func beginDeliveries(of tenant: Tenant, _ time: OutboxTime) async throws -> Int {
        let room = await lanes.room(for: tenant.id)
        guard room > 0 else { return 0 }
        let busy = await lanes.busyEndpoints
        _ = try await database.withTenant(tenant) { try await $0.first(Event.place) }
        let now = time.now
        let (due, secrets) = try await database.withTenant(tenant) { tx in
            let due = try await tx.all(
                DueDelivery.claim(room, at: now, lease: Self.lease, busy: busy, in: tenant.id))
            guard !due.isEmpty else { return (due, [SigningSecret]()) }
            let endpoints = Set(due.map(\.endpointID))
            return (due, try await tx.all(SigningSecret.all(of: Array(endpoints), at: now, in: tenant.id)))
        }
        let keys = keys(secrets, of: tenant)
        for delivery in due {
            await lanes.enter(.endpoint(delivery.endpointID), of: tenant.id)
            Task {
                await attempt(delivery, signedBy: keys[delivery.endpointID] ?? [], of: tenant, time)
                await lanes.leave(.endpoint(delivery.endpointID), of: tenant.id)
            }
        }
        return due.count
    }

    private func beginNotifications(
        by channel: NewNotification.Channel, of tenant: Tenant, _ time: OutboxTime
    ) async throws -> Int {
        let room = await lanes.room(by: channel)
        guard room > 0 else { return 0 }
        let now = time.now
        let due = try await database.withTenant(tenant) { tx in
            try await tx.all(DueNotification.claim(room, by: channel, at: now, lease: Self.lease, in: tenant.id))
        }
        for notification in due {
            await lanes.enter(.channel(channel), of: tenant.id)
            Task {
                await attempt(notification, by: channel, of: tenant, time)
                await lanes.leave(.channel(channel), of: tenant.id)
            }
        }
        return due.count
    }

    /// The keys of each endpoint. One that does not open is left out: the doctor tells.
    private func keys(_ secrets: [SigningSecret], of tenant: Tenant) -> [UUID: [WebhookKey]] {
        Dictionary(grouping: secrets, by: \.endpointID).mapValues { secrets in
            secrets.compactMap { entry in
                guard let plain = try? entry.secret.open(of: .webhooks, with: secretBox) else {
                    logger.error(
                        "a webhook's secret does not open",
                        metadata: ["tenant": "\(tenant.slug)", "key": "\(entry.secret.keyID)"])
                    return nil
                }
                return WebhookKey(String(decoding: plain, as: UTF8.self))
            }
        }
    }
}

/// A clock that begins when it is told to and runs on from there.
struct OutboxTime: Sendable {
    private let beginning: Timestamp
    private let start = ContinuousClock.now

    init(_ beginning: Timestamp) { self.beginning = beginning }

    var elapsed: Duration { ContinuousClock.now - start }
    var now: Timestamp { beginning.adding(elapsed) }
}
