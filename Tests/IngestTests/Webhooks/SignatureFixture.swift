import Postgres
import Testing

@testable import Ingest

let webhookNow = Timestamp(microseconds: 1_614_265_330_000_000)

func verify(
    _ authentication: WebhookAuthentication, _ body: String, _ headers: [String: [String]], secrets: [String],
    now: Timestamp = webhookNow
) -> Result<VerifiedBody, RefusalReason> {
    SignatureVerifier(authentication: authentication).verify(
        Array(body.utf8), headers: { headers[$0] ?? [] },
        secrets: secrets.compactMap { SecretMaterial(shown: $0, for: authentication) }, now: now)
}

extension Result where Success == VerifiedBody, Failure == RefusalReason {
    var isVerified: Bool { (try? get()) != nil }

    var refusal: RefusalReason? {
        if case .failure(let reason) = self { reason } else { nil }
    }
}
