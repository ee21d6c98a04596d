import Crypto
import Foundation
import Hummingbird

/// What a list is a list of: a cursor is good for the same tenant, path and filters only.
package struct ListScope: Sendable {
    private let digest: [UInt8]

    /// - Parameter filters: all parameters but `limit` and `cursor`; their order doesn't matter.
    package init(tenant: UUID, path: String, filters: [(String, String)]) {
        var hash = SHA256()
        // Each piece with its length before it, so that no two lists of pieces are one text.
        func add(_ text: String) {
            hash.update(data: Array("\(text.utf8.count):".utf8))
            hash.update(data: Array(text.utf8))
        }
        add(tenant.lowercaseString)
        add(path)
        for (name, value) in filters.sorted(by: { $0 < $1 }) {
            add(name)
            add(value)
        }
        digest = Array(hash.finalize())
    }

    /// The scope of a request's own path and query.
    package init(tenant: UUID, _ request: Request) {
        let filters = request.uri.queryParameters.map { (String($0.key), String($0.value)) }
            .filter { $0.0 != "limit" && $0.0 != "cursor" }
        self.init(tenant: tenant, path: request.uri.path, filters: filters)
    }

    /// Ties a position to this list.
    fileprivate func tag(_ position: some Sequence<UInt8>) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: digest)
        hash.update(data: Array(position))
        return Array(hash.finalize().prefix(Cursor.tagCount))
    }
}

/// Where a page ended: the keyset position, in base64url behind a tag of 12 bytes. No secret: whoever forges one is
/// still asked for their own rows only.
package enum Cursor {
    fileprivate static let tagCount = 12
    private static let maxCharacters = 2_048

    package static func encode(_ position: some Encodable, in scope: ListScope) throws -> String {
        encode(json: Array(try JSONCoding.encoder.encode(position)), in: scope)
    }

    static func encode(json: [UInt8], in scope: ListScope) -> String {
        Base64URL.encode(scope.tag(json) + json)
    }

    /// - Throws: 400 `invalid_cursor` for garbage, and for a cursor of another tenant, path or filter.
    package static func decode<Position: Decodable>(
        _ text: some StringProtocol, in scope: ListScope, as type: Position.Type = Position.self
    ) throws(Problem) -> Position {
        guard text.utf8.count <= maxCharacters, let bytes = Base64URL.decode(text), bytes.count > tagCount,
            constantTimeEquals(Array(bytes.prefix(tagCount)), scope.tag(bytes.dropFirst(tagCount))),
            let position = try? JSONCoding.decoder.decode(Position.self, from: Data(bytes.dropFirst(tagCount)))
        else {
            throw Problem.badRequest(code: "invalid_cursor", detail: "This cursor does not belong to this list.")
        }
        return position
    }
}
