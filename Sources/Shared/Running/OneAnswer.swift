import Synchronization

/// What a task waits for, given once by whoever is first; what comes later is dropped.
package final class OneAnswer<Value: Sendable, Failure: Error>: Sendable {
    @usableFromInline package let waiting: Mutex<CheckedContinuation<Value, Failure>?>

    @inlinable package init(_ waiting: CheckedContinuation<Value, Failure>) {
        self.waiting = Mutex(waiting)
    }

    @inlinable package func give(_ answer: Result<Value, Failure>) {
        let waiting = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        waiting?.resume(with: answer)
    }
}
