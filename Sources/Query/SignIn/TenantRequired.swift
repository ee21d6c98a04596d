import HTTPTypes
import Hummingbird
import Shared

/// 409 `tenant_required`: the password was right, and there are several tenants to choose from. A problem (RFC 9457)
/// with the member `memberships` more, which tells them.
struct TenantRequired: HTTPResponseError {
    let memberships: [SignInCandidate.Membership]

    var status: HTTPResponse.Status { .conflict }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var json = JSONWriter()
        json.object { object in
            object.field("type", "/problems/tenant_required")
            object.field("title", status.reasonPhrase)
            object.field("status", status.code)
            object.field("detail", "You are a member of several tenants: name one of them.")
            object.field("code", "tenant_required")
            object.field("request_id", (context as? any PulsegateRequestContext)?.requestID)
            object.field("memberships", memberships)
        }
        return Response(
            status: status, headers: [.contentType: "application/problem+json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: json.buffer))
    }
}
