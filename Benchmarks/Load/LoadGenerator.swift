import CEpoll
import Foundation
import Synchronization

/// Sends a source's requests over keep-alive connections, from one thread of its own. The source goes on where it stopped.
final class LoadGenerator<Source: RequestSource>: Sendable {
    private let source: Mutex<Source>

    init(_ source: Source) {
        self.source = Mutex(source)
    }

    /// - Throws: `LoadReport.Failed` when an answer was not as it should be.
    func run(_ plan: LoadPlan) async throws -> LoadReport {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result { try self.source.withLock { source in try LoadLoop(plan).run(&source) } })
            }
        }
    }
}

/// One run: a loop over what the kernel says is ready.
private final class LoadLoop {
    private let plan: LoadPlan
    private let connections: [LoadConnection]
    private let poll = epoll_create1(Int32(EPOLL_CLOEXEC))
    private var idle: [Int]
    private var ready: [epoll_event]

    private let start = bench_now()
    private let countFrom: UInt64
    private var endAt: UInt64
    private let interval: Double
    private var sent = 0
    private var answered = 0
    private var refused = 0
    private var latency = LatencyHistogram()
    private var failures = 0
    private var firstFailure = ""

    init(_ plan: LoadPlan) throws {
        self.plan = plan
        connections = try (0..<plan.connections).map { _ in try LoadConnection(port: plan.port) }
        idle = Array(connections.indices)
        ready = [epoll_event](repeating: epoll_event(), count: plan.connections)
        countFrom = start + UInt64(plan.warmUp * 1e9)
        endAt = countFrom + UInt64(plan.seconds * 1e9)
        interval = if case .constant(let perSecond) = plan.pace { 1e9 / perSecond } else { 0 }
        for index in connections.indices { watch(index, EPOLL_CTL_ADD) }
    }

    deinit {
        close(poll)
    }

    func run(_ source: inout some RequestSource) throws -> LoadReport {
        _ = bench_exact_timers()
        while true {
            try sendWhatIsDue(&source)
            if idle.count == connections.count, isOver(bench_now()) { break }
            try takeAnswers()
        }
        guard failures == 0 else {
            throw LoadReport.Failed(
                description: "\(failures) answers were not as they should be; the first:\n\(firstFailure)")
        }
        guard answered > 0 else { throw LoadReport.Failed(description: "nothing was answered") }
        return LoadReport(
            requests: latency.count, refused: refused, seconds: Double(endAt - countFrom) / 1e9, latency: latency)
    }

    private func isOver(_ now: UInt64) -> Bool {
        nextDue(now) >= endAt || plan.mayBeRefused && now >= endAt
    }

    /// When the next request should go out.
    private func nextDue(_ now: UInt64) -> UInt64 {
        interval == 0 ? now : start + UInt64(Double(sent) * interval)
    }

    private func sendWhatIsDue(_ source: inout some RequestSource) throws {
        while let index = idle.last {
            let now = bench_now()
            let due = nextDue(now)
            if due > now || isOver(now) { return }
            let connection = connections[index]
            guard try source.withNext({ try connection.send($0, dueAt: due) }) != nil else {
                endAt = min(endAt, due) // what was prepared has run out
                return
            }
            sent += 1
            idle.removeLast()
            if connection.hasUnsent { watch(index, EPOLL_CTL_MOD) }
        }
    }

    private func takeAnswers() throws {
        let count = wait()
        if count == 0, bench_now() > endAt + 30_000_000_000 {
            throw LoadReport.Failed(description: "answers are missing 30 s after the end")
        }
        for event in ready.prefix(count) {
            let index = Int(event.data.u32)
            let connection = connections[index]
            if connection.hasUnsent {
                try connection.sendRest()
                if !connection.hasUnsent { watch(index, EPOLL_CTL_MOD) }
            }
            guard event.events & ~EPOLLOUT.rawValue != 0,
                case .answer(let status, let isExpected) = try connection.receive(expecting: plan.expecting)
            else { continue }
            idle.append(index)
            let isRefused = plan.mayBeRefused && (status == 429 || status == 503)
            note(connection, isGood: isRefused || isExpected && status / 100 == 2, isRefused)
        }
    }

    private func note(_ connection: LoadConnection, isGood: Bool, _ isRefused: Bool) {
        guard isGood else {
            failures += 1
            if firstFailure.isEmpty { firstFailure = connection.lastAnswer }
            return
        }
        answered += 1
        let now = bench_now()
        let counts = interval == 0 || plan.mayBeRefused ? now : connection.dueAt
        guard counts >= countFrom, counts < endAt else { return }
        latency.add(now - connection.dueAt)
        if isRefused { refused += 1 }
    }

    /// Until something is ready, or the next request is due and a connection is free for it; a second at most.
    private func wait() -> Int {
        var timeout: UInt64 = 1_000_000_000
        if interval > 0, !idle.isEmpty {
            let (due, now) = (nextDue(0), bench_now())
            if due < endAt { timeout = min(timeout, due > now ? due - now : 0) }
        }
        return Int(max(0, bench_wait(poll, &ready, Int32(ready.count), timeout)))
    }

    private func watch(_ index: Int, _ operation: Int32) {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue | (connections[index].hasUnsent ? EPOLLOUT.rawValue : 0)
        event.data.u32 = UInt32(index)
        epoll_ctl(poll, operation, connections[index].socket, &event)
    }
}
