import CLibpq
import Synchronization

/// libpq's handle for cancelling what a connection runs.
///
/// `@unchecked Sendable`: libpq documents `PQcancel` as safe from any thread; the handle is immutable.
private final class CancelHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init?(_ connection: OpaquePointer) {
        guard let pointer = PQgetCancel(connection) else { return nil }
        self.pointer = pointer
    }

    deinit {
        PQfreeCancel(pointer)
    }
}

/// One request to the server to stop what a connection is running. It has a thread of its own, since libpq opens a
/// second connection for it and blocks, while the first one must go on reading.
final class Cancellation: Sendable {
    private let finished = Atomic<Bool>(false)

    /// The server has got the request, or never will.
    var isFinished: Bool { finished.load(ordering: .acquiring) }

    /// Signals `wakeUp` when it is finished.
    init(_ connection: OpaquePointer, wakeUp: WakeUp) {
        guard let handle = CancelHandle(connection) else {
            finished.store(true, ordering: .releasing)
            return
        }
        do {
            try Thread.detach { [self] in
                withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { message in
                    _ = PQcancel(handle.pointer, message.baseAddress, Int32(message.count))
                }
                finished.store(true, ordering: .releasing)
                wakeUp.signal()
            }
        } catch {
            finished.store(true, ordering: .releasing)
        }
    }
}
