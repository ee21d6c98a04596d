import Dispatch
import Foundation

/// Runs something until it ends or the process is asked to stop (SIGINT, SIGTERM), which cancels it.
enum TerminationSignal {
    static func cancelling(_ body: @escaping @Sendable () async -> Void) async {
        let task = Task { await body() }
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN) // or the default action would end us first
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { task.cancel() }
            source.resume()
            return source
        }
        await task.value
        for source in sources { source.cancel() }
    }
}
