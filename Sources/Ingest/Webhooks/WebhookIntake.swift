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

    /// A body whose devices and series are known, if it has any.
    enum Prepared: Sendable {
        case uplinks(PreparedUplinks)
        case unreadable(VerifiedBody, WebhookSource, arrivedAt: Timestamp)
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

    func prepare(
        _ said: Said, _ body: VerifiedBody, from source: WebhookSource, at now: Timestamp
    ) async throws -> Prepared {
        switch said {
        case .report(let report):
            return .uplinks(
                try await uplinks.prepare(report.uplinks, from: source, messageID: body.messageID, at: now))
        case .unknownDialect: return .unreadable(body, source, arrivedAt: now)
        }
    }

    /// Returns once it is committed; uplinks have their place in the batcher's queue before this suspends.
    func store(_ prepared: Prepared) async throws -> Taken {
        switch prepared {
        case .uplinks(let prepared): return .results(try await uplinks.store(prepared))
        case .unreadable(let body, let source, let now):
            try await quarantine.keep(body, from: source, at: now, reason: "dialect_unsupported")
            return .quarantined
        }
    }
}
