import ServiceLifecycle
import Synchronization

/// Makes a process "not ready" as soon as it is told to stop, so that load balancers look elsewhere while it finishes.
/// Put it last into the service group: what started last is stopped first.
package final class DrainMarker: Service {
    private let draining = Atomic<Bool>(false)

    package init() {}

    package var isDraining: Bool { draining.load(ordering: .acquiring) }

    package var check: ReadinessCheck {
        ReadinessCheck("draining") { [self] in !isDraining }
    }

    package func run() async throws {
        try await gracefulShutdown()
        mark()
    }

    func mark() {
        draining.store(true, ordering: .releasing)
    }
}
