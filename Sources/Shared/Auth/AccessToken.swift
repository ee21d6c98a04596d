import Foundation
import Postgres

/// What a verified access token says. Comes from ``AccessTokens`` alone.
package struct AccessToken: Hashable, Sendable {
    package let userID: UUID
    package let tenantID: UUID
    /// A built-in role or one of the tenant's own.
    package let role: String
    /// Scopes as issued; those this version does not know are left out.
    package let scopes: Set<Scope>
    package let sessionID: UUID
    /// Whole seconds.
    package let issuedAt: Timestamp
    /// Whole seconds.
    package let expiresAt: Timestamp
    package let id: UUID
}

/// Why a token was refused: for counters and logs. Clients are told nothing but 401.
package enum TokenRefusal: String, Error, CaseIterable, Sendable {
    /// Not three parts of base64url JSON, too long, or claims missing or of a wrong kind.
    case malformed
    /// `alg`, `typ` or `crit` is not what the key is fixed to.
    case wrongAlgorithm = "wrong_algorithm"
    case unknownKey = "unknown_key"
    case badSignature = "bad_signature"
    case expired
    /// Issued in the future: the clocks of two processes are apart.
    case notYetValid = "not_yet_valid"
    case wrongIssuer = "wrong_issuer"
    case wrongAudience = "wrong_audience"
}
