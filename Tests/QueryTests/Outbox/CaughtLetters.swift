import Shared
import Synchronization

@testable import Query

/// Keeps what it is given, or fails as it is told.
final class CaughtLetters: Notifier {
    private let caught = MutexBox<[Letter]>([])
    private let faults: MutexBox<[any Error]>

    init(failing faults: [any Error] = []) {
        self.faults = MutexBox(faults)
    }

    var letters: [Letter] { caught.value }

    func send(_ letter: Letter) async throws {
        var fault: (any Error)?
        faults.change { if !$0.isEmpty { fault = $0.removeFirst() } }
        if let fault { throw fault }
        caught.change { $0.append(letter) }
    }
}

final class MutexBox<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    var value: Value { mutex.withLock { $0 } }

    func change(_ body: (inout Value) -> Void) { mutex.withLock { body(&$0) } }
}
