import Foundation
import Postgres

/// How a store's gateway is doing.
struct StoreStatus: Sendable {
    /// A store that was silent for this many of its intervals is offline.
    static let intervalsUntilOffline: Int64 = 3

    struct Latest: Sendable {
        let metric: String
        let labels: JSONB
        let value: Double
        let ts: Timestamp
    }

    let code: String
    let name: String
    let lastSeenAt: Timestamp?
    let expectedInterval: Int32
    let gatewayVersion: String?
    let samplesLastHour: Int64
    /// Newest sample of each series, by the samples' own time.
    let latest: [Latest]

    func isOnline(at now: Timestamp) -> Bool {
        guard let lastSeenAt else { return false }
        return lastSeenAt.adding(seconds: Self.intervalsUntilOffline * Int64(expectedInterval)) >= now
    }
}

extension StoreStatus {
    /// One row is the store's, the others are its series'. Nil when there is no such store.
    init?(_ rows: [StoreStatusRow]) throws {
        let stores = rows.compactMap { row in
            if case .store(let store) = row { store } else { nil }
        }
        guard let store = stores.first else { return nil }
        code = try store["code"]
        name = try store["name"]
        lastSeenAt = try store["last_seen_at"]
        expectedInterval = try store["expected_interval_s"]
        gatewayVersion = try store["gateway_version"]
        samplesLastHour = try store["samples_last_hour"]
        latest = rows.compactMap { row in
            if case .latest(let latest) = row { latest } else { nil }
        }
    }
}

enum StoreStatusRow: RowDecodable {
    case store(Row)
    case latest(StoreStatus.Latest)

    init(_ row: Row) throws {
        guard let metric = try row["metric"] as String? else {
            self = .store(row)
            return
        }
        self = .latest(
            StoreStatus.Latest(
                metric: metric, labels: try row["labels"], value: try row["value"],
                ts: Timestamp(microseconds: try row["ts"])))
    }
}

extension StoreStatus {
    struct View: JSONWritable {
        let status: StoreStatus
        let now: Timestamp

        func write(to json: inout JSONWriter) {
            json.object { object in
                object.field("code", status.code)
                object.field("name", status.name)
                object.field("online", status.isOnline(at: now))
                object.field("last_seen_at", status.lastSeenAt)
                object.field("expected_interval_s", status.expectedInterval)
                object.field("gateway_version", status.gatewayVersion)
                object.field("samples_last_hour", status.samplesLastHour)
                object.field("active_alerts", Int32?.none)
                object.field("latest", status.latest)
            }
        }
    }
}

extension StoreStatus.Latest: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("metric", metric)
            object.field("labels", labels)
            object.field("value", value)
            object.field("ts", ts)
        }
    }
}
