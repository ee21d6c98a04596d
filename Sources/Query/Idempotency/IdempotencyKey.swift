import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared

/// What makes creating something twice creating it once: a key that the client chose, good for one operation of one tenant, and what it
/// was used for.
struct IdempotencyKey: Sendable {
    private struct Use: RowDecodable {
        let payload: [UInt8]
        let answer: String?

        init(_ row: Row) throws {
            payload = try row["payload"]
            answer = try row["answer"]
        }
    }

    let key: String
    private let operation: String
    /// SHA-256.
    private let payload: [UInt8]

    static func isValid(_ text: String) -> Bool {
        (1...200).contains(text.unicodeScalars.count)
            && text.unicodeScalars.allSatisfy { !$0.properties.isWhitespace || $0 == " " }
            && !text.contains(/\p{Cc}/)
    }

    /// Nil for a request without one.
    ///
    /// - Parameters:
    ///   - field: `request_id` of the body.
    ///   - operation: the resource that is made.
    ///   - payload: what is asked for, in a form that is the same for the same wish.
    /// - Throws: `Problem` 422 where body and header name different ones.
    init?(
        _ request: Request, field: String?, operation: StaticString, payload: some JSONWritable
    ) throws {
        let header = request.headers[.idempotencyKey]
        if let header, !Self.isValid(header) {
            throw Problem.unprocessable([
                .init(field: "Idempotency-Key", code: "invalid_key", detail: "Must have 1 to 200 printable characters.")
            ])
        }
        if let header, let field, header != field {
            throw Problem.unprocessable([
                .init(field: "request_id", code: "conflict", detail: "The header Idempotency-Key is another one.")
            ])
        }
        guard let key = field ?? header else { return nil }
        (self.key, self.operation) = (key, operation.description)
        var json = JSONWriter()
        payload.write(to: &json)
        self.payload = sha256(String(buffer: json.buffer))
    }

    /// What the key was used for already. The first who asks goes on alone: whoever asks at the same time waits until that one's
    /// transaction has ended, and then either finds its answer or goes on in its place.
    ///
    /// - Returns: the first answer, as JSON; nil for whoever goes on.
    /// - Throws: `Problem` 422 `key_reused` for another payload.
    func begin(in tx: TenantTransaction) async throws -> JSONB? {
        let tenant = tx.tenantID
        let isFirst =
            try await tx.run(
                """
                INSERT INTO idempotency_keys (tenant_id, operation, key, payload)
                VALUES (\(tenant), \(operation), \(key), \(payload))
                ON CONFLICT DO NOTHING
                """) == 1
        if isFirst { return nil }
        // In a statement of its own, which sees what the one before has waited for.
        let use: Use? = try await tx.first(
            """
            SELECT payload, answer FROM idempotency_keys
             WHERE tenant_id = \(tenant) AND operation = \(operation) AND key = \(key)
            """)
        guard let use, let answer = use.answer else { throw Problem.unavailable(retryAfter: 1, code: "try_again") }
        guard use.payload == payload else {
            throw Problem.unprocessable(
                code: "key_reused", detail: "The request_id was used for something else.",
                errors: [.init(field: "request_id", code: "reused", detail: "It was used with another payload.")])
        }
        return JSONB(answer)
    }

    /// Keeps the answer for whoever asks again.
    func finish(_ answer: some JSONWritable, in tx: TenantTransaction) -> Command {
        var json = JSONWriter()
        answer.write(to: &json)
        return """
            UPDATE idempotency_keys SET answer = \(String(buffer: json.buffer))
             WHERE tenant_id = \(tx.tenantID) AND operation = \(operation) AND key = \(key)
            """
    }
}

/// A resource that was made now, or the answer that it had when it was made.
enum Created<Resource: PartlyLive>: PartlyLive {
    case now(Resource)
    case before(JSONB)

    func write(to json: inout JSONWriter) {
        switch self {
        case .now(let resource): resource.write(to: &json)
        case .before(let answer): answer.write(to: &json)
        }
    }

    /// What it was before may be another by now, so its tag is nobody's.
    func write(editedTo json: inout JSONWriter) {
        switch self {
        case .now(let resource): resource.write(editedTo: &json)
        case .before(let answer): answer.write(to: &json)
        }
    }
}
