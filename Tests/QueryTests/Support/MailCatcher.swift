import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Shared
import Support
import Synchronization
import Testing

@testable import Query

/// A server on loopback that speaks Resend's API and keeps what it is sent.
final class MailCatcher: Sendable {
    struct Caught: Sendable {
        let authorization, idempotencyKey, contentType: String?
        let from: String
        let to: [String]
        let subject: String
        let text: String

        /// The one that its link carries.
        var token: String {
            get throws { try String(#require(text.firstMatch(of: /token=([A-Za-z0-9_-]+)/)).1) }
        }
    }

    private struct Body: Decodable {
        let from: String
        let to: [String]
        let subject: String
        let text: String
    }

    private let refusals: Mutex<[HTTPResponse.Status]>
    private let letters: AsyncStream<Caught>
    private let caught: AsyncStream<Caught>.Continuation

    private init(refusals: [HTTPResponse.Status]) {
        self.refusals = Mutex(refusals)
        (letters, caught) = AsyncStream.makeStream()
    }

    /// - Parameter refusals: how the first letters are answered, before any is taken.
    static func run(
        refusals: [HTTPResponse.Status] = [],
        _ body: @escaping @Sendable (MailCatcher, ResendNotifier) async throws -> Void
    ) async throws {
        let catcher = MailCatcher(refusals: refusals)
        let router = Router()
        router.post("emails") { request, context -> HTTPResponse.Status in
            if let refusal = catcher.refusals.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return refusal }
            let headers = request.headers
            let letter = try await JSONDecoder().decode(Body.self, from: request, context: context)
            catcher.caught.yield(
                Caught(
                    authorization: headers[.authorization], idempotencyKey: headers[.idempotencyKey],
                    contentType: headers[.contentType], from: letter.from, to: letter.to, subject: letter.subject,
                    text: letter.text))
            return .ok
        }
        let app = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)), logger: .silent)
        try await app.test(.live) { client in
            let port = try #require(client.port)
            let notifier = ResendNotifier(
                client: .shared, baseURL: "http://127.0.0.1:\(port)", apiKey: "re_test",
                sender: "Pulsegate <p@example.com>")
            try await body(catcher, notifier)
        }
    }

    /// The next letter that comes, or has come.
    func next() async throws -> Caught {
        var iterator = letters.makeAsyncIterator()
        return try #require(await iterator.next())
    }
}

extension Testbed {
    /// With mail that is caught.
    static func runWithMail(
        accessTimeToLive: Duration = .seconds(4), failures: FailureThrottle.Limits = .init(),
        options: QueryServices.Options = .init(),
        _ body: @escaping @Sendable (Testbed, MailCatcher) async throws -> Void
    ) async throws {
        try await MailCatcher.run { catcher, notifier in
            var options = options
            (options.notifier, options.publicURL) = (notifier, "https://pulsegate.test")
            try await run(accessTimeToLive: accessTimeToLive, failures: failures, options: options) {
                try await body($0, catcher)
            }
        }
    }
}
