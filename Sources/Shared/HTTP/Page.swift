import Foundation
import Hummingbird

/// What a client asks of a list: how many, and after which position.
package struct PageRequest<Position: Codable & Sendable>: Sendable {
    /// Items of a page.
    package let limit: Int
    /// Nil for the first page.
    package let after: Position?
    private let scope: ListScope

    /// Rows to ask the database for: one more than a page, which tells whether there is a next one.
    package var fetchLimit: Int { limit + 1 }

    package init(limit: Int, after: Position?, scope: ListScope) {
        self.limit = limit
        self.after = after
        self.scope = scope
    }

    /// Reads `limit` (default 50, 1 to 200) and `cursor`.
    /// - Throws: 400 `invalid_limit` or `invalid_cursor`.
    package init(_ request: Request, tenant: UUID) throws(Problem) {
        let query = request.uri.queryParameters
        let scope = ListScope(tenant: tenant, request)
        let limit = try Self.limit(query["limit"])
        guard let cursor = query["cursor"] else {
            self.init(limit: limit, after: nil, scope: scope)
            return
        }
        self.init(limit: limit, after: try Cursor.decode(cursor, in: scope), scope: scope)
    }

    /// - Parameters:
    ///   - rows: at most ``fetchLimit``.
    ///   - position: where a row stands in the list's order.
    package func page<Row, Item: Encodable>(
        _ rows: [Row], position: (Row) -> Position, item: (Row) throws -> Item
    ) throws -> Page<Item> {
        let shown = rows.prefix(limit)
        let next = rows.count > limit ? shown.last : nil
        return Page(
            data: try shown.map(item), nextCursor: try next.map { try Cursor.encode(position($0), in: scope) })
    }

    private static func limit(_ text: Substring?) throws(Problem) -> Int {
        guard let text else { return 50 }
        guard text.utf8.allSatisfy(\.isDecimalDigit), let limit = Int(text), (1...200).contains(limit) else {
            throw Problem.badRequest(code: "invalid_limit", detail: "limit must be a number from 1 to 200.")
        }
        return limit
    }
}

/// `{"data": […], "next_cursor": … | null}`.
package struct Page<Item: Encodable>: Encodable {
    package let data: [Item]
    package let nextCursor: String?

    enum CodingKeys: String, CodingKey {
        case data
        case nextCursor = "next_cursor"
    }

    package init(data: [Item], nextCursor: String?) {
        self.data = data
        self.nextCursor = nextCursor
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(data, forKey: .data)
        try container.encode(nextCursor, forKey: .nextCursor) // null when there is no next page, never left out
    }
}
