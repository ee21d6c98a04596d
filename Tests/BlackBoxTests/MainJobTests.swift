import Foundation
import Testing

/// The main job end to end, over HTTP alone, against real processes.
@Suite(.serialized)
struct MainJobTests {
    @Test func batchesAndUplinksComeBackOverTheAPI() async throws {
        try await Installation.run { installation in
            let acme = try await installation.onboard("acme")
            let rival = try await installation.onboard("rival")
            try await installation.importDevice("70b3d57ed0000001", of: "acme")
            let ingest = try await installation.startIngest()
            let query = try await installation.startQuery()
            try await Batches(installation, acme).check()
            try await Uplinks(installation, acme).check()
            try await Reading(installation, acme).check()
            try await Reading(installation, rival).checkEmpty()
            for process in [ingest, query] {
                process.send(SIGTERM)
                #expect(await process.waitForExit() == 0, "\(process.output)")
            }
        }
    }

    /// During a rotation both keys work; a revoked one stops, told by the database.
    @Test func keysAreRotatedAndRevoked() async throws {
        try await Installation.run { installation in
            let acme = try await installation.onboard("acme")
            let ingest = try await installation.startIngest()
            let old = try #require(acme.storeKeys["T01"])
            #expect(try await installation.post(1, key: old).status == 200)
            let output = try await installation.pulsegate([
                "key", "rotate", "--tenant", "acme", "--store", "T01", "--json",
            ])
            let start = try #require(output.firstIndex(of: "{"))
            let rotated = try JSONSerialization.jsonObject(with: Data(output[start...].utf8)) as? [String: Any]
            let new = try #require(rotated?["key"] as? String)
            for key in [old, new] { #expect(try await installation.post(2, key: key).status == 200) }
            try await installation.pulsegate(["key", "revoke", "--tenant", "acme", "--store", "T01"])
            let deadline = ContinuousClock.now + .seconds(60) // bounds the test, not the product
            for key in [old, new] {
                var status = 200
                while status == 200, ContinuousClock.now < deadline {
                    status = try await installation.post(3, key: key).status
                }
                #expect(status == 401)
            }
            await ingest.killAndWait()
        }
    }

    @Test func settingsAreAllCheckedAtStart() async throws {
        let process = try ServerProcess(
            "pulsegate-ingest", environment: ["INGEST_PORT": "many", "MASTER_KEY": "short"])
        #expect(await process.waitForExit() == 78)
        for name in ["INGEST_PORT", "MASTER_KEY", "INGEST_DATABASE_URL", "SYSTEM_DATABASE_URL"] {
            #expect(process.output.contains(name), "names \(name)")
        }
        #expect(!process.output.contains("short"), "a secret's value is never repeated")
    }
}

private let minute: Int64 = 60_000

/// One row a till sends; times are minutes ago, in epoch milliseconds.
private func row(_ name: String, _ value: Any, minutesAgo: Int64, since now: Int64) -> [String: Any] {
    ["name": name, "value": value, "ts": now - minutesAgo * minute, "labels": ["till": "3"]]
}

extension Installation {
    fileprivate func post(_ value: Int, key: String) async throws -> TestClient.Answer {
        try await client.post(
            ingestURL + "/v1/metrics/batch", json: ["metrics": [["name": "a", "value": value]]],
            headers: ["Authorization": "Bearer \(key)"])
    }
}

private struct Batches {
    let installation: Installation
    let tenant: Installation.Tenant
    private let now = Int64(Date().timeIntervalSince1970 * 1000)

    init(_ installation: Installation, _ tenant: Installation.Tenant) {
        self.installation = installation
        self.tenant = tenant
    }

    func check() async throws {
        let first = row("pos.sales_total", 12.5, minutesAgo: 3, since: now)
        let second = row("pos.sales_total", 13.5, minutesAgo: 2, since: now)
        let stored = try await post([first, second])
        #expect(stored.status == 200)
        #expect(stored.json["status"] as? String == "success")
        #expect(counts(stored) == [2, 2, 0])
        #expect(counts(try await post([first, second])) == [2, 0, 2], "resent")

        var changed = first
        changed["value"] = 99.0
        #expect(try await post([second]).status == 200, "regrouped")
        #expect(try await post([changed]).status == 200, "the first accepted wins")

        let mixed = try await post([
            row("pos.sales_total", "x", minutesAgo: 1, since: now), row("pos.visits", 7, minutesAgo: 1, since: now),
        ])
        #expect(counts(mixed) == [2, 1, 0])
        let rejected = try #require(mixed.json["rejected"] as? [[String: any Sendable]])
        #expect(rejected.map { $0["index"] as? Int } == [0])
        #expect(rejected.map { $0["code"] as? String } == ["value_invalid"])

        var wrong = tenant.storeKeys["T01"] ?? ""
        let last = wrong.removeLast()
        let refused = try await post([first], key: wrong + (last == "0" ? "1" : "0"))
        #expect(refused.status == 401)
        #expect(refused.header("WWW-Authenticate") != nil)
        #expect(refused.header("Content-Type")?.hasPrefix("application/problem+json") == true)
        #expect(refused.json["code"] as? String == "unauthorized")
    }

    private func post(_ rows: [[String: Any]], key: String? = nil) async throws -> TestClient.Answer {
        try await installation.client.post(
            installation.ingestURL + "/v1/metrics/batch", json: ["metrics": rows],
            headers: ["Authorization": "Bearer \(key ?? tenant.storeKeys["T01"] ?? "")"])
    }

    private func counts(_ answer: TestClient.Answer) -> [Int?] {
        ["processed", "stored", "duplicates"].map { answer.json[$0] as? Int }
    }
}

private struct Uplinks {
    let installation: Installation
    let tenant: Installation.Tenant

    init(_ installation: Installation, _ tenant: Installation.Tenant) {
        self.installation = installation
        self.tenant = tenant
    }

    func check() async throws {
        let rejoined = Date()
        // A query ends at the current instant, and would leave out what the network server dates after it.
        let joined = rejoined.addingTimeInterval(-60)
        var uplink: [String: Any] = [
            "device_eui": "70B3D57ED0000001", "fcnt": 42, "f_port": 2, "dev_addr": "26011BDA", "rssi": -97, "snr": 7.2,
            "gateway_id": "gw-1", "payload": ["occupied": true, "temperature": 21.4],
            "received_at": ISO8601DateFormatter().string(from: joined),
        ]
        #expect(try await status(uplink) == "stored")
        #expect(try await status(uplink) == "duplicate")

        let body = try JSONSerialization.data(withJSONObject: uplink, options: .sortedKeys)
        var flipped = body
        flipped[body.count / 2] ^= 1
        let forged = try await installation.client.send(
            .post, url, headers: ["X-Webhook-Signature": TestClient.sign(body, tenant.secret)], body: flipped)
        #expect(forged.status == 401)

        uplink["dev_addr"] = "26011BDB"
        uplink["fcnt"] = 0
        uplink["received_at"] = ISO8601DateFormatter().string(from: rejoined)
        #expect(try await status(uplink) == "stored", "rejoined")
        uplink["device_eui"] = "70b3d57ed00000ff"
        #expect(try await status(uplink) == "orphan")
        #expect(try await status(uplink) == "duplicate")
    }

    private var url: String { installation.ingestURL + "/v1/webhooks/" + tenant.integrationID }

    private func status(_ uplink: [String: Any]) async throws -> String? {
        try await installation.client.postSigned(url, json: uplink, secret: tenant.secret).json["status"] as? String
    }
}

private struct Reading {
    let installation: Installation
    let tenant: Installation.Tenant

    init(_ installation: Installation, _ tenant: Installation.Tenant) {
        self.installation = installation
        self.tenant = tenant
    }

    func check() async throws {
        let token = try await installation.signIn(tenant)
        let series = try await data("/series/query?metric=pos.sales_total", token)
        #expect(points(series) == [[12.5, 13.5]])
        #expect(points(try await data("/series/query?metric=pos.visits&store=T01", token)) == [[7]])
        #expect(points(try await data("/series/query?metric=temperature", token)) == [[21.4, 21.4]])
        let readings = try await data("/devices/70b3d57ed0000001/readings", token)
        #expect(Set(readings.compactMap { $0["fcnt"] as? Int }) == [0, 42])
        let orphans = try await data("/orphan-devices", token)
        #expect(orphans.compactMap { $0["device_eui"] as? String } == ["70b3d57ed00000ff"])
        let stores = try await data("/stores", token)
        #expect(stores.compactMap { $0["code"] as? String }.sorted() == ["T01", "T02", "T03"])
    }

    func checkEmpty() async throws {
        let token = try await installation.signIn(tenant)
        #expect(try await data("/series", token).isEmpty)
        #expect(try await data("/devices", token).isEmpty)
        #expect(try await data("/orphan-devices", token).isEmpty)
        #expect(try await get("/devices/70b3d57ed0000001/readings", token).status == 404)
    }

    private func get(_ path: String, _ token: String) async throws -> TestClient.Answer {
        try await installation.client.send(
            .get, installation.queryURL + "/api/v1" + path, headers: ["Authorization": "Bearer \(token)"])
    }

    private func data(_ path: String, _ token: String) async throws -> [[String: any Sendable]] {
        let answer = try await get(path, token)
        #expect(answer.status == 200, "\(path): \(answer.text)")
        return try #require(answer.json["data"] as? [[String: any Sendable]])
    }

    /// The values of each series' points, in order of time.
    private func points(_ series: [[String: any Sendable]]) -> [[Double]] {
        series.map { ($0["points"] as? [[Double]] ?? []).map { $0[1] } }
    }
}
