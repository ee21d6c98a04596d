import Foundation
import Testing

/// Places over HTTP alone, against real processes: what a sensor says is what people see.
@Suite(.timeLimit(.minutes(5)))
struct PlacesTests {
    @Test func aBayIsWhatItsSensorSaidLast() async throws {
        try await Place.run { place in
            let bay = try await place.makeBay()
            #expect(try await place.state(of: bay) == "unknown")
            // What an uplink says is there when it is answered.
            for (minutesAgo, taken, expected) in [
                (30.0, true, "occupied"), (20, false, "free"), (25, true, "free"), (10, true, "occupied"),
                (15, false, "occupied"),
            ] {
                #expect(try await place.say(taken, minutesAgo: minutesAgo) == "stored")
                #expect(try await place.state(of: bay) == expected, "\(minutesAgo)")
            }
            let history = try await place.api.send(.get, "/spaces/\(bay)/history", nil)
            let states = (history.json["data"] as? [[String: Any]] ?? []).compactMap { $0["state"] as? String }
            #expect(states == ["occupied", "free", "occupied", "unknown"])
            let silent = try await place.api.send(
                .patch, "/device-profiles/\(place.profile)", "{\"expected_interval_s\":60}")
            #expect(silent.status == 200)
            #expect(try await place.state(of: bay) == "unknown", "silent for ten minutes, where one is expected each")
            #expect(try await place.say(true, minutesAgo: 0) == "stored")
            #expect(try await place.state(of: bay) == "occupied")
        }
    }

    /// Uplinks of an orphan go on coming while it is claimed: each becomes one reading of the device.
    @Test func whatIsSaidDuringAClaimIsNeitherLostNorDoubled() async throws {
        try await Place.run { place in
            for round in 0..<4 {
                let eui = "70b3d57ed00001\(round)0"
                #expect(try await place.send(eui, fcnt: 0) == "orphan")
                let sent = try await withThrowingTaskGroup(of: [Int].self) { group in
                    for sender in 0..<4 {
                        group.addTask {
                            var taken: [Int] = []
                            for index in 0..<12 {
                                let fcnt = 1 + sender * 12 + index
                                let status = try await place.send(eui, fcnt: fcnt)
                                #expect(status == "orphan" || status == "stored")
                                taken.append(fcnt)
                            }
                            return taken
                        }
                    }
                    group.addTask {
                        let claimed = try await place.api.send(
                            .post, "/orphan-devices/\(eui)/claim", "{\"name\":\"Found\"}")
                        #expect(claimed.status == 200, "\(claimed.text)")
                        return []
                    }
                    return try await group.reduce(into: [0]) { $0 += $1 }
                }
                let readings = try await place.api.send(.get, "/devices/\(eui)/readings?limit=200", nil)
                let counters = (readings.json["data"] as? [[String: Any]] ?? []).compactMap { $0["fcnt"] as? Int }
                #expect(counters.sorted() == sent.sorted())
                let orphans = try await place.api.send(.get, "/orphan-devices", nil)
                #expect(!orphans.text.contains(eui))
            }
        }
    }

    /// The process itself looks after reservations, and goes on after it was killed.
    @Test func reservationsAreLookedAfter() async throws {
        try await Place.run { place in
            let bay = try await place.makeBay()
            let settings = "{\"settings\":{\"reservations\":{\"pending_timeout_s\":1,\"no_show_after_s\":1}}}"
            #expect(try await place.api.send(.patch, "/tenants/current", settings).status == 200)
            func book(_ status: String, from: Double, to: Double) async throws -> String {
                let body = """
                    {"space_id":"\(bay)","starts_at":"\(Place.time(from))","ends_at":"\(Place.time(to))","status":"\(status)"}
                    """
                let made = try await place.api.send(.post, "/reservations", body)
                return try #require(made.json["id"] as? String, "\(made.text)")
            }
            func becomes(_ id: String, _ status: String) async throws {
                try await eventually("\(id) is \(status)", within: .seconds(30)) {
                    try await place.api.send(.get, "/reservations/\(id)", nil).json["status"] as? String == status
                }
            }
            let pending = try await book("pending", from: 60, to: 120)
            let missed = try await book("confirmed", from: -2, to: 30)
            try await becomes(pending, "cancelled")
            try await becomes(missed, "no_show")
            let kept = try await book("confirmed", from: -1, to: 0.05)
            #expect(try await place.api.send(.post, "/reservations/\(kept)/check-in", nil).status == 200)
            try await becomes(kept, "completed")
        }
    }
}

/// An installation with a bay, or a place for one.
private struct Place: Sendable {
    static let eui = "70b3d57ed0000001"

    let installation: Installation
    let tenant: Installation.Tenant
    let api: API
    let profile: String

    static func run(_ body: @escaping @Sendable (Place) async throws -> Void) async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let ingest = try await installation.startIngest()
            let query = try await installation.startQuery(["JOBS_INTERVAL": "0.2"])
            let api = API(installation: installation, token: try await installation.signIn(tenant))
            let made = try await api.send(.post, "/device-profiles", "{\"name\":\"Bay\",\"expected_interval_s\":3600}")
            let profile = try #require(made.json["id"] as? String)
            try await body(Place(installation: installation, tenant: tenant, api: api, profile: profile))
            for process in [ingest, query] {
                process.send(SIGTERM)
                #expect(await process.waitForExit() == 0, "\(process.output)")
            }
        }
    }

    /// In minutes from now.
    static func time(_ minutes: Double) -> String {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return formatter.string(from: Date().addingTimeInterval(minutes * 60))
    }

    /// - Returns: its id.
    func makeBay() async throws -> String {
        let site = try await api.send(
            .post, "/sites",
            "{\"code\":\"P1\",\"name\":\"Car park\",\"kind\":\"parking\",\"timezone\":\"Europe/Madrid\"}")
        let siteID = try #require(site.json["id"] as? String, "\(site.text)")
        let bay = try await api.send(
            .post, "/spaces",
            "{\"site_id\":\"\(siteID)\",\"code\":\"B1\",\"name\":\"Bay\",\"kind\":\"bay\",\"is_bookable\":true}")
        let id = try #require(bay.json["id"] as? String, "\(bay.text)")
        let device = try await api.send(
            .post, "/devices",
            "{\"device_eui\":\"\(Self.eui)\",\"name\":\"S\",\"space_id\":\"\(id)\",\"profile_id\":\"\(profile)\"}")
        #expect(device.status == 201, "\(device.text)")
        return id
    }

    func state(of space: String) async throws -> String? {
        try await api.send(.get, "/spaces/\(space)", nil).json["state"] as? String
    }

    func say(_ taken: Bool, minutesAgo: Double) async throws -> String? {
        try await send(Self.eui, fcnt: Int(1_000 - minutesAgo * 10), taken, at: Self.time(-minutesAgo))
    }

    func send(_ eui: String, fcnt: Int, _ taken: Bool = true, at time: String? = nil) async throws -> String? {
        var uplink: [String: Any] = [
            "device_eui": eui, "fcnt": fcnt, "dev_addr": "26011bda", "payload": ["occupied": taken],
        ]
        uplink["received_at"] = time
        let answer = try await installation.client.postSigned(
            installation.ingestURL + "/v1/webhooks/" + tenant.integrationID, json: uplink, secret: tenant.secret)
        return answer.json["status"] as? String
    }
}
