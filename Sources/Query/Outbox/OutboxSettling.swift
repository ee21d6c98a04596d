import ServiceLifecycle

/// Lets a process that stops write down what became of what it had begun to send: else others would send that again.
struct OutboxSettling: Service {
    let outbox: Outbox

    func run() async throws {
        try await gracefulShutdown()
        await outbox.settled()
    }
}
