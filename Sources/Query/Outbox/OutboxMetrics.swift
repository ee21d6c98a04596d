import Shared

/// How attempts ended.
struct OutboxMetrics: Sendable {
    private let deliveries: [String: Counter]
    private let notifications: [NewNotification.Channel: [String: Counter]]

    init(_ registry: MetricRegistry) {
        let counters = { (name: String, help: String, labels: MetricRegistry.Labels) in
            Dictionary(
                uniqueKeysWithValues: ["delivered", "retried", "dead"].map { outcome in
                    (outcome, registry.counter(name, help: help, labels: labels + [("outcome", outcome)]))
                })
        }
        deliveries = counters("pulsegate_webhook_deliveries_total", "Attempts to deliver events, by outcome.", [])
        notifications = Dictionary(
            uniqueKeysWithValues: NewNotification.Channel.allCases.map { channel in
                let help = "Attempts to send notifications, by channel and outcome."
                return (channel, counters("pulsegate_notifications_total", help, [("channel", channel.rawValue)]))
            })
    }

    func count(delivery step: DeliveryPlan.Step) {
        deliveries[step.outcome]?.increment()
    }

    func count(_ channel: NewNotification.Channel, _ step: DeliveryPlan.Step) {
        notifications[channel]?[step.outcome]?.increment()
    }
}

extension DeliveryPlan.Step {
    fileprivate var outcome: String {
        if case .pending = self { "retried" } else { status }
    }
}
