import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Support
import Synchronization
import Testing

/// A server on loopback that keeps what it is sent, and answers as a test wants it.
final class HookCatcher: Sendable {
    struct Caught: Sendable {
        let path: String
        let headers: HTTPFields
        let body: String

        var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] ?? [:]
        }

        func header(_ name: String) -> String? {
            HTTPField.Name(name).flatMap { headers[$0] }
        }
    }

    /// What to answer to a request, by its path and how many came there before it.
    typealias Answer = @Sendable (_ path: String, _ before: Int) async -> Response

    let port: Int
    private let requests: RequestLog

    private final class RequestLog: Sendable {
        let all = Mutex<[Caught]>([])
    }

    private init(port: Int, _ requests: RequestLog) {
        (self.port, self.requests) = (port, requests)
    }

    static func run(
        answering answer: @escaping Answer = { _, _ in Response(status: .noContent) },
        _ body: @escaping @Sendable (HookCatcher) async throws -> Void
    ) async throws {
        let log = RequestLog()
        let router = Router()
        router.post("**") { request, _ -> Response in
            let text = String(buffer: try await request.body.collect(upTo: 1 << 20))
            let path = request.uri.path
            let before = log.all.withLock { all in
                defer { all.append(Caught(path: path, headers: request.headers, body: text)) }
                return all.count { $0.path == path }
            }
            return await answer(path, before)
        }
        let app = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)), logger: .silent)
        try await app.test(.live) { client in
            try await body(HookCatcher(port: try #require(client.port), log))
        }
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    /// In the order of their coming.
    func all(_ path: String? = nil) -> [Caught] {
        requests.all.withLock { all in all.filter { path == nil || $0.path == path } }
    }
}

extension Response {
    static func of(_ status: HTTPResponse.Status, _ headers: HTTPFields = [:], _ body: String = "") -> Response {
        Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }
}

/// Shut until it is opened, for good.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func open() {
        let waiting = state.withLock { state in
            defer { state = State(isOpen: true) }
            return state.waiting
        }
        for one in waiting { one.resume() }
    }

    func pass() async {
        await withCheckedContinuation { one in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(one) }
                return state.isOpen
            }
            if isOpen { one.resume() }
        }
    }
}
