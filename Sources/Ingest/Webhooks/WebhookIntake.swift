import Foundation
import Postgres
import Shared

/// The integration that a body came from, proven.
struct WebhookSource: Sendable {
    let tenant: Tenant
    let integrationID: UUID
    let dialect: String
    let contentType: String?
    /// The request's own, through every retry and the spool.
    let key: UUID
    /// It was admitted before it was spooled.
    var isSpooled = false
}

/// From a verified body to what became of its uplinks, for requests that are answered and for those that were kept in the spool.
struct WebhookIntake: Sendable {
    /// What a body says, before anything is done about it.
    enum Said: Sendable {
        case report(UplinkReport)
        /// In a dialect that nobody here speaks: it goes to the quarantine.
        case unknownDialect
    }

    enum Taken: Sendable {
        case results([UplinkResult])
        case quarantined
        /// Kept, and nobody has read it yet.
        case spooled
    }

    let generic: GenericDialect
    let uplinks: UplinkIntake
    let quarantine: Quarantine

    /// - Parameter now: when the request arrived.
    func read(_ body: VerifiedBody, from source: WebhookSource, at now: Timestamp) throws(DialectFault) -> Said {
        guard source.dialect == "generic" else { return .unknownDialect }
        return .report(try generic.read(body, now: now))
    }

    func store(_ said: Said, _ body: VerifiedBody, from source: WebhookSource, at now: Timestamp) async throws -> Taken
    {
        switch said {
        case .report(let report):
            return .results(
                try await uplinks.take(report.uplinks, from: source, messageID: body.messageID, at: now))
        case .unknownDialect:
            try await quarantine.keep(body, from: source, at: now, reason: "dialect_unsupported")
            return .quarantined
        }
    }
}
