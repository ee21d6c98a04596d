import HTTPTypes

extension HTTPField.Name {
    package static let requestID = HTTPField.Name.constant("X-Request-Id")
    package static let traceParent = HTTPField.Name.constant("traceparent")
    /// Names a tenant by slug or UUID.
    package static let tenantID = HTTPField.Name.constant("X-Tenant-ID")
    package static let idempotencyKey = HTTPField.Name.constant("Idempotency-Key")
    /// For whom a proxy asks.
    package static let forwardedFor = HTTPField.Name.constant("X-Forwarded-For")
    /// draft-ietf-httpapi-ratelimit-headers.
    package static let rateLimit = HTTPField.Name.constant("RateLimit")
    package static let rateLimitPolicy = HTTPField.Name.constant("RateLimit-Policy")

    /// - Parameter name: a token of RFC 9110 §5.1, written in the source.
    package static func constant(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header's name") }
        return name
    }
}
