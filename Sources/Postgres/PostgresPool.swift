import Logging
import Synchronization

/// A bounded set of connections, lent in the order asked for.
package final class PostgresPool: Sendable {
    private struct Inner {
        var state: PoolState
        var connections: [PoolState.ConnectionID: PostgresConnection] = [:]
        var waiters: [PoolState.WaiterID: UnsafeContinuation<Lease, any Error>] = [:]
        var closers: [CheckedContinuation<Void, Never>] = []
        var nextWaiter = 0
        var isFinished = false
        var timer: (at: ContinuousClock.Instant, task: Task<Void, Never>)?
        var lastConnectError: PostgresError?
    }

    /// A connection that is out of the pool until it is given back.
    struct Lease: Sendable {
        let id: PoolState.ConnectionID
        let connection: PostgresConnection
        let tryOut: Bool
    }

    package struct Statistics: Sendable, Hashable {
        /// Connections that exist, in use or idle.
        package let open: Int
        package let idle: Int
        package let inUse: Int
        /// Callers waiting for a connection.
        package let waiting: Int
    }

    private let configuration: PoolConfiguration
    private let logger: Logger
    private let inner: Mutex<Inner>

    /// Opens nothing yet: connections are made when they are asked for.
    package init(_ configuration: PoolConfiguration, logger: Logger = Logger(label: "postgres")) {
        self.configuration = configuration
        self.logger = logger
        inner = Mutex(Inner(state: PoolState(configuration.limits)))
    }

    package func statistics() -> Statistics {
        let counts = inner.withLock { $0.state.counts }
        return Statistics(
            open: counts.idle + counts.lent, idle: counts.idle, inUse: counts.lent, waiting: counts.waiting)
    }

    /// Refuses new callers, waits until every connection has come back, and closes them.
    package func close() async {
        await withCheckedContinuation { continuation in
            let isFinished = inner.withLock { inner in
                if !inner.isFinished { inner.closers.append(continuation) }
                return inner.isFinished
            }
            if isFinished { return continuation.resume() }
            apply { $0.state.shutDown() }
        }
    }
}

// MARK: - Lending

extension PostgresPool {
    /// Waits its turn for a connection that is outside any transaction.
    ///
    /// - Throws: `PostgresError` of kind `poolExhausted`, `poolClosed` or `connectFailed`; `CancellationError`.
    func acquire() async throws -> Lease {
        while true {
            let lease = try await nextLease()
            guard lease.connection.isIdle else {
                release(lease)
                continue
            }
            guard lease.tryOut else { return lease }
            do {
                _ = try await lease.connection.pipeline([Command("SELECT 1").erased])
                return lease
            } catch {
                release(lease)
                if error is CancellationError { throw error }
            }
        }
    }

    func release(_ lease: Lease) {
        let isUsable = lease.connection.isIdle
        apply { $0.state.release(lease.id, isUsable: isUsable, now: .now) }
    }

    private func nextLease() async throws -> Lease {
        let waiter = inner.withLock { inner in
            inner.nextWaiter += 1
            return inner.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try Task.checkCancellation()
            return try await withUnsafeThrowingContinuation { continuation in
                apply { inner in
                    inner.waiters[waiter] = continuation
                    return inner.state.acquire(waiter, now: .now)
                }
                // The cancellation may have come before the waiter was known.
                if Task.isCancelled { abandon(waiter) }
            }
        } onCancel: {
            abandon(waiter)
        }
    }

    private func abandon(_ waiter: PoolState.WaiterID) {
        let continuation = inner.withLock { inner in
            inner.state.abandon(waiter) ? inner.waiters.removeValue(forKey: waiter) : nil
        }
        continuation?.resume(throwing: CancellationError())
    }
}

// MARK: - Doing what the state says

extension PostgresPool {
    private typealias Effect = @Sendable () -> Void

    /// Decides under the lock, acts outside it.
    private func apply(_ event: (inout Inner) -> [PoolState.Action]) {
        let effects: [Effect] = inner.withLock { inner in
            let actions = event(&inner)
            defer { rearm(&inner) }
            return actions.flatMap { carryOut($0, &inner) }
        }
        for effect in effects { effect() }
    }

    private func carryOut(_ action: PoolState.Action, _ inner: inout Inner) -> [Effect] {
        switch action {
        case .lend(let id, let waiter, let tryOut):
            guard let continuation = inner.waiters.removeValue(forKey: waiter), let connection = inner.connections[id]
            else { return [] }
            return [{ continuation.resume(returning: Lease(id: id, connection: connection, tryOut: tryOut)) }]
        case .refuse(let waiter, let refusal):
            guard let continuation = inner.waiters.removeValue(forKey: waiter) else { return [] }
            let error = Self.error(for: refusal, inner.lastConnectError)
            return [{ continuation.resume(throwing: error) }]
        case .connect(let id):
            return [{ self.connect(id) }]
        case .close(let id):
            guard let connection = inner.connections.removeValue(forKey: id) else { return [] }
            return [{ Task { await connection.close() } }]
        case .finished:
            inner.isFinished = true
            defer { inner.closers = [] }
            return inner.closers.map { closer in { closer.resume() } }
        }
    }

    private func connect(_ id: PoolState.ConnectionID) {
        Task {
            do {
                let connection = try await PostgresConnection.connect(configuration.connection, logger: logger)
                apply { inner in
                    inner.connections[id] = connection
                    inner.lastConnectError = nil
                    return inner.state.connected(id, now: .now)
                }
                connection.health.whenBroken { [weak self] in self?.apply { $0.state.lost(id) } }
            } catch {
                let error = error as? PostgresError ?? PostgresError(kind: .connectFailed, message: "\(error)")
                logger.warning("no connection to the database", metadata: ["error": "\(error)"])
                apply { inner in
                    inner.lastConnectError = error
                    return inner.state.connectFailed(id, now: .now, jitter: .random(in: 0...1))
                }
            }
        }
    }

    /// One timer for the nearest deadline of all.
    private func rearm(_ inner: inout Inner) {
        let next = inner.state.nextDeadline
        if let timer = inner.timer, let next, timer.at <= next { return }
        inner.timer?.task.cancel()
        inner.timer = nil
        guard let next else { return }
        let task = Task { [weak self] in
            guard (try? await Task.sleep(until: next, clock: .continuous)) != nil else { return }
            self?.timerFired()
        }
        inner.timer = (next, task)
    }

    private func timerFired() {
        apply { inner in
            inner.timer = nil
            return inner.state.tick(now: .now)
        }
    }

    private static func error(for refusal: PoolState.Refusal, _ lastConnectError: PostgresError?) -> PostgresError {
        switch refusal {
        case .tooManyWaiters: PostgresError(kind: .poolExhausted, message: "too many callers wait for a connection")
        case .timeout(connectFailed: true):
            lastConnectError ?? PostgresError(kind: .connectFailed, message: "no connection in time")
        case .timeout: PostgresError(kind: .poolExhausted, message: "no connection became free in time")
        case .closed: PostgresError(kind: .poolClosed, message: "the pool is closed")
        }
    }
}

extension PoolConfiguration {
    fileprivate var limits: PoolState.Limits {
        PoolState.Limits(
            maxConnections: maxConnections, maxWaiters: maxWaiters, acquireTimeout: acquireTimeout,
            idleTimeout: idleTimeout, maxLifetime: maxLifetime, tryOutAfter: healthCheckAfterIdle, backoff: backoff)
    }
}
