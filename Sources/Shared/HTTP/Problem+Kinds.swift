import HTTPTypes

/// The problems there are. What a client may rely on is `code`.
extension Problem {
    package static func badRequest(code: String = "bad_request", detail: String) -> Problem {
        Problem(.badRequest, code: code, detail: detail)
    }

    /// - Parameter challenge: `WWW-Authenticate`, which a 401 must have (RFC 9110 §15.5.2).
    package static func unauthorized(
        challenge: String = "Bearer realm=\"pulsegate\"", code: String = "unauthorized",
        detail: String = "Valid credentials are needed."
    ) -> Problem {
        Problem(.unauthorized, code: code, detail: detail, headers: [.wwwAuthenticate: challenge])
    }

    package static func forbidden(code: String = "forbidden", detail: String = "This is not allowed.") -> Problem {
        Problem(.forbidden, code: code, detail: detail)
    }

    /// The same for what isn't there and for what is another tenant's.
    package static func notFound(_ thing: String = "resource") -> Problem {
        Problem(.notFound, code: "not_found", detail: "There is no such \(thing).")
    }

    package static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> Problem {
        let names = allowed.map(\.rawValue).sorted().joined(separator: ", ")
        return Problem(
            .methodNotAllowed, code: "method_not_allowed", detail: "Allowed here: \(names).", headers: [.allow: names])
    }

    package static func conflict(_ code: String = "conflict", detail: String) -> Problem {
        Problem(.conflict, code: code, detail: detail)
    }

    package static func preconditionFailed() -> Problem {
        Problem(
            .preconditionFailed, code: "precondition_failed", detail: "This was changed since you read it.")
    }

    /// - Parameter limit: bytes.
    package static func payloadTooLarge(limit: Int) -> Problem {
        Problem(.contentTooLarge, code: "payload_too_large", detail: "The body may have at most \(limit) bytes.")
    }

    package static func unsupportedMediaType(detail: String, headers: HTTPFields = [:]) -> Problem {
        Problem(.unsupportedMediaType, code: "unsupported_media_type", detail: detail, headers: headers)
    }

    package static func unprocessable(
        code: String = "invalid", detail: String, errors: [FieldError] = []
    ) -> Problem {
        Problem(.unprocessableContent, code: code, detail: detail, errors: errors)
    }

    package static func unprocessable(_ errors: [FieldError]) -> Problem {
        unprocessable(detail: "Some fields are not valid.", errors: errors)
    }

    /// - Parameters:
    ///   - policy: whose bound was reached.
    ///   - retryAfter: seconds, at least 1.
    package static func tooManyRequests(_ policy: RateLimitPolicy, retryAfter: Int) -> Problem {
        let retryAfter = max(1, retryAfter)
        return Problem(
            .tooManyRequests, code: "rate_limited", detail: "Too many requests; slow down.",
            headers: [
                .retryAfter: String(retryAfter), .rateLimitPolicy: policy.field,
                .rateLimit: "\"\(policy.name)\";r=0;t=\(retryAfter)",
            ])
    }

    /// The tenant takes more than its share of what all share; there is room for others.
    package static func beyondShare(detail: String) -> Problem {
        Problem(.tooManyRequests, code: "beyond_share", detail: detail, headers: [.retryAfter: "1"])
    }

    /// A bound of the tenant's plan is reached; waiting does not help.
    package static func quotaExceeded(detail: String) -> Problem {
        Problem(.tooManyRequests, code: "quota_exceeded", detail: detail)
    }

    /// - Parameter retryAfter: seconds, at least 1.
    package static func unavailable(
        retryAfter: Int = 1, code: String = "unavailable", detail: String = "This can't be done at the moment.",
        cause: String? = nil
    ) -> Problem {
        Problem(
            .serviceUnavailable, code: code, detail: detail, headers: [.retryAfter: String(max(1, retryAfter))],
            cause: cause)
    }

    /// - Parameter cause: for the log alone.
    package static func `internal`(_ cause: String) -> Problem {
        Problem(.internalServerError, code: "internal", detail: "Something went wrong on our side.", cause: cause)
    }

    /// For answers that the framework made without a body: a problem with the status' own name.
    package static func bare(_ status: HTTPResponse.Status) -> Problem {
        switch status {
        case .notFound: return .notFound()
        case .unauthorized: return .unauthorized()
        case .contentTooLarge: return Problem(status, code: "payload_too_large", detail: "The body is too large.")
        case .internalServerError: return Problem(status, code: "internal", detail: "Something went wrong on our side.")
        default:
            let words = status.reasonPhrase.lowercased().split { !$0.isLetter && !$0.isNumber }
            let code = words.isEmpty ? "error_\(status.code)" : words.joined(separator: "_")
            return Problem(status, code: code, detail: status.reasonPhrase + ".")
        }
    }
}
