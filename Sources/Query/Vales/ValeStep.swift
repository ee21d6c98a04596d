import Shared

/// What can become of a vale: a pure table. Delivered and cancelled are final.
enum ValeStep: Sendable, CaseIterable {
    case deliver, cancel

    /// Why not, for the client.
    struct Refusal: Error, Equatable {
        let detail: String
    }

    /// - Returns: the status afterwards; nil where it is so already.
    func apply(to status: Vale.Status) throws(Refusal) -> Vale.Status? {
        switch (self, status) {
        case (.deliver, .issued): .delivered
        case (.cancel, .issued): .cancelled
        case (.deliver, .delivered), (.cancel, .cancelled): nil
        case (_, let status): throw Refusal(detail: "This can't be done: it is \(status.rawValue).")
        }
    }

    /// As the audit log calls it.
    var action: AuditEntry.Action {
        switch self {
        case .deliver: .valeDelivered
        case .cancel: .valeCancelled
        }
    }

    /// The last part of its path.
    var path: String {
        switch self {
        case .deliver: "deliver"
        case .cancel: "cancel"
        }
    }

    var scope: Scope {
        switch self {
        case .deliver: .valesDeliver
        case .cancel: .valesWrite
        }
    }
}
