import DequeModule
import Glibc
import Synchronization

/// What a caller waits for; cancelling it from another thread is only a mark that the connection's thread looks at.
final class Call: Sendable {
    private let mark = Atomic<Bool>(false)
    let isCancellable: Bool

    init(isCancellable: Bool) {
        self.isCancellable = isCancellable
    }

    var isCancelled: Bool { isCancellable && mark.load(ordering: .acquiring) }

    func cancel() {
        mark.store(true, ordering: .releasing)
    }
}

/// A POSIX thread that owns one libpq connection: every libpq call on it happens here, so libpq may block this thread
/// but never Swift's cooperative pool. Callers hand over a closure and wait in a continuation.
final class ConnectionThread: Sendable {
    typealias Job = @Sendable (Session?) -> Void

    private struct Inbox {
        var jobs: Deque<Job> = []
        /// The thread is in `poll`, or on its way there, and needs a signal to see a new job.
        var isAsleep = false
        var isClosed = false
    }

    private let inbox = Mutex(Inbox())
    let wakeUp: WakeUp

    init() throws {
        wakeUp = try WakeUp()
    }

    /// Starts the thread; it opens the session itself, since connecting blocks.
    ///
    /// The thread keeps this object alive until it was closed.
    func start(open: @escaping @Sendable (WakeUp) -> Session?) throws {
        try Thread.detach { [self] in
            guard let session = open(wakeUp) else { return closeInbox() }
            run(session)
            session.close()
        }
    }

    func submit(_ job: @escaping Job) {
        let accepted: (isOpen: Bool, mustWake: Bool) = inbox.withLock { inbox in
            guard !inbox.isClosed else { return (false, false) }
            inbox.jobs.append(job)
            defer { inbox.isAsleep = false }
            return (true, inbox.isAsleep)
        }
        guard accepted.isOpen else { return job(nil) }
        if accepted.mustWake { wakeUp.signal() }
    }

    private enum Turn {
        case job(Job)
        case sleep
        case stop
    }

    private func run(_ session: Session) {
        while true {
            let turn: Turn = inbox.withLock { inbox in
                if let job = inbox.jobs.popFirst() { return .job(job) }
                if session.isClosing {
                    inbox.isClosed = true
                    return .stop
                }
                inbox.isAsleep = true
                return .sleep
            }
            switch turn {
            case .job(let job): job(session)
            case .sleep: session.idle()
            case .stop: return
            }
        }
    }

    private func closeInbox() {
        let refused = inbox.withLock { inbox in
            inbox.isClosed = true
            defer { inbox.jobs = [] }
            return inbox.jobs
        }
        for job in refused { job(nil) }
    }
}

/// Detached POSIX threads with a small stack: there is one per connection.
enum Thread {
    private static let stackSize = 512 * 1024

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func detach(_ run: @escaping @Sendable () -> Void) throws {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, stackSize)
        let body = Unmanaged.passRetained(Body(run))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        guard status == 0 else {
            body.release()
            throw PostgresError(kind: .connectFailed, message: "no thread: \(String(cString: strerror(status)))")
        }
    }
}
