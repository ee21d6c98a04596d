import CLibpq
import Glibc

extension Session {
    /// libpq reads TLS records in pieces and may hold back what it already took from the socket (fixed in later
    /// versions than Debian 12's), so with TLS no wait is longer than this before it is asked again.
    private static let tlsPoll: Duration = .milliseconds(100)

    /// Bytes moved: the dead-network deadline starts anew.
    func touch() {
        guard cancellation == nil else { return }
        deadline = configuration.statementTimeout.map { .now + $0 + configuration.grace }
    }

    /// Waits until the socket is ready for `events`.
    /// - Throws: `PostgresError` of kind `timeout` when nothing moved for too long; the connection is broken then.
    func wait(for events: Int16) throws {
        while true {
            cancelIfAsked()
            let now = ContinuousClock.now
            if let deadline, now >= deadline { throw gaveUp() }
            let usesTLS = PQsslInUse(handle) == 1
            let limit = usesTLS ? min(deadline ?? now + Self.tlsPoll, now + Self.tlsPoll) : deadline
            if pollOnce(events, until: limit) {
                touch()
                return
            }
            if usesTLS { return }
        }
    }

    private func gaveUp() -> PostgresError {
        if cancellation == nil { _ = Cancellation(handle, wakeUp: wakeUp) }
        let kind: PostgresError.Kind = cancellation == nil ? .timeout : .cancelled
        let error = PostgresError(kind: kind, message: "the server did not answer in time")
        fail(error)
        return error
    }

    func cancelIfAsked() {
        guard let call, call.isCancelled, cancellation == nil else { return }
        cancellation = Cancellation(handle, wakeUp: wakeUp)
        let limit = ContinuousClock.now + configuration.grace
        deadline = min(deadline ?? limit, limit)
    }

    /// Waits for the next job; meanwhile takes notifications in and notices when the server ends the connection.
    func idle() {
        let listensToSocket: Int16 = broken == nil ? Int16(POLLIN) : 0
        guard pollOnce(listensToSocket, until: nil) else { return }
        guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else {
            _ = lost()
            return
        }
        // Parses what came in; between calls there is no result to fetch.
        _ = PQisBusy(handle)
        deliverNotifications()
    }

    /// - Returns: whether the socket is ready; false when roused or when the time is over.
    func pollOnce(_ events: Int16, until limit: ContinuousClock.Instant?) -> Bool {
        var descriptors = [
            pollfd(fd: wakeUp.readEnd, events: Int16(POLLIN), revents: 0),
            pollfd(fd: events == 0 ? -1 : PQsocket(handle), events: events, revents: 0),
        ]
        // Rounded up, so that a wait never ends just before its time and spins.
        let timeout = limit.map { max(0, min(($0 - .now).wholeMilliseconds + 1, 1 << 30)) } ?? -1
        guard poll(&descriptors, 2, Int32(timeout)) > 0 else { return false }
        if descriptors[0].revents != 0 { wakeUp.drain() }
        return descriptors[1].revents != 0
    }

    func deliverNotifications() {
        while let raw = PQnotifies(handle) {
            defer { PQfreemem(raw) }
            let notification = Notification(
                channel: String(cString: raw.pointee.relname), payload: String(cString: raw.pointee.extra),
                processID: raw.pointee.be_pid)
            notifications?.yield(notification)
        }
    }
}
