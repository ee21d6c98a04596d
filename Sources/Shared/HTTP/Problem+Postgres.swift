import Postgres

/// What PostgreSQL says, as HTTP: the one table of SQLSTATEs (PostgreSQL's Appendix A). Texts and names of the
/// database stay inside.
extension Problem {
    package init(postgres error: PostgresError) {
        switch error.kind {
        case .server: self = Self.refused(error)
        case .connectionLost, .connectFailed, .timeout, .poolExhausted, .poolClosed, .cancelled:
            self = .unavailable(retryAfter: 2, cause: error.description)
        case .decoding, .protocolViolation: self = .internal(error.description)
        }
    }

    package init(postgres error: PipelineError) {
        self.init(postgres: error.underlying)
    }

    private static func refused(_ error: PostgresError) -> Problem {
        let state = error.sqlState ?? ""
        switch state {
        case "23505": return .conflict("already_exists", detail: "There is one like this already.")
        case "23P01": return .conflict("overlaps", detail: "This overlaps with another one.")
        case "23503":
            return .conflict("reference_conflict", detail: "It refers to something missing, or is referred to.")
        case "23514", "23502": return .unprocessable(code: "invalid", detail: "A value is not allowed here.")
        case "40001", "40P01":
            return .unavailable(
                retryAfter: 1, code: "try_again", detail: "Others were changing the same; please try again.",
                cause: error.description)
        // Our own: what the triggers of memberships and sites hold.
        case "PG001": return .conflict("last_owner", detail: "A tenant keeps an owner.")
        case "PG002":
            return .quotaExceeded(detail: "The plan has no more stores than there are.")
        case "55P03": return .unavailable(retryAfter: 1, cause: error.description) // lock_not_available
        default: return refusedByClass(String(state.prefix(2)), error)
        }
    }

    private static func refusedByClass(_ stateClass: String, _ error: PostgresError) -> Problem {
        switch stateClass {
        case "22": .unprocessable(code: "invalid", detail: "A value is not valid.")
        // Connection trouble; too few resources (disk, memory, connections); an operator stepped in or a time-out.
        case "08", "53", "57": .unavailable(retryAfter: 5, cause: error.description)
        default: .internal(error.description)
        }
    }
}
