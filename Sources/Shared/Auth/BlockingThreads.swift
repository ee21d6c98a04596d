import Dispatch
import Foundation
import Synchronization

/// A fixed number of threads for work that blocks or computes for long, off Swift's cooperative pool, with a bounded
/// queue.
package final class BlockingThreads: Sendable {
    package struct Full: Error {}

    private typealias Job = @Sendable () -> Void

    private final class Queue: Sendable {
        private let jobs = Mutex<[Job]>([])
        /// Counts jobs, and after closing one for each thread.
        private let available = DispatchSemaphore(value: 0)

        func add(_ job: @escaping Job, maxWaiting: Int) -> Bool {
            let added = jobs.withLock { jobs in
                guard jobs.count < maxWaiting else { return false }
                jobs.append(job)
                return true
            }
            if added { available.signal() }
            return added
        }

        /// Waits for the next job; nil when closed and all is done.
        func next() -> Job? {
            available.wait()
            return jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        }

        func close(threads: Int) {
            for _ in 0..<threads { available.signal() }
        }
    }

    private let queue = Queue()
    private let count: Int
    private let maxWaiting: Int

    /// - Parameter niceness: by how much its threads come after others when processors are short (`setpriority(2)`).
    package init(name: String, count: Int, maxWaiting: Int, niceness: Int32 = 0) {
        self.count = max(1, count)
        self.maxWaiting = maxWaiting
        for number in 0..<self.count {
            let thread = Thread { [queue] in
                // Of this thread alone, as Linux has it.
                if niceness != 0 { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness) }
                while let job = queue.next() { job() }
            }
            thread.name = "\(name)-\(number)"
            thread.start()
        }
    }

    deinit {
        queue.close(threads: count)
    }

    /// - Throws: `Full` when `maxWaiting` jobs wait already, else what `work` throws.
    package func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let added = queue.add({ continuation.resume(with: Result(catching: work)) }, maxWaiting: maxWaiting)
            if !added { continuation.resume(throwing: Full()) }
        }
    }
}
