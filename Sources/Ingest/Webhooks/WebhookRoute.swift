import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Postgres
import Shared

/// `POST /v1/webhooks/{integration_id}`: whose integration, is the body theirs, what does it say, and then into the database.
struct WebhookRoute: Sendable {
    static let maxBodyBytes = 1 << 20

    let integrations: IntegrationDirectory
    let admission: Admission
    let intake: WebhookIntake
    let fallback: SpoolFallback
    let bodies: BodyBudget
    /// For requests that name no integration.
    let strangersBodies: BodyBudget
    let metrics: IngestMetrics

    func register(on router: Router<AnonymousRequestContext>) {
        router.post("/v1/webhooks/:integration_id") { request, context in
            try await holdingBackRefusals { try await take(request, context) }
        }
    }

    private func take(_ request: Request, _ context: AnonymousRequestContext) async throws -> Response {
        let integration = try await integration(of: context)
        // Whose it claims to be: strangers who know an integration's id use up its tenant's share at most.
        let lease = (integration == nil ? strangersBodies : bodies).lease(of: integration?.tenant.id)
        defer { withExtendedLifetime(lease) {} }
        let received = try await request.body.collect(upToLimit: Self.maxBodyBytes, lease: lease, context: context)
        let now = Timestamp.now()
        let (verified, known) = try verify(Array(buffer: received), request, integration, now)
        // Only now: what a stranger sends must not use up what the tenant may send, nor tell that there is such an integration.
        try await admission.admit(known.tenant, credential: known.id)
        guard try ContentEncoding(request.headers[values: .contentEncoding]) == .identity else {
            throw Problem.unsupportedMediaType(detail: "Webhooks are taken plain.")
        }
        let source = WebhookSource(
            tenant: known.tenant, integrationID: known.id, dialect: known.dialect,
            contentType: request.headers[.contentType], key: .v7())
        return try await take(verified, from: source, now)
    }

    /// Nil for an id that is malformed or unknown: refused later, by the path that a wrong signature takes.
    private func integration(of context: AnonymousRequestContext) async throws -> Integration? {
        guard let text = context.parameters.get("integration_id"), let id = UUID(uuidString: text) else { return nil }
        return try await integrations.integration(id)
    }

    private func verify(
        _ body: [UInt8], _ request: Request, _ integration: Integration?, _ now: Timestamp
    ) throws -> (VerifiedBody, Integration) {
        let headers: SignatureVerifier.Headers = { name in
            HTTPField.Name(name).map { request.headers[values: $0] } ?? []
        }
        let result = SignatureVerifier(authentication: integration?.authentication ?? .hmac).verify(
            body, headers: headers, secrets: integration?.activeSecrets(at: now) ?? [], now: now)
        switch (integration, result) {
        case (let integration?, .success(let verified)) where integration.isActive:
            return (verified, integration)
        case (nil, _): metrics.countRefusal(.integrationUnknown)
        case (let integration?, _) where !integration.isActive: metrics.countRefusal(.integrationInactive)
        case (_, .failure(let reason)): metrics.countRefusal(reason)
        case (_, .success): metrics.countRefusal(.integrationInactive)
        }
        throw Problem.unauthorized(challenge: "Signature realm=\"pulsegate\"")
    }

    private func take(_ verified: VerifiedBody, from source: WebhookSource, _ now: Timestamp) async throws -> Response {
        let said: WebhookIntake.Said
        do {
            said = try intake.read(verified, from: source, at: now)
        } catch {
            throw Problem(error)
        }
        guard said.isWorthKeeping else { return try answer(said, .spooled(said), status: .ok) }
        guard
            let taken = try await fallback.unlessAway({
                try await intake.store(try await intake.prepare(said, verified, from: source, at: now))
            })
        else {
            let sender = SpoolRecord.Sender.integration(
                source.integrationID, dialect: source.dialect, messageID: verified.messageID,
                contentType: source.contentType, key: source.key)
            try await fallback.keep(verified.bytes, of: source.tenant, from: sender, at: now)
            return try answer(said, .spooled(said), status: .accepted)
        }
        return try answer(said, taken, status: .ok)
    }

    private func answer(
        _ said: WebhookIntake.Said, _ taken: WebhookIntake.Taken, status: HTTPResponse.Status
    ) throws -> Response {
        guard case .results(let results) = taken, case .report(let report) = said else {
            let outcome =
                if case .spooled = taken { IngestMetrics.Outcome.spooled } else { IngestMetrics.Outcome.quarantined }
            metrics.count(outcome)
            return try JSONResponse.make(["status": outcome.rawValue], status: status)
        }
        for result in results { metrics.count(result) }
        metrics.countDroppedLeaves(of: report.uplinks)
        if report.isList {
            return try JSONResponse.make(["results": results.map(UplinkAnswer.init)], status: status)
        }
        guard let result = results.first else { throw Problem.unprocessable(code: "no_uplink", detail: "No uplink.") }
        if case .rejected(let rejection) = result {
            throw Problem.unprocessable(
                code: rejection.code, detail: rejection.detail,
                errors: rejection.field.map { [.init(field: $0, code: rejection.code, detail: rejection.detail)] } ?? []
            )
        }
        return try UplinkAnswer(result).response(status: status)
    }
}

extension WebhookIntake.Said {
    /// Something in it is to be stored.
    fileprivate var isWorthKeeping: Bool {
        guard case .report(let report) = self else { return true }
        return report.uplinks.contains { if case .success = $0 { true } else { false } }
    }
}

extension WebhookIntake.Taken {
    /// What is kept in the spool: its good uplinks are yet to be decided.
    fileprivate static func spooled(_ said: WebhookIntake.Said) -> WebhookIntake.Taken {
        guard case .report(let report) = said else { return .spooled }
        return .results(
            report.uplinks.map { uplink in
                switch uplink {
                case .success(let uplink): .spooled(deviceEUI: uplink.deviceEUI, fcnt: uplink.fcnt)
                case .failure(let rejection): .rejected(.init(rejection))
                }
            })
    }
}

extension Problem {
    init(_ fault: DialectFault) {
        self =
            switch fault {
            case .notJSON: .badRequest(code: "not_json", detail: "The body is not JSON.")
            case .tooDeep: .badRequest(code: "too_deep", detail: "The body is nested too deep.")
            case .notObject:
                .unprocessable(
                    code: "not_an_uplink", detail: "The body must be an uplink or an object with a list `uplinks`.")
            case .tooManyUplinks:
                .unprocessable(
                    code: "too_many_uplinks", detail: "At most \(GenericDialect.maxUplinks) uplinks in a body.")
            case .tooManyValues: .unprocessable(code: "too_many_values", detail: "The body holds too many values.")
            case .outOfMemory: .unavailable(retryAfter: 5)
            }
    }
}
