import Foundation
import Logging
import Postgres
import Shared

/// One attempt each: sent, then written down.
extension Outbox {
    func attempt(
        _ delivery: DueDelivery, signedBy keys: [WebhookKey], of tenant: Tenant, _ time: OutboxTime
    ) async {
        let outcome = await outcome(of: delivery, keys, at: time.now)
        let end = time.now
        let step = plan.step(
            after: outcome, attempt: Int(delivery.attempts), at: end, until: delivery.giveUpAt,
            jitter: .random(in: 0...1))
        metrics.count(delivery: step)
        await record(of: tenant) { tx in
            if outcome == .gone { try await switchOff(delivery.endpointID, at: delivery.url, in: tx) }
            try await tx.run(delivery.record(outcome, step, at: end, in: tx.tenantID))
        }
    }

    private func outcome(of delivery: DueDelivery, _ keys: [WebhookKey], at now: Timestamp) async -> SendOutcome {
        guard !delivery.isDeleted else { return .refused(DueDelivery.deleted) }
        guard delivery.isActive else { return .failed(DueDelivery.switchedOff) }
        // Unsigned it could be from anybody.
        guard !keys.isEmpty else { return .failed("no secret can be opened") }
        guard let target = try? WebhookURL(delivery.url) else { return .refused("the URL is not one") }
        return await sender.send(
            delivery.message, to: target, signedBy: keys, attempt: Int(delivery.attempts), at: now)
    }

    func attempt(
        _ notification: DueNotification, by channel: NewNotification.Channel, of tenant: Tenant, _ time: OutboxTime
    ) async {
        let outcome = await outcome(of: notification, by: channel)
        let end = time.now
        let step = plan.step(
            after: outcome, attempt: Int(notification.attempts), at: end, until: notification.giveUpAt,
            jitter: .random(in: 0...1))
        metrics.count(channel, step)
        await record(of: tenant) { tx in
            try await tx.run(notification.record(outcome, step, at: end, in: tx.tenantID))
        }
    }

    private func outcome(
        of notification: DueNotification, by channel: NewNotification.Channel
    ) async -> SendOutcome {
        guard let notifier = notifiers[channel] else { return .failed("no \(channel.title) is set up") }
        do {
            try await notifier.send(notification.letter)
            return .taken()
        } catch let error as NotTakenNow {
            return .failed(error.reason, retryAfter: error.retryAfter)
        } catch let error as NeverTaken {
            return .refused(error.reason)
        } catch {
            return .failed("failed: \(type(of: error))")
        }
    }

    /// What can't be written down is sent again when the lease is over.
    private func record(of tenant: Tenant, _ body: @Sendable (TenantTransaction) async throws -> Void) async {
        do {
            try await database.withTenant(tenant) { try await body($0) }
        } catch {
            logger.warning(
                "an attempt's outcome was not written down",
                metadata: ["tenant": "\(tenant.slug)", "reason": "\(error)"])
        }
    }

    /// Unless somebody did meanwhile.
    private func switchOff(_ id: UUID, at url: String, in tx: TenantTransaction) async throws {
        guard let before = try await tx.first(WebhookEndpoint.lock(id, in: tx.tenantID)), before.isActive,
            before.url == url
        else {
            return
        }
        let reason = SendOutcome.gone.reason ?? ""
        let after = try await tx.written(WebhookEndpoint.switchOff(id, because: reason, in: tx.tenantID))
        try await tx.run(AuditTrail(of: "webhooks", in: tx.tenantID).changed(.endpointChanged, before, after))
    }
}

extension NewNotification.Channel {
    fileprivate var title: String {
        switch self {
        case .email: "e-mail"
        case .whatsapp: "WhatsApp"
        }
    }
}
