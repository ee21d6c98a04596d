import Foundation
import Postgres
import Shared

/// Uplinks whose devices and series are known.
struct PreparedUplinks: Sendable {
    /// As they were read.
    let uplinks: [Result<Uplink, UplinkRejection>]
    let source: WebhookSource
    /// Of those that could be read.
    let submission: UplinkSubmission
}

/// From a request's uplinks to their outcomes: finds whose they are and which series their numbers belong to, and submits them
/// together.
struct UplinkIntake: Sendable {
    /// How often owners are looked up anew when they change under our hands.
    private static let maxAttempts = 4

    let owners: OwnerDirectory
    let series: SeriesDirectory
    let batcher: Batcher<UplinkSubmission, [UplinkOutcome]>

    /// Looks up, or makes, whose the uplinks are and their series.
    /// - Throws: `Problem` 429 when the tenant brings new devices too fast, `PostgresError`.
    func prepare(
        _ uplinks: [Result<Uplink, UplinkRejection>], from source: WebhookSource, messageID: String?, at now: Timestamp
    ) async throws -> PreparedUplinks {
        let good = uplinks.compactMap { try? $0.get() } // the rejected ones are answered by `store`
        return PreparedUplinks(
            uplinks: uplinks, source: source,
            submission: UplinkSubmission(
                tenant: source.tenant, integrationID: source.integrationID,
                messageHash: messageID.map(ContentDigest.uuid(of:)), arrivedAt: now,
                uplinks: try await resolve(good, from: source, at: now)))
    }

    /// An outcome for each uplink, in order; those that could not be read stay rejected. They have their place in the batcher's queue
    /// before this suspends.
    /// - Throws: `Problem` 429 or 503, `PostgresError`: then nothing was stored, as far as we know.
    func store(_ prepared: PreparedUplinks) async throws -> [UplinkResult] {
        var outcomes = try await submit(prepared.submission, from: prepared.source)[...]
        return prepared.uplinks.map { uplink in
            switch uplink {
            case .success(let uplink):
                let outcome = outcomes.popFirst() ?? .refused
                guard outcome != .refused else { return .rejected(.refused(uplink.deviceEUI)) }
                return .taken(outcome, deviceEUI: uplink.deviceEUI, fcnt: uplink.fcnt)
            case .failure(let rejection): return .rejected(.init(rejection))
            }
        }
    }

    private func submit(
        _ submission: UplinkSubmission, from source: WebhookSource
    ) async throws -> [UplinkOutcome] {
        guard !submission.uplinks.isEmpty else { return [] }
        var submission = submission
        for _ in 0..<Self.maxAttempts {
            do {
                return try await batcher.submit(submission, isUrgent: !source.isSpooled)
            } catch is StaleOwner {
                let uplinks = submission.uplinks.map(\.uplink)
                owners.forget(Set(uplinks.map(\.deviceEUI)), of: source.tenant.id)
                submission = submission.with(try await resolve(uplinks, from: source, at: submission.arrivedAt))
            }
        }
        throw Problem.unavailable(retryAfter: 1)
    }

    private func resolve(
        _ uplinks: [Uplink], from source: WebhookSource, at now: Timestamp
    ) async throws -> [ResolvedUplink] {
        guard !uplinks.isEmpty else { return [] }
        let owners = try await owners.owners(
            of: Set(uplinks.map(\.deviceEUI)), tenant: source.tenant, integrationID: source.integrationID, seenAt: now,
            isAdmitted: source.isSpooled)
        return try await resolve(uplinks, owners, source.tenant)
    }

    private func resolve(
        _ uplinks: [Uplink], _ owners: [DeviceEUI: UplinkOwner], _ tenant: Tenant
    ) async throws -> [ResolvedUplink] {
        var metrics: [Int32: Set<String>] = [:]
        for uplink in uplinks {
            guard let owner = owners[uplink.deviceEUI], !owner.isOrphan else { continue }
            metrics[owner.id, default: []].formUnion(uplink.leaves.map(\.name))
        }
        var ids: [Int32: [String: Int32]] = [:]
        for (owner, names) in metrics where !names.isEmpty {
            ids[owner] = try await series.ids(ofMetrics: names.sorted(), owner: owner, of: tenant)
        }
        return try uplinks.map { uplink in
            guard let owner = owners[uplink.deviceEUI] else { throw Problem.unavailable(retryAfter: 1) }
            let samples = uplink.leaves.compactMap { leaf in
                ids[owner.id]?[leaf.name].map { (series: $0, value: leaf.value) }
            }
            return ResolvedUplink(uplink: uplink, owner: owner, samples: samples)
        }
    }
}

extension UplinkResult.Rejection {
    init(_ rejection: UplinkRejection) {
        self.init(
            code: rejection.code.rawValue, detail: rejection.detail, field: rejection.field,
            deviceEUI: rejection.deviceEUI)
    }

    fileprivate static func refused(_ deviceEUI: DeviceEUI) -> UplinkResult.Rejection {
        .init(code: "refused", detail: "The database refused this uplink.", field: nil, deviceEUI: deviceEUI)
    }
}
