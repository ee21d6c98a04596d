import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Shared

/// What a client asks the token endpoint for, form-encoded (RFC 6749 §4.3.2 and §6); `tenant` is an extension of ours.
enum OAuthGrant: Sendable {
    case password(SignIn)
    case refreshToken(String)

    /// - Throws: ``OAuthError``; `Problem` 413.
    init(_ request: Request, _ context: QueryContext) async throws {
        let type = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        guard type == "application/x-www-form-urlencoded" else {
            throw OAuthError(.invalidRequest, "The body must be application/x-www-form-urlencoded.")
        }
        let body = try await request.decodedBody(limit: JSONBody.maxBytes, context: context)
        let fields = try Self.fields(String(buffer: body))
        switch fields["grant_type"] {
        case "password":
            guard let email = fields["username"], let password = fields["password"] else {
                throw OAuthError(.invalidRequest, "username and password must be given.")
            }
            guard max(email.utf8.count, password.utf8.count) <= SignIn.maxLength else {
                throw OAuthError(.invalidRequest, "username or password is too long.")
            }
            let tenants = (fields["tenant"].map { [$0] } ?? []) + context.namedTenants
            self = .password(SignIn(email: email, password: password, tenants: tenants))
        case "refresh_token":
            guard let token = fields["refresh_token"] else {
                throw OAuthError(.invalidRequest, "refresh_token must be given.")
            }
            self = .refreshToken(token)
        case nil: throw OAuthError(.invalidRequest, "grant_type must be given.")
        default: throw OAuthError(.unsupportedGrantType, "grant_type is password or refresh_token.")
        }
    }

    /// A field given twice is refused, and one without a value is as good as none (RFC 6749 §3.2).
    private static func fields(_ form: String) throws -> [String: String] {
        var fields: [String: String] = [:]
        for pair in form.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = parts.compactMap { $0.replacing("+", with: " ").removingPercentEncoding }
            guard decoded.count == parts.count, let name = decoded.first else {
                throw OAuthError(.invalidRequest, "The body is not form-encoded.")
            }
            guard decoded.count == 2, !decoded[1].isEmpty else { continue }
            guard fields.updateValue(decoded[1], forKey: name) == nil else {
                throw OAuthError(.invalidRequest, "A field is given twice.")
            }
        }
        return fields
    }
}
