import Foundation
import Postgres
import Shared

/// From a request's uplinks to their outcomes: finds whose they are and which series their numbers belong to, and submits them
/// together.
struct UplinkIntake: Sendable {
    /// How often owners are looked up anew when they change under our hands.
    private static let maxAttempts = 4

    let owners: OwnerDirectory
    let series: SeriesDirectory
    let batcher: Batcher<UplinkSubmission, [UplinkOutcome]>

    /// An outcome for each uplink, in order; those that could not be read stay rejected.
    /// - Throws: `Problem` 429 or 503, `PostgresError`: then nothing was stored, as far as we know.
    func take(
        _ uplinks: [Result<Uplink, UplinkRejection>], from source: WebhookSource, messageID: String?,
        at now: Timestamp
    ) async throws -> [UplinkResult] {
        let good = uplinks.compactMap { try? $0.get() } // the rejected ones are answered below
        var outcomes = try await store(good, from: source, messageID: messageID, at: now)[...]
        return uplinks.map { uplink in
            switch uplink {
            case .success(let uplink):
                let outcome = outcomes.popFirst() ?? .refused
                guard outcome != .refused else { return .rejected(.refused(uplink.deviceEUI)) }
                return .taken(outcome, deviceEUI: uplink.deviceEUI, fcnt: uplink.fcnt)
            case .failure(let rejection): return .rejected(.init(rejection))
            }
        }
    }

    private func store(
        _ uplinks: [Uplink], from source: WebhookSource, messageID: String?, at now: Timestamp
    ) async throws -> [UplinkOutcome] {
        guard !uplinks.isEmpty else { return [] }
        let deviceEUIs = Set(uplinks.map(\.deviceEUI))
        for _ in 0..<Self.maxAttempts {
            let owners = try await owners.owners(
                of: deviceEUIs, tenant: source.tenant, integrationID: source.integrationID, seenAt: now,
                isAdmitted: source.isSpooled)
            let submission = UplinkSubmission(
                tenant: source.tenant, integrationID: source.integrationID,
                messageHash: messageID.map(ContentDigest.uuid(of:)), arrivedAt: now,
                uplinks: try await resolve(uplinks, owners, source.tenant))
            do {
                return try await batcher.submit(submission, cost: submission.uplinks.count)
            } catch is StaleOwner {
                self.owners.forget(deviceEUIs, of: source.tenant.id)
            }
        }
        throw Problem.unavailable(retryAfter: 1)
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
