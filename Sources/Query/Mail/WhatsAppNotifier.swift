import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Postgres
import Shared

/// WhatsApp's Cloud API (https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages).
struct WhatsAppNotifier: Notifier {
    /// One that was approved, with one parameter in its body. Without one, people are reached within 24 hours of a message of theirs alone.
    struct Template: Sendable {
        let name: String
        /// `en`, `pt_BR`.
        let language: String
    }

    /// Characters.
    static let maxText = 4_096
    static let maxParameter = 1_024

    /// Codes of errors that pass: too many requests, of the application, the account, the number or to one recipient; maintenance, and
    /// what is broken on their side (https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes).
    private static let passing: Set = [2, 4, 80_007, 130_429, 131_000, 131_016, 131_048, 131_056, 133_004]
    /// The token has expired or was withdrawn, which the operator may mend.
    private static let badToken = 190

    let client: HTTPClient
    /// `https://graph.facebook.com/v21.0`.
    let baseURL: String
    let phoneNumberID: String
    let token: String
    var template: Template?
    var timeout = TimeAmount.seconds(10)

    /// - Parameter letter: the recipient is a telephone number with its country's code, however it is written.
    func send(_ letter: Letter) async throws {
        let digits = letter.recipient.filter { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty else { throw NeverTaken(reason: "the recipient is no telephone number") }
        var request = HTTPClientRequest(url: "\(baseURL)/\(phoneNumberID)/messages")
        request.method = .POST
        request.headers = ["Authorization": "Bearer \(token)", "Content-Type": "application/json"]
        request.body = .bytes(ByteBuffer(data: try JSONEncoder().encode(Message(letter, to: digits, template))))
        let response: HTTPClientResponse
        let body: ByteBuffer?
        do {
            response = try await client.execute(request, timeout: timeout)
            body = try? await response.body.collect(upTo: 64 * 1024)
        } catch {
            throw NotTakenNow(reason: "\(type(of: error))")
        }
        let answer = body.flatMap { try? JSONDecoder().decode(Answer.self, from: $0) }
        try check(response, answer)
    }

    private func check(_ response: HTTPClientResponse, _ answer: Answer?) throws {
        let (status, code) = (response.status.code, answer?.error?.code)
        if (200..<300).contains(status) {
            return // whether we could read its answer or not: there is no key by which it would know a second one
        }
        let reason = "status \(status)" + (code.map { ", error \($0)" } ?? "")
        let isPassing = code.map { Self.passing.contains($0) || $0 == Self.badToken } ?? false
        if isPassing || status >= 500 || [401, 403, 408, 429].contains(status) {
            throw NotTakenNow(reason: reason, retryAfter: RetryAfter(response.headers, at: .now())?.pause)
        }
        throw NeverTaken(reason: reason)
    }

    private struct Answer: Decodable {
        struct Fault: Decodable { let code: Int }

        let error: Fault?
    }
}

extension WhatsAppNotifier {
    /// As the API wants it.
    private struct Message: Encodable {
        struct Text: Encodable {
            let preview_url = false
            let body: String
        }

        struct Template: Encodable {
            struct Language: Encodable { let code: String }
            struct Component: Encodable {
                let type = "body"
                let parameters: [Parameter]
            }
            struct Parameter: Encodable {
                let type = "text"
                let text: String
            }

            let name: String
            let language: Language
            let components: [Component]
        }

        let messaging_product = "whatsapp"
        let recipient_type = "individual"
        let to: String
        let type: String
        var text: Text?
        var template: Template?

        init(_ letter: Letter, to digits: String, _ approved: WhatsAppNotifier.Template?) {
            to = digits
            type = approved == nil ? "text" : "template"
            guard let approved else {
                text = Text(body: String("\(letter.subject)\n\n\(letter.text)".prefix(WhatsAppNotifier.maxText)))
                return
            }
            let line = WhatsAppNotifier.parameter("\(letter.subject): \(letter.text)")
            template = Template(
                name: approved.name, language: .init(code: approved.language),
                components: [.init(parameters: [.init(text: line)])])
        }
    }

    /// Parameters of templates hold no line ends, no tabs and no four spaces in a row.
    static func parameter(_ text: String) -> String {
        String(text.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(maxParameter))
    }
}
