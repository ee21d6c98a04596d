import HTTPTypes
import Hummingbird
import Shared

/// One resource, with an ETag over its very bytes: what stands in it may change without its `updated_at`, such as a
/// space's state.
struct Answer<View: JSONWritable>: ResponseGenerator {
    let view: View
    /// Holds what no cache may keep, so it has no ETag either.
    let isSecret: Bool
    /// The path of what was made: 201 instead of 200.
    let location: String?

    init(_ view: View, isSecret: Bool = false, createdAt location: String? = nil) {
        self.view = view
        self.isSecret = isSecret
        self.location = location
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var json = JSONWriter()
        view.write(to: &json)
        var headers: HTTPFields = [.contentType: "application/json"]
        headers[.location] = location
        let status: HTTPResponse.Status = location == nil ? .ok : .created
        guard !isSecret else {
            headers[.cacheControl] = "no-store"
            return Response(
                status: status, headers: headers, body: ResponseBody(byteBuffer: json.buffer))
        }
        let tag = EntityTag(view, json.buffer)
        headers[.eTag] = tag.text
        headers[.cacheControl] = "private, no-cache"
        if let known = request.headers[.ifNoneMatch], tag.isNamed(in: known) {
            headers[.contentType] = nil
            return Response(status: .notModified, headers: headers)
        }
        return Response(
            status: status, headers: headers, body: ResponseBody(byteBuffer: json.buffer))
    }
}
