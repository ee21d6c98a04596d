import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Shared
import Support
import Testing

@testable import Query

/// Against a server that speaks as WhatsApp's Cloud API is documented to.
@Suite struct WhatsAppTests {
    private static let letter = Letter(
        to: "+34 (600) 000-000", subject: "Low stock", text: "Coffee:\t3 left\n\n    in T01")
    private static let taken = """
        {"messaging_product":"whatsapp","contacts":[{"input":"34600000000","wa_id":"34600000000"}],
         "messages":[{"id":"wamid.HBgLMzQ2MDAwMDAwMDA"}]}
        """

    private static func notifier(_ catcher: HookCatcher, template: WhatsAppNotifier.Template? = nil) -> WhatsAppNotifier
    {
        WhatsAppNotifier(
            client: .shared, baseURL: catcher.url("/v21.0"), phoneNumberID: "106540352242922", token: "EAAJB",
            template: template, timeout: .seconds(10))
    }

    private static func fault(_ code: Int) -> String {
        #"{"error":{"message":"(#\#(code)) …","type":"OAuthException","code":\#(code),"fbtrace_id":"A"}}"#
    }

    @Test func aTextIsSentAsDocumented() async throws {
        try await HookCatcher.run(answering: { _, _ in .of(.ok, [:], Self.taken) }) { catcher in
            try await Self.notifier(catcher).send(Self.letter)
            let caught = try #require(catcher.all("/v21.0/106540352242922/messages").first)
            #expect(caught.header("authorization") == "Bearer EAAJB")
            #expect(caught.header("content-type") == "application/json")
            let text = ["preview_url": false, "body": "Low stock\n\nCoffee:\t3 left\n\n    in T01"] as [String: Any]
            let expected: NSDictionary = [
                "messaging_product": "whatsapp", "recipient_type": "individual", "to": "34600000000", "type": "text",
                "text": text,
            ]
            #expect(expected.isEqual(to: caught.json), "\(caught.body)")
        }
    }

    @Test func aTemplateIsFilledAsDocumented() async throws {
        try await HookCatcher.run(answering: { _, _ in .of(.ok, [:], Self.taken) }) { catcher in
            try await Self.notifier(catcher, template: .init(name: "alert", language: "es")).send(Self.letter)
            let caught = try #require(catcher.all().first)
            let parameter = ["type": "text", "text": "Low stock: Coffee: 3 left in T01"]
            let component = ["type": "body", "parameters": [parameter]] as [String: Any]
            let template = ["name": "alert", "language": ["code": "es"], "components": [component]] as [String: Any]
            let expected: NSDictionary = [
                "messaging_product": "whatsapp", "recipient_type": "individual", "to": "34600000000",
                "type": "template", "template": template,
            ]
            #expect(expected.isEqual(to: caught.json), "\(caught.body)")
            #expect(WhatsAppNotifier.parameter(String(repeating: "a\n", count: 2_000)).count == 1_024)
        }
    }

    @Test func whatPassesIsToldFromWhatDoesNot() async throws {
        let answers: [(HTTPResponse.Status, String, isPassing: Bool)] =
            [4, 80_007, 130_429, 131_048, 131_056, 131_016, 133_004, 190].map { (.badRequest, Self.fault($0), true) }
            + [
                (.internalServerError, "", true), (.serviceUnavailable, Self.fault(2), true), (.unauthorized, "", true),
                (.forbidden, Self.fault(10), true), (.tooManyRequests, "", true),
                (.badRequest, Self.fault(100), false), (.badRequest, Self.fault(131_026), false),
                (.notFound, "", false),
                (.badRequest, Self.fault(131_047), false),
            ]
        try await HookCatcher.run(answering: { _, before in
            .of(answers[before].0, [.retryAfter: "77"], answers[before].1)
        }) { catcher in
            for (status, body, isPassing) in answers {
                do {
                    try await Self.notifier(catcher).send(Self.letter)
                    Issue.record("\(status) \(body) was taken")
                } catch let error as NotTakenNow {
                    #expect(isPassing, "\(status) \(body)")
                    #expect(error.retryAfter == .seconds(77))
                } catch {
                    #expect(error is NeverTaken && !isPassing, "\(status) \(body) \(error)")
                    #expect(!"\(error)".contains("600"))
                }
            }
        }
    }

    @Test func aServiceThatIsSlowOrAwayIsAskedAgain() async throws {
        let silent = Gate()
        try await HookCatcher.run(answering: { _, _ in
            await silent.pass()
            return .of(.ok, [:], Self.taken)
        }) { catcher in
            defer { silent.open() }
            var notifier = Self.notifier(catcher)
            notifier.timeout = .milliseconds(50)
            await #expect(throws: NotTakenNow.self) { try await notifier.send(Self.letter) }
        }
        let away = WhatsAppNotifier(
            client: .shared, baseURL: "http://127.0.0.1:\(try FreePorts.take(1)[0])", phoneNumberID: "1", token: "t",
            timeout: .milliseconds(200))
        await #expect(throws: NotTakenNow.self) { try await away.send(Self.letter) }
    }

    @Test func whoHasNoNumberIsNeverReached() async throws {
        let nowhere = WhatsAppNotifier(client: .shared, baseURL: "http://127.0.0.1:1", phoneNumberID: "1", token: "t")
        await #expect(throws: NeverTaken.self) {
            try await nowhere.send(Letter(to: "ana", subject: "", text: ""))
        }
    }
}
