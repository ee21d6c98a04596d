import HTTPTypes
import Hummingbird
import Shared

/// One resource, with an ETag over its very bytes: what stands in it may change without its `updated_at`, such as a
/// space's state.
struct Answer<View: JSONWritable>: ResponseGenerator {
    let view: View
    /// Holds what no cache may keep, so it has no ETag either.
    let isSecret: Bool

    init(_ view: View, isSecret: Bool = false) {
        self.view = view
        self.isSecret = isSecret
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var json = JSONWriter()
        view.write(to: &json)
        var headers: HTTPFields = [.contentType: "application/json"]
        guard !isSecret else {
            headers[.cacheControl] = "no-store"
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: json.buffer))
        }
        let tag = EntityTag(json.buffer)
        headers[.eTag] = tag.text
        headers[.cacheControl] = "private, no-cache"
        if let known = request.headers[.ifNoneMatch], tag.isNamed(in: known) {
            headers[.contentType] = nil
            return Response(status: .notModified, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: json.buffer))
    }
}
