import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// An error as clients see it (RFC 9457), beside what only the log may know.
package struct Problem: Error, Sendable {
    /// A field at fault.
    package struct FieldError: Hashable, Sendable, Encodable {
        /// As in the request: `lines[2].quantity`.
        package let field: String
        package let code: String
        package let detail: String

        package init(field: String, code: String, detail: String) {
            self.field = field
            self.code = code
            self.detail = detail
        }
    }

    package var status: HTTPResponse.Status
    /// Stable, snake_case; `type` is made of it.
    package var code: String
    /// For people. Never a message of PostgreSQL, a secret, or anything that tells a foreign row from a missing one.
    package var detail: String
    package var errors: [FieldError]
    /// What else a client can make use of (RFC 9457 §3.2): `free_slots`.
    package var members: [String: [[String: String]]] = [:]
    /// Beside `Content-Type`: `Retry-After`, `Allow`, `WWW-Authenticate`.
    package var headers: HTTPFields
    /// What happened, for the log alone; with one, the problem is logged when it is answered.
    package var cause: String?

    package init(
        _ status: HTTPResponse.Status, code: String, detail: String, errors: [FieldError] = [],
        headers: HTTPFields = [:], cause: String? = nil
    ) {
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers
        self.cause = cause
    }
}

extension Problem: HTTPResponseError {
    package func response(from request: Request, context: some RequestContext) throws -> Response {
        let requestID = (context as? any PulsegateRequestContext)?.requestID
        if let cause {
            // A 503 passes by itself; any other cause is a defect.
            let level: Logger.Level = status == .serviceUnavailable ? .warning : .error
            context.logger.log(level: level, "\(code)", metadata: ["cause": "\(cause)"])
        }
        return try response(requestID: requestID)
    }

    /// - Parameter requestID: names the request in the body.
    package func response(requestID: String?) throws -> Response {
        var headers = headers
        headers[.contentType] = Self.contentType
        return Response(
            status: status, headers: headers, body: ResponseBody(byteBuffer: try encoded(requestID: requestID)))
    }

    static let contentType = "application/problem+json"

    func encoded(requestID: String?) throws -> ByteBuffer {
        let body = Body(
            type: "/problems/\(code)", title: status.reasonPhrase, status: status.code, detail: detail, code: code,
            requestID: requestID, errors: errors.isEmpty ? nil : errors, members: members)
        return ByteBuffer(bytes: try JSONCoding.encoder.encode(body))
    }

    private struct Body: Encodable {
        let type: String
        let title: String
        let status: Int
        let detail: String
        let code: String
        let requestID: String?
        let errors: [FieldError]?
        let members: [String: [[String: String]]]

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Name.self)
            try container.encode(type, forKey: "type")
            try container.encode(title, forKey: "title")
            try container.encode(status, forKey: "status")
            try container.encode(detail, forKey: "detail")
            try container.encode(code, forKey: "code")
            try container.encodeIfPresent(requestID, forKey: "request_id")
            try container.encodeIfPresent(errors, forKey: "errors")
            for (name, member) in members { try container.encode(member, forKey: Name(stringValue: name)) }
        }

        struct Name: CodingKey, ExpressibleByStringLiteral {
            let stringValue: String
            var intValue: Int? { nil }

            init(stringValue: String) { self.stringValue = stringValue }
            init(stringLiteral value: String) { stringValue = value }
            init?(intValue: Int) { nil }
        }
    }
}

extension Problem: CustomStringConvertible {
    package var description: String {
        "\(status.code) \(code): \(detail)" + (cause.map { " [\($0)]" } ?? "")
    }
}
