import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Support
import Synchronization
import Testing

/// Listeners of real processes, which are killed and told to stop under them.
@Suite(.timeLimit(.minutes(5)))
struct EventStreamTests {
    @Test func aListenerGoesOnElsewhereWhereItWas() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let first = try await installation.startQuery()
            let second = try await installation.startReplica()
            let token = try await installation.signIn(tenant)
            let writer = API(installation: installation, token: token, url: second.url)
            let site = try #require(try await writer.get("/sites").first)
            let product = try await writer.send(
                .post, "/products", "{\"sku\":\"P\",\"name\":\"P\",\"unit\":\"kg\",\"price\":1,\"currency\":\"EUR\"}")
            let id = try #require(product.json["id"] as? String, "\(product.text)")
            let listener = Listener(token: token)
            let early = Task { try await listener.listen(installation.queryURL) }
            try await eventually("it listens") { listener.isConnected }
            func move() async throws {
                let body = "{\"product_id\":\"\(id)\",\"site_id\":\"\(site)\",\"kind\":\"receipt\",\"quantity\":1}"
                #expect(try await writer.send(.post, "/stock-movements", body).status == 201)
            }
            for _ in 0..<20 { try await move() }
            try await eventually("some was heard") { listener.heard.count >= 5 }
            first.send(SIGKILL)
            _ = await first.waitForExit()
            _ = await early.result // it breaks
            for _ in 0..<20 { try await move() }
            let late = Task { try await listener.listen(second.url) }
            try await eventually("all was heard") { listener.heard.count >= 40 }
            let listed = try await writer.get("/events?type=stock.moved&limit=200")
            #expect(listener.heard == listed.reversed(), "each once, in order")
            // A process that stops lets its listeners go.
            second.process.send(SIGTERM)
            #expect(await second.process.waitForExit() == 0, "\(second.process.output)")
            try await late.value
        }
    }

    /// Who may no longer listen is let go.
    @Test func aSessionThatEndsEndsItsStream() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let query = try await installation.startQuery()
            let listener = Listener(token: try await installation.signIn(tenant))
            let listening = Task { try await listener.listen(installation.queryURL) }
            try await eventually("it listens") { listener.isConnected }
            let api = API(installation: installation, token: try await installation.signIn(tenant))
            #expect(try await api.send(.post, "/auth/logout-all", nil).status == 204)
            try await listening.value
            query.send(SIGTERM)
            #expect(await query.waitForExit() == 0, "\(query.output)")
        }
    }
}

/// Remembers what it heard, as a browser's EventSource does.
private final class Listener: Sendable {
    private struct State {
        var isConnected = false
        var heard: [String] = []
    }

    private let token: String
    private let state = Mutex(State())

    var isConnected: Bool { state.withLock { $0.isConnected } }
    var heard: [String] { state.withLock { $0.heard } }

    init(token: String) {
        self.token = token
    }

    /// Until the stream ends.
    func listen(_ url: String) async throws {
        var request = HTTPClientRequest(url: url + "/api/v1/events/stream?type=stock.moved")
        request.headers.add(name: "Authorization", value: "Bearer \(token)")
        if let last = heard.last { request.headers.add(name: "Last-Event-ID", value: last) }
        let response = try await HTTPClient.shared.execute(request, timeout: .minutes(4))
        #expect(response.status == .ok)
        var rest = ""
        for try await part in response.body {
            state.withLock { $0.isConnected = true } // the first part is how long to wait before coming back
            rest += String(buffer: part)
            while let end = rest.range(of: "\n\n") {
                let block = rest[..<end.lowerBound]
                if let line = block.split(separator: "\n").first(where: { $0.hasPrefix("id: ") }) {
                    state.withLock { $0.heard.append(String(line.dropFirst(4))) }
                }
                rest = String(rest[end.upperBound...])
            }
        }
    }
}
