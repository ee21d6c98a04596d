import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The one way JSON is written: keys in order, so that equal values are equal bytes, and slashes as they are.
package enum JSONCoding {
    /// `JSONEncoder` is safe to share as long as nobody changes its settings.
    package static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()

    package static let decoder = JSONDecoder()
}

package enum JSONResponse {
    package static func make(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:],
        contentType: String = "application/json"
    ) throws -> Response {
        let body = ByteBuffer(bytes: try JSONCoding.encoder.encode(value))
        var headers = headers
        headers[.contentType] = contentType
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    /// - Parameter text: what encoding the value would give, where there is a quicker way to it.
    package static func make(_ value: some Encodable, text: String?) throws -> Response {
        guard let text else { return try make(value) }
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}

/// `UUID` encodes itself in capitals. These are found before the standard library's, in synthesized conformances too,
/// wherever this module is imported, so that ids leave in lowercase.
extension KeyedEncodingContainer {
    package mutating func encode(_ id: UUID, forKey key: Key) throws {
        try encode(id.lowercaseString, forKey: key)
    }

    package mutating func encodeIfPresent(_ id: UUID?, forKey key: Key) throws {
        try encodeIfPresent(id?.lowercaseString, forKey: key)
    }

    package mutating func encode(_ ids: [UUID], forKey key: Key) throws {
        try encode(ids.map(\.lowercaseString), forKey: key)
    }

    package mutating func encodeIfPresent(_ ids: [UUID]?, forKey key: Key) throws {
        try encodeIfPresent(ids?.map(\.lowercaseString), forKey: key)
    }
}
