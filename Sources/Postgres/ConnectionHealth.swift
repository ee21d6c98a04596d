import Synchronization

/// What others may know of a connection without asking its thread.
final class ConnectionHealth: Sendable {
    enum State: UInt8 {
        case idle
        case inTransaction
        case broken
    }

    private let state = Atomic<UInt8>(State.inTransaction.rawValue)
    private let listening = Atomic<Bool>(false)
    private let onBroken = Mutex<(@Sendable () -> Void)?>(nil)

    var current: State { State(rawValue: state.load(ordering: .acquiring)) ?? .broken }

    /// LISTEN outlives a lease, so such a connection isn't lent again.
    var isListening: Bool { listening.load(ordering: .acquiring) }

    func startedListening() {
        listening.store(true, ordering: .releasing)
    }

    func publish(_ new: State) {
        let old = state.exchange(new.rawValue, ordering: .acquiringAndReleasing)
        guard new == .broken, old != State.broken.rawValue else { return }
        onBroken.withLock { $0 }?()
    }

    /// Called from the connection's thread, when it turns out to be broken or was closed; perhaps twice.
    func whenBroken(_ action: @escaping @Sendable () -> Void) {
        onBroken.withLock { $0 = action }
        if current == .broken { action() }
    }
}
