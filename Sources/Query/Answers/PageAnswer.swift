import HTTPTypes
import Hummingbird
import Shared

extension PageRequest {
    /// For lists that are always short.
    static func everything(_ request: Request, _ context: TenantContext) -> PageRequest {
        PageRequest(limit: Int.max - 1, after: nil, scope: ListScope(tenant: context.tenant.uuid, request))
    }
}

/// One page of a list, `{"data": […], "next_cursor": … | null}`.
struct PageAnswer<View: JSONWritable>: ResponseGenerator {
    private let views: ArraySlice<View>
    private let nextCursor: String?

    /// - Parameters:
    ///   - rows: as many as the page's `fetchLimit` asks for: one more than a page, when there is a next one.
    ///   - position: where a row stands in the list's order.
    init<Position>(
        _ rows: [View], _ page: PageRequest<Position>, of request: Request, _ context: TenantContext,
        position: (View) -> Position
    ) throws {
        views = rows.prefix(page.limit)
        let list = ListScope(tenant: context.tenant.uuid, request)
        nextCursor = try rows.count > page.limit ? views.last.map { try Cursor.encode(position($0), in: list) } : nil
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var json = JSONWriter()
        json.object { object in
            object.field("data", Array(views))
            object.field("next_cursor", nextCursor)
        }
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "private, no-cache"],
            body: ResponseBody(byteBuffer: json.buffer))
    }
}
