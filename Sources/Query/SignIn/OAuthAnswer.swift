import HTTPTypes
import Hummingbird
import Shared

/// RFC 6749 §5.1.
struct OAuthAnswer: ResponseGenerator {
    private let signedIn: SignInAnswer

    init(_ signedIn: SignInAnswer) {
        self.signedIn = signedIn
    }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var json = JSONWriter()
        json.object { object in
            object.field("access_token", signedIn.accessToken)
            object.field("token_type", "Bearer")
            object.field("expires_in", AccessTokens.lifetime)
            object.field("refresh_token", signedIn.refreshToken.secret)
            object.field("scope", signedIn.scopes.map(\.rawValue).sorted().joined(separator: " "))
        }
        return .oauth(.ok, json)
    }
}

/// RFC 6749 §5.2; standard clients understand this and no problem document.
struct OAuthError: HTTPResponseError {
    enum Code: String, Sendable {
        case invalidRequest = "invalid_request"
        case invalidGrant = "invalid_grant"
        case unsupportedGrantType = "unsupported_grant_type"
    }

    let code: Code
    let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    var status: HTTPResponse.Status { .badRequest }

    func response(from request: Request, context: some RequestContext) throws -> Response {
        var json = JSONWriter()
        json.object { object in
            object.field("error", code.rawValue)
            object.field("error_description", description)
        }
        return .oauth(status, json)
    }
}

extension Response {
    fileprivate static func oauth(_ status: HTTPResponse.Status, _ json: JSONWriter) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: json.buffer))
    }
}
