import Foundation
import Postgres
import Synchronization
import Testing

/// A request that can be sent again unchanged: an even number is a batch of ten rows, an odd one an uplink.
struct Sending: Hashable {
    static let rows = 10
    static let start = Int64(Date().timeIntervalSince1970) * 1000 - 86_400_000

    let sender: Int
    let number: Int

    var isBatch: Bool { number % 2 == 0 }

    /// Each row's time, epoch milliseconds: its own in all the test.
    var times: [Int64] { (0..<Self.rows).map { Self.start + Int64(number * Self.rows + $0) } }

    /// - Parameters:
    ///   - url: of a balancer, where there is one.
    ///   - more: further headers.
    func send(
        _ installation: Installation, _ tenant: Installation.Tenant, to url: String? = nil,
        headers more: [String: String] = [:]
    ) async throws -> TestClient.Answer {
        let url = url ?? installation.ingestURL
        if isBatch {
            let rows = times.map { ["name": "test.row", "value": Double($0 % 1000), "ts": $0] as [String: Any] }
            return try await installation.client.post(
                url + "/v1/metrics/batch", json: ["metrics": rows],
                headers: more.merging(
                    ["Authorization": "Bearer \(tenant.storeKeys[String(format: "T%02d", sender + 1)] ?? "")"]
                ) { _, own in own })
        }
        let uplink: [String: Any] = [
            "device_eui": Sensor.deviceEUI(sender), "fcnt": number, "dev_addr": "26011bda",
            "received_at": Self.start + Int64(number), "payload": ["count": number],
        ]
        return try await installation.client.postSigned(
            url + "/v1/webhooks/" + tenant.integrationID, json: uplink, secret: tenant.secret, headers: more)
    }
}

extension Installation {
    /// A tenant with so many stores, and as many sensors.
    func onboardSenders(_ slug: String, _ count: Int) async throws -> Tenant {
        let tenant = try await onboard(slug, stores: count)
        for sensor in 0..<count { try await importDevice(Sensor.deviceEUI(sensor), of: slug) }
        return tenant
    }
}

enum Sensor {
    static func deviceEUI(_ number: Int) -> String { String(format: "70b3d57ed000%04x", number) }
}

/// What was answered with 2xx.
final class Ledger: Sendable {
    private let sendings = Mutex<[Sending]>([])

    var acknowledged: Int { sendings.withLock { $0.count } }

    @discardableResult
    func note(_ sending: Sending) -> Int {
        sendings.withLock { sendings in
            sendings.append(sending)
            return sendings.count
        }
    }

    func check(_ installation: Installation, _ comment: Comment? = nil) async throws {
        let sendings = sendings.withLock { $0 }
        #expect(Set(sendings).count == sendings.count, "the test sends each once")
        let said = comment?.rawValue ?? ""
        let batches = sendings.filter(\.isBatch)
        let rows: [Int64] = try await installation.rows(
            """
            SELECT p.ts FROM samples p JOIN series s ON s.tenant_id = p.tenant_id AND s.id = p.series_id
             WHERE s.metric = 'test.row' AND p.value = (p.ts / 1000 % 1000)
            """)
        let expected = batches.flatMap(\.times).map { $0 * 1000 }
        #expect(rows.sorted() == expected.sorted(), "\(rows.count) rows of \(expected.count) acknowledged; \(said)")
        let raw: [Int64] = try await installation.rows(
            """
            SELECT coalesce((SELECT sum(samples) FROM sample_chunks c JOIN series s USING (tenant_id)
                              WHERE s.id = c.series_id AND s.metric = 'test.row'), 0)::int8
                   + (SELECT count(*) FROM sample_log l, unnest(l.series) AS u (id) JOIN series s ON s.id = u.id
                       WHERE s.metric = 'test.row')
            """)
        #expect(raw == [Int64(expected.count)], "and none is kept twice behind the view; \(said)")
        let uplinks = sendings.filter { !$0.isBatch }
        let stored: [String] = try await installation.rows(
            """
            SELECT d.device_eui || ' ' || u.fcnt FROM uplinks u JOIN devices d USING (tenant_id, owner_id)
            """)
        #expect(stored.sorted() == uplinks.map { "\(Sensor.deviceEUI($0.sender)) \($0.number)" }.sorted(), comment)
    }
}
