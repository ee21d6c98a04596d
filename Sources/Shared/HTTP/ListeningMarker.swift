import Synchronization

/// Keeps a process "not ready" until its public port listens: the admin port may be up a moment earlier.
package final class ListeningMarker: Sendable {
    private let listening = Atomic<Bool>(false)

    package init() {}

    package var check: ReadinessCheck {
        ReadinessCheck("listening") { [self] in listening.load(ordering: .acquiring) }
    }

    package func mark() {
        listening.store(true, ordering: .releasing)
    }
}
