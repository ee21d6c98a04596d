import Postgres
import Support
import Synchronization

/// What is known of the ring of batch keys: how often it was turned, and so which keys must still be known. A key is known in
/// the turn in which it was written and in the next.
final class KeyRing: Sendable {
    private struct State {
        var turn = 0
        var isTurning = false
        var inFlight: [Int: Int] = [:]
        var lastFlight = 0
    }

    private let state = Mutex(State())

    /// Counts a request as in flight while `body` sends it; `turn` is the earliest in which its key may be written.
    func inFlight<Value>(_ body: (_ turn: Int) async throws -> Value) async throws -> Value {
        let (flight, turn) = state.withLock { state in
            state.lastFlight += 1
            state.inFlight[state.lastFlight] = state.turn
            return (state.lastFlight, state.turn)
        }
        defer { state.withLock { $0.inFlight[flight] = nil } }
        return try await body(turn)
    }

    /// Whether a key of that turn may be forgotten by now.
    func mayHaveForgotten(_ turn: Int) -> Bool {
        state.withLock { $0.turn + ($0.isTurning ? 1 : 0) > turn + 1 }
    }

    /// Whether the ring stands where it stood then.
    func stands(at turn: Int) -> Bool {
        state.withLock { $0.turn == turn && !$0.isTurning }
    }

    /// Turns the ring as if its hour were over, unless a request that is in flight would see it turn twice.
    func turn(_ clone: MigratedDatabase, as system: PostgresPool) async throws {
        let mayTurn = state.withLock { state in
            state.isTurning = state.inFlight.values.allSatisfy { $0 == state.turn }
            return state.isTurning
        }
        guard mayTurn else { return }
        var turned = false
        defer {
            state.withLock { state in
                state.turn += turned ? 1 : 0
                state.isTurning = false
            }
        }
        try await clone.asSuperuser { connection in
            try await connection.run("UPDATE batch_key_ring SET turned_at = now() - interval '61 minutes'")
        }
        turned = true // as far as anybody can say, should the connection be ended
        turned = try await system.single("SELECT turn_batch_key_ring()" as Statement<Bool>) == [true]
    }
}
