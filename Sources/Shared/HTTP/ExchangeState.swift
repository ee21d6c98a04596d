import HTTPTypes
import NIOHTTPTypes

/// Where a connection stands between the requests that come and the answers that go: whom is it waiting for?
struct ExchangeState {
    /// Numbered by requests, so that the next head is another phase than the one before.
    enum Phase: Hashable {
        case head(Int)
        case body(Int)

        var isHead: Bool {
            if case .head = self { true } else { false }
        }
    }

    enum Writing {
        case pass, passAndClose, drop
    }

    /// Heads received.
    private var requests = 0
    /// Answers written to their end.
    private var answers = 0
    private var isBodyComing = false
    /// Bytes came that are no part yet, hence the beginning of a head.
    private var isHeadComing = false
    private var hasPart = false
    private var isInputClosed = false
    /// How many answers there will be once the refusal is one of them.
    private var refusedAt: Int?

    /// What the client alone keeps us waiting for; nil while nothing is under way or an earlier request is ours to answer.
    var awaited: Phase? {
        if refusedAt != nil || isInputClosed { return nil }
        if isBodyComing { return answers >= requests - 1 ? .body(requests) : nil }
        return isHeadComing && answers >= requests ? .head(requests) : nil
    }

    /// - Returns: whether anybody still wants to know.
    mutating func received(_ part: HTTPRequestPart) -> Bool {
        hasPart = true
        isHeadComing = false
        switch part {
        case .head:
            requests += refusedAt == nil ? 1 : 0
            isBodyComing = true
        case .body: break
        case .end: isBodyComing = false
        }
        return refusedAt == nil
    }

    /// One reading of the socket is over. Where it brought no part it brought a piece of one.
    mutating func receivedAll() {
        if !hasPart, !isBodyComing { isHeadComing = true }
        hasPart = false
    }

    /// The client has said all that it will say.
    mutating func inputClosed() {
        isInputClosed = true
    }

    mutating func willWrite(_ part: HTTPResponsePart) -> Writing {
        if let refusedAt, answers >= refusedAt { return .drop }
        guard case .end = part else { return .pass }
        answers += 1
        return answers == refusedAt ? .passAndClose : .pass
    }

    /// The request that is coming takes too long.
    /// - Returns: whether it can still be answered with a refusal; else all that is left is to close.
    mutating func refuse() -> Bool {
        guard !isBodyComing || answers < requests else { return false }
        refusedAt = isBodyComing ? requests : requests + 1
        return true
    }
}
