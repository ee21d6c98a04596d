import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import ServiceLifecycle
import Shared
import Synchronization
import Testing

struct AdminServerTests {
    private final class Switch: Sendable {
        private let on = Atomic(true)
        var value: Bool { on.load(ordering: .relaxed) }
        func turnOff() { on.store(false, ordering: .relaxed) }
    }

    private let logger = Logger(label: "test") { RecordedLog().handler($0) }

    @Test func readinessNamesWhatFails() async throws {
        let database = Switch()
        let server = AdminServer(
            checks: [
                ReadinessCheck("schema") { true }, ReadinessCheck("database") { database.value },
                ReadinessCheck("spool") { database.value },
            ], metrics: MetricRegistry())
        try await server.application(host: "127.0.0.1", port: 0, logger: logger).test(.live) { client in
            #expect(try await client.send(.get, "/ready").status == .ok)
            database.turnOff()
            let response = try await client.send(.get, "/ready")
            #expect(response.status == .serviceUnavailable)
            #expect(response.headers[.contentType] == "application/problem+json")
            #expect(response.headers[.retryAfter] == "1")
            #expect(String(buffer: response.body).contains("Not ready: database, spool."))
            let live = try await client.send(.get, "/live")
            #expect(String(buffer: live.body) == #"{"status":"ok"}"#)
            #expect(try await client.send(.head, "/live").status == .ok)
        }
    }

    @Test func metricsAreExposed() async throws {
        let metrics = MetricRegistry()
        metrics.registerProcessMetrics()
        metrics.counter("pulsegate_things_total", help: "Things.").increment(by: 3)
        let server = AdminServer(checks: [], metrics: metrics)
        try await server.application(host: "127.0.0.1", port: 0, logger: logger).test(.router) { client in
            let response = try await client.send(.get, "/metrics")
            #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(String(buffer: response.body).contains("pulsegate_things_total 3\n"))
            let post = try await client.send(.post, "/metrics")
            #expect(post.status == .methodNotAllowed)
        }
    }

    @Test func drainingIsNotReady() async throws {
        struct Announcer: Service {
            let started: AsyncStream<Void>.Continuation

            func run() async throws {
                started.yield()
                try await gracefulShutdown()
            }
        }
        let marker = DrainMarker()
        let (started, announce) = AsyncStream.makeStream(of: Void.self)
        let group = ServiceGroup(services: [Announcer(started: announce), marker], logger: logger)
        async let running: Void = group.run()
        for await _ in started { break }
        #expect(await marker.check.isReady())
        await group.triggerGracefulShutdown()
        try await running
        #expect(await !marker.check.isReady())
    }
}
