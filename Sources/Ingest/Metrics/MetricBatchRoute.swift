import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Postgres
import Shared

/// `POST /v1/metrics/batch`: who, how often, how much, what, and then into the log. In this order, so that a stranger's body
/// is never read.
struct MetricBatchRoute: Sendable {
    /// Bytes of a body, before and after decompression.
    static let maxBodyBytes = 8 << 20
    /// Rejections listed in an answer; all are counted.
    static let maxListed = 100

    let keys: StoreKeyDirectory
    let admission: Admission
    let intake: MetricIntake
    let fallback: SpoolFallback
    let activity: Activity
    let bodies: BodyBudget
    let metrics: IngestMetrics

    func register(on router: Router<AnonymousRequestContext>) {
        router.post("/v1/metrics/batch") { request, context in
            try await holdingBackRefusals { try await take(request, context) }
        }
    }

    private func take(_ request: Request, _ context: AnonymousRequestContext) async throws -> Response {
        let credential = try await authenticate(request)
        try await admission.admit(credential.tenant, credential: credential.keyID)
        let lease = bodies.lease(of: credential.tenant.id)
        defer { withExtendedLifetime(lease) {} }
        let body = try await request.decodedBody(limit: Self.maxBodyBytes, lease: lease, context: context)
        let now = Timestamp.now()
        var batch = try intake.parse(body, for: credential.tenant, at: now)
        guard batch.count > 0 else { throw nothingStored(batch) }
        let (source, fresh) = (BatchSource(tenant: credential.tenant, owner: credential.owner), UUID())
        guard
            let taken = try await fallback.unlessAway({
                let prepared = try await intake.prepare(batch, body, from: source, at: now, fresh: fresh)
                batch.forgetSeries()
                return try await intake.store(prepared)
            })
        else {
            let sender = SpoolRecord.Sender.store(owner: source.owner, key: fresh)
            try await fallback.keep(body.readableBytesView, of: source.tenant, from: sender, at: now)
            seen(credential, request, at: now)
            metrics.countSpooled(samples: batch.count, rejected: batch.rejected)
            return try MetricBatchAnswer(spooled: batch).response()
        }
        guard taken.accepted > 0 else { throw nothingStored(taken.batch) }
        seen(credential, request, at: now)
        metrics.countSamples(taken.accepted, taken.outcome, rejected: taken.batch.rejected)
        return try MetricBatchAnswer(batch: taken.batch, accepted: taken.accepted, outcome: taken.outcome).response()
    }

    private func seen(_ credential: StoreCredential, _ request: Request, at now: Timestamp) {
        activity.seen(credential, gatewayVersion: request.headers[.userAgent].map(Self.gatewayVersion), at: now)
    }

    private func nothingStored(_ batch: MetricBatch) -> Problem {
        metrics.countSamples(rejected: batch.rejected)
        return MetricBatchAnswer.nothingStored(batch)
    }

    /// One answer for every reason, so that it tells nobody which part was right.
    private func authenticate(_ request: Request) async throws -> StoreCredential {
        guard let token = request.bearerToken, let credential = try await keys.credential(for: token) else {
            metrics.refusedCredentials.increment()
            throw Problem.unauthorized(challenge: "Bearer realm=\"pulsegate\"")
        }
        return credential
    }

    /// What a User-Agent says of a gateway, bounded and without control characters.
    private static func gatewayVersion(_ userAgent: String) -> String {
        if userAgent.utf8.count <= 128, userAgent.utf8.allSatisfy({ (32..<127).contains($0) }) { return userAgent }
        return String(
            userAgent.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }.prefix(128).map(Character.init))
    }
}

extension Problem {
    init(_ fault: MetricBatchFault) {
        self =
            switch fault {
            case .notJSON: .badRequest(code: "not_json", detail: "The body is not JSON.")
            case .tooDeep: .badRequest(code: "too_deep", detail: "The body is nested too deep.")
            case .notABatch:
                .unprocessable(code: "not_a_batch", detail: "The body must be an object with an array `metrics`.")
            case .tooManyRows:
                .unprocessable(code: "too_many_metrics", detail: "At most \(MetricBatch.maxRows) metrics in a batch.")
            case .batchIDInvalid:
                .unprocessable(
                    code: "batch_id_invalid",
                    detail: "batch_id must be a string of at most \(MetricBatch.maxBatchIDCharacters) characters.")
            case .outOfMemory: .unavailable(retryAfter: 5)
            }
    }
}
