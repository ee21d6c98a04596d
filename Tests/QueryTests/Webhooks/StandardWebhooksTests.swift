import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

/// What receivers do with our messages: the library of Standard Webhooks' own authors verifies what arrived.
@Suite struct StandardWebhooksTests {
    private struct Question: Encodable {
        let secret: String
        let headers: [String: String]
        let body: String
    }

    private static let script = """
        import json, sys
        from standardwebhooks.webhooks import Webhook, WebhookVerificationError
        def verified(question):
            try:
                return Webhook(question["secret"]).verify(question["body"], question["headers"])["type"]
            except WebhookVerificationError as error:
                return "refused"
        print(json.dumps([verified(question) for question in json.load(sys.stdin)]))
        """

    @Test func whatArrivesIsVerified() async throws {
        let python = try await PythonEnvironment.with("standardwebhooks==1.0.1")
        try await HookCatcher.run { catcher in
            try await OutboxBed.run { bed in
                let (old, new, foreign) = (
                    OutboxBed.secret, IntegrationAuth.newWebhookSecret(), IntegrationAuth.newWebhookSecret()
                )
                try await bed.endpoint(of: bed.north, catcher.url("/one"), secrets: [old])
                try await bed.endpoint(of: bed.north, catcher.url("/two"), secrets: [old, new])
                try await bed.event(of: bed.north, data: #"{"name": "Señal \\u2713", "price": 1.50}"#)
                try await bed.outbox().deliverDue(of: bed.north, at: .now())
                let (one, two) = (try #require(catcher.all("/one").first), try #require(catcher.all("/two").first))
                #expect(two.header("webhook-signature")?.split(separator: " ").count == 2)
                var late = Self.headers(two)
                late["webhook-timestamp"] = late["webhook-timestamp"].flatMap(Int.init).map { String($0 + 1) }
                let questions = [
                    Question(secret: old, headers: Self.headers(one), body: one.body),
                    Question(secret: old, headers: Self.headers(two), body: two.body),
                    Question(secret: new, headers: Self.headers(two), body: two.body),
                    Question(secret: new, headers: Self.headers(one), body: one.body),
                    Question(secret: foreign, headers: Self.headers(two), body: two.body),
                    Question(
                        secret: old, headers: Self.headers(two), body: two.body.replacing("1.50", with: "9.50")),
                    Question(secret: old, headers: late, body: two.body),
                ]
                let output = try await python.run(Self.script, input: JSONEncoder().encode(questions))
                let verdicts = try JSONDecoder().decode([String].self, from: output)
                #expect(
                    verdicts == [
                        "vale.created", "vale.created", "vale.created", "refused", "refused", "refused", "refused",
                    ])
            }
        }
    }

    private static func headers(_ caught: HookCatcher.Caught) -> [String: String] {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        return Dictionary(uniqueKeysWithValues: names.map { ($0, caught.header($0) ?? "") })
    }

    /// The specification's own example of a secret, signed by hand with `openssl dgst`.
    @Test func secretsThatAreNoneSignNothing() {
        #expect(WebhookKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") != nil)
        #expect(WebhookKey("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") == nil && WebhookKey("whsec_***") == nil)
    }
}
