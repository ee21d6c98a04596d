import Postgres
import Shared

/// What somebody can do with an alert, and when: a pure table.
enum AlertStep: String, Sendable, CaseIterable {
    case acknowledge, resolve

    /// Why not, for the client.
    struct Refusal: Error, Equatable {
        let code: String
        let detail: String
    }

    /// - Parameter name: of whoever does it.
    /// - Returns: the alert afterwards; nil where it is so already.
    func apply(to alert: Alert, by name: String, at now: Timestamp) throws(Refusal) -> Alert? {
        var after = alert
        switch (self, alert.status) {
        case (.acknowledge, .firing):
            (after.status, after.acknowledgedAt, after.acknowledgedBy) = (.acknowledged, now, name)
        case (.resolve, .firing), (.resolve, .acknowledged):
            (after.status, after.resolvedAt, after.resolvedBy) = (.resolved, now, name)
        case (.acknowledge, .acknowledged), (.resolve, .resolved):
            return nil
        case (.acknowledge, .resolved):
            throw Refusal(code: "invalid_status", detail: "This can't be done: it is resolved.")
        }
        return after
    }

    /// As the audit log calls it.
    var action: AuditEntry.Action {
        switch self {
        case .acknowledge: .alertAcknowledged
        case .resolve: .alertResolved
        }
    }
}
