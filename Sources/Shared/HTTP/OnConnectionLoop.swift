import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Serves each connection's requests on the thread that reads and writes the connection. Elsewhere a request would change threads
/// at every part that it reads and writes, which costs more than what most requests do.
///
/// So nothing may block here, and what computes for long belongs elsewhere, as it would on Swift's own pool.
struct OnConnectionLoop<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        base.setup(channel: channel, logger: logger)
    }

    func handle(value: Base.Value, logger: Logger) async {
        await withTaskExecutorPreference(LoopExecutor(loop: value.channel.eventLoop)) {
            await base.handle(value: value, logger: logger)
        }
    }
}

/// An event loop as Swift's tasks see it.
private final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
