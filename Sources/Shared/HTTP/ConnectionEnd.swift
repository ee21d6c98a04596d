import HTTPTypes
import NIOHTTPTypes

/// Which answer is the last of a connection, and when the connection is between two requests: what it takes to end one without
/// leaving a request unanswered that has begun to arrive (RFC 9112 §9.6).
struct ConnectionEnd {
    /// Heads received.
    private var requests = 0
    /// Answers written to their end.
    private var answers = 0
    private var isBodyComing = false
    /// Bytes came that are no part yet, hence the beginning of a head.
    private var isHeadComing = false
    private var hasPart = false
    /// The client was told that nothing follows the answer that is being written, or was.
    private var isLast = false
    private var isDeaf = false
    /// The client wants no answer after those to what it has asked.
    private var isLeaving = false

    /// Nothing is under way in either direction.
    var isIdle: Bool { !isHeadComing && !isBodyComing && answers >= requests }

    /// The client has not had the time to ask for anything.
    var isUnused: Bool { requests == 0 && answers == 0 }

    /// - Returns: whether anybody may know of it: what follows the last request of a connection must not be processed.
    mutating func received(_ part: HTTPRequestPart) -> Bool {
        hasPart = true
        isHeadComing = false
        switch part {
        case .head:
            isDeaf = isLast
            guard !isDeaf else { return false }
            requests += 1
            isBodyComing = true
        case .body: break
        case .end: isBodyComing = false
        }
        return !isDeaf
    }

    /// The client said that it ends with the request whose head just came.
    mutating func willEnd() {
        isLeaving = true
    }

    /// One reading of the socket is over. Where it brought no part it brought a piece of one.
    mutating func receivedAll() {
        if !hasPart, !isBodyComing { isHeadComing = true }
        hasPart = false
    }

    /// - Parameters:
    ///   - saysClose: whether the head says so by itself.
    ///   - isStopping: whether the process is, so that the connection shall end. Requests that the client sent without waiting for
    ///     answers still get theirs.
    /// - Returns: whether the head has to say that the connection ends.
    mutating func willAnswer(saysClose: Bool, isStopping: Bool) -> Bool {
        let ends = (isStopping || isLeaving) && answers + 1 >= requests
        if saysClose || ends { isLast = true }
        return ends && !saysClose
    }

    /// An answer was written to its end.
    /// - Returns: whether it was the last.
    mutating func answered() -> Bool {
        answers += 1
        return isLast
    }
}
