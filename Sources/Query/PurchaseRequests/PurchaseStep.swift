import Shared

/// What can become of a purchase request, and by whom: a pure table.
enum PurchaseStep: String, Sendable, CaseIterable {
    case change, submit, approve, reject, receive, cancel, delete

    /// Who asks.
    struct Asker: Sendable {
        let scopes: Set<Scope>
        /// An owner may approve what they asked for themselves: there may be nobody else.
        let isOwner: Bool
        let isRequester: Bool
    }

    /// Why not, for the client.
    enum Refusal: Error, Equatable {
        case notAllowed
        case ownRequest
        case status(PurchaseRequest.Status)
    }

    /// - Parameter completes: whether all that was asked for has arrived by it; for receipts.
    /// - Returns: the status afterwards; nil where it is so already.
    func apply(
        to status: PurchaseRequest.Status, by asker: Asker, completes: Bool = false
    ) throws(Refusal) -> PurchaseRequest.Status? {
        guard asker.scopes.contains(scope) else { throw .notAllowed }
        switch (self, status) {
        case (.change, .draft): return .draft
        case (.submit, .draft): return .submitted
        case (.approve, .submitted):
            guard !asker.isRequester || asker.isOwner else { throw .ownRequest }
            return .approved
        case (.reject, .submitted): return .rejected
        case (.receive, .approved): return completes ? .received : .approved
        case (.cancel, .draft), (.cancel, .submitted), (.cancel, .approved): return .cancelled
        case (.delete, .draft), (.delete, .rejected), (.delete, .cancelled): return status
        case (.submit, .submitted), (.approve, .approved), (.reject, .rejected), (.receive, .received),
            (.cancel, .cancelled):
            return nil
        default: throw .status(status)
        }
    }

    var scope: Scope {
        switch self {
        case .approve, .reject: .purchaseRequestsApprove
        case .change, .submit, .receive, .cancel, .delete: .purchaseRequestsWrite
        }
    }

    /// As the audit log calls it.
    var action: AuditEntry.Action {
        switch self {
        case .change: .purchaseRequestChanged
        case .submit: .purchaseRequestSubmitted
        case .approve: .purchaseRequestApproved
        case .reject: .purchaseRequestRejected
        case .receive: .purchaseRequestReceived
        case .cancel: .purchaseRequestCancelled
        case .delete: .purchaseRequestDeleted
        }
    }
}

extension PurchaseStep.Refusal {
    var problem: Problem {
        switch self {
        case .notAllowed: .forbidden()
        case .ownRequest:
            .forbidden(code: "own_request", detail: "Nobody but an owner approves what they asked for themselves.")
        case .status(let status):
            .conflict("invalid_status", detail: "This can't be done: it is \(status.rawValue).")
        }
    }
}

extension Principal {
    func asker(of request: PurchaseRequest) -> PurchaseStep.Asker {
        PurchaseStep.Asker(
            scopes: scopes, isOwner: role == Role.owner.rawValue,
            isRequester: request.requesterID == id || request.askedBy.contains(id))
    }
}
