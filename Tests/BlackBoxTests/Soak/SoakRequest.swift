import Foundation

/// Something to send. Kind and number say all of it: it can be sent again unchanged, and be found in the database by its number, which
/// no other has.
struct SoakRequest: Hashable, Sendable {
    enum Kind: String, CaseIterable, Sendable {
        /// A batch whose rows have times of their own: the content is its key.
        case timed
        /// A batch whose rows have the time of arrival, and a `batch_id`.
        case arriving
        /// A batch without either: whoever sends it again has it counted again.
        case plain
        case uplink
        /// An uplink of a device that nobody registered.
        case orphan

        /// Rows of the database that it becomes.
        var rows: Int {
            switch self {
            case .timed: 10
            case .arriving: 3
            case .plain, .uplink, .orphan: 1
            }
        }

        var isBatch: Bool { self == .timed || self == .arriving || self == .plain }
        var mayBeSentAgain: Bool { self != .plain }
    }

    static let start = Int64(Date().timeIntervalSince1970) * 1_000 - 86_400_000
    /// Of an orphan's uplinks the last 100 are kept.
    private static let uplinksOfAnOrphan = 50

    let kind: Kind
    let number: Int

    func send(_ sender: SoakSender) async throws -> TestClient.Answer {
        let (installation, tenant) = (sender.installation, sender.tenant)
        guard kind.isBatch else {
            return try await installation.client.postSigned(
                installation.ingestURL + "/v1/webhooks/" + tenant.integrationID, json: uplink(of: sender.deviceEUI),
                secret: tenant.secret)
        }
        return try await installation.client.post(
            installation.ingestURL + "/v1/metrics/batch", json: batch,
            headers: ["Authorization": "Bearer \(tenant.storeKeys[sender.store] ?? "")"])
    }

    private var batch: [String: Any] {
        switch kind {
        case .arriving:
            let parts = (0..<kind.rows).map { part in
                ["name": "soak.arriving", "value": number, "labels": ["part": "\(part)"]] as [String: Any]
            }
            return ["batch_id": "\(number)", "metrics": parts]
        case .plain: return ["metrics": [["name": "soak.plain", "value": number]]]
        default:
            let rows = (0..<kind.rows).map { row in
                ["name": "soak.timed", "value": row, "ts": Self.start + Int64(number * kind.rows + row)]
            }
            return ["metrics": rows]
        }
    }

    private func uplink(of deviceEUI: String) -> [String: Any] {
        let orphan = String(format: "0badc0de%08x", number / Self.uplinksOfAnOrphan)
        return [
            "device_eui": kind == .orphan ? orphan : deviceEUI, "fcnt": number, "dev_addr": "26011bda",
            "received_at": Self.start + Int64(number), "payload": ["count": number],
        ]
    }

    /// What the answer to it says was done, if it is what may be said.
    func outcome(_ answer: TestClient.Answer) -> SoakOutcome? {
        if answer.status == 202 { return answer.json["status"] as? String == "spooled" ? .spooled : nil }
        guard answer.status == 200 else { return nil }
        if kind.isBatch {
            if answer.json["stored"] as? Int == kind.rows { return .stored }
            return answer.json["duplicates"] as? Int == kind.rows ? .duplicate : nil
        }
        switch answer.json["status"] as? String {
        case "stored": return kind == .uplink ? .stored : nil
        case "orphan": return kind == .orphan ? .stored : nil
        case "duplicate": return .duplicate
        default: return nil
        }
    }
}

enum SoakOutcome: Hashable, Sendable {
    case stored, duplicate, spooled
}
