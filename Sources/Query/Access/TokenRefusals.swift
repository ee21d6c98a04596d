import HTTPTypes
import Shared

/// Requests that were not let in, counted by reason.
struct TokenRefusals: Sendable {
    enum Reason: Hashable, Sendable {
        case missing
        case unknownTenant
        case endedSession
        /// Or one that was revoked or has expired.
        case unknownServiceKey
        case token(TokenRefusal)

        var label: String {
            switch self {
            case .missing: "missing"
            case .unknownTenant: "unknown_tenant"
            case .endedSession: "ended_session"
            case .unknownServiceKey: "unknown_service_key"
            case .token(let refusal): refusal.rawValue
            }
        }

        static let all: [Reason] =
            [.missing, .unknownTenant, .endedSession, .unknownServiceKey] + TokenRefusal.allCases.map(Reason.token)
    }

    private let counters: [Reason: Counter]

    init(_ metrics: MetricRegistry) {
        let named = Reason.all.map { reason in
            let counter = metrics.counter(
                "pulsegate_token_refusals_total", help: "Requests without a valid access token, by reason.",
                labels: [("reason", reason.label)])
            return (reason, counter)
        }
        counters = Dictionary(named, uniquingKeysWith: { first, _ in first })
    }

    func count(_ reason: Reason) {
        counters[reason]?.increment()
    }
}
