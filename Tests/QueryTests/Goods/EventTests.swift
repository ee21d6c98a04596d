import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct EventTests {
    /// What a stream sent: ids and types, in order.
    static func parse(_ text: String) -> [(id: String, type: String)] {
        text.split(separator: "\n\n").compactMap { block in
            let fields = block.split(separator: "\n").reduce(into: [String: String]()) { fields, line in
                guard let colon = line.firstIndex(of: ":") else { return }
                fields[String(line[..<colon])] = String(line[line.index(after: colon)...]).trimmingCharacters(
                    in: .whitespaces)
            }
            guard let id = fields["id"], let type = fields["event"], fields["data"] != nil else { return nil }
            return (id, type)
        }
    }

    @Test func tellsWhatHappened() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let nails = try await bed.product("NAIL", stock: 2, as: token)
            let vale = try await bed.post("/api/v1/vales", Testbed.vale([(nails, "1")]), as: token)
            let id = try #require(vale.json["id"] as? String)
            _ = try await bed.post("/api/v1/vales/\(id)/deliver", "", as: token)
            _ = try await bed.post("/api/v1/vales", Testbed.vale([(nails, "5")]), as: token)
            _ = try await bed.post(
                "/api/v1/reservations",
                """
                {"space_id":"\(TwoTenants.room)","starts_at":"2031-01-06T10:00:00Z","ends_at":"2031-01-06T11:00:00Z"}
                """, as: token)
            try await bed.database.asSuperuser { connection in
                try await connection.run(
                    """
                    INSERT INTO orphan_devices (tenant_id, id, device_eui, integration_id, first_seen_at, last_seen_at, uplink_count)
                    SELECT id, gen_random_uuid(), '70b3d57ed00000aa', gen_random_uuid(), now(), now(), 1 FROM tenants WHERE slug = 'north'
                    """)
            }
            let listed = try await bed.get("/api/v1/events", as: token)
            #expect(
                listed.data.texts("type")
                    == [
                        "device.orphaned", "reservation.confirmed", "reservation.created", "vale.delivered",
                        "vale.created", "stock.moved",
                        "product.created", "site.changed",
                    ], "what was refused is no event: \(listed.data.texts("type"))")
            let told = listed.data[4]["data"] as? [String: Any]
            #expect(told?["id"] as? String == id && told?["status"] as? String == "issued")
            #expect(listed.data[4]["site_id"] as? String == TwoTenants.t01.lowercaseString)
            #expect(try await bed.get("/api/v1/events?type=vale.created&limit=1", as: token).data.count == 1)
            #expect(
                try await bed.get("/api/v1/events?site=T02", as: token).data.texts("type") == [
                    "reservation.confirmed", "reservation.created",
                ])
            let one = try #require(listed.data[3]["id"] as? String)
            #expect(try await bed.get("/api/v1/events/\(one)", as: token).json["type"] as? String == "vale.delivered")
        }
    }

    /// Nobody hears by events of what they may not read.
    @Test func eachHearsWhatTheyMayRead() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            let token = try await bed.token(TwoTenants.owner)
            _ = try await bed.product("NAIL", stock: 2, as: token)
            _ = try await bed.product("GLUE", stock: 2, at: TwoTenants.t02, as: token)
            let limited = try await bed.token(TwoTenants.limited)
            let heard = try await bed.get("/api/v1/events", as: limited).data
            #expect(heard.texts("type") == ["stock.moved", "product.created", "product.created", "site.changed"])
            #expect(heard.texts("site_id") == [TwoTenants.t02.lowercaseString])
            #expect(!heard.description.contains("stock_by_site"), "what is elsewhere is not for them to know")
            try await bed.database.asSuperuser { connection in
                try await connection.run("UPDATE roles SET scopes = '{events:read,products:read}' WHERE name = 'guest'")
            }
            let guest = try await bed.token(TwoTenants.guest)
            #expect(
                try await bed.get("/api/v1/events", as: guest).data.texts("type") == [
                    "product.created", "product.created",
                ])
            let stream = try await bed.get("/api/v1/events/stream?follow=false", as: guest)
            #expect(Self.parse(stream.text).map(\.type) == ["product.created", "product.created"])
            #expect(stream.headers[.contentType] == "text/event-stream" && stream.headers[.cacheControl] == "no-store")
            let southern = try await bed.token(TwoTenants.southern)
            #expect(try await bed.get("/api/v1/events", as: southern).data.count == 1)
            let theirs = try #require(try await bed.get("/api/v1/events", as: token).data.texts("id").first)
            #expect(try await bed.get("/api/v1/events/\(theirs)", as: southern).status == .notFound)
            let foreign = try await bed.get("/api/v1/events/stream?follow=false&last_event_id=\(theirs)", as: southern)
            #expect(foreign.status == .gone && foreign.code == "event_gone")
        }
    }

    @Test func refusesWhatNamesNoEvent() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let path = "/api/v1/events/stream?follow=false&last_event_id="
            #expect(try await bed.get(path + "17", as: token).code == "invalid_event_id")
            #expect(try await bed.get(path + UUID().uuidString, as: token).status == .gone)
            #expect(
                try await bed.get("/api/v1/events/stream?follow=perhaps", as: token).faults == ["follow: unknown_value"]
            )
        }
    }

    /// Writers commit late and out of order while a listener comes back again and again: each event once, none missed, and in one order
    /// for all.
    @Test func resumesWithoutGapOrRepeat() async throws {
        try await Testbed.run(options: .init(streams: .init(interval: .milliseconds(1)))) { bed in
            let token = try await bed.token(TwoTenants.owner)
            let written = try await withThrowingTaskGroup(of: [UUID].self) { group in
                for writer in 0..<6 {
                    group.addTask { try await bed.write(30, seed: UInt64(writer)) }
                }
                var heard: [String] = []
                var last = TwoTenants.event.lowercaseString
                while heard.count < 6 * 30 {
                    let next = try await bed.get(
                        "/api/v1/events/stream?follow=false", as: token, headers: [.lastEvent: last])
                    #expect(next.status == .ok, "\(next.text)")
                    heard += Self.parse(next.text).map(\.id)
                    last = heard.last ?? last
                }
                let written = try await group.reduce(into: Set<String>()) { all, ids in
                    all.formUnion(ids.map(\.lowercaseString))
                }
                #expect(heard.count == Set(heard).count, "none twice")
                #expect(Set(heard) == written, "none missed")
                let whole = try await bed.get("/api/v1/events/stream?follow=false", as: token)
                #expect(
                    Self.parse(whole.text).map(\.id).dropFirst() == heard[...], "the same order for whoever comes later"
                )
                return written
            }
            #expect(written.count == 180)
        }
    }

    @Test func listenersAreBounded() async throws {
        try await Testbed.run(options: .init(streams: .init(ofTenant: 2))) { bed in
            let streams = bed.services.streams
            let tenant = try #require(try await bed.services.database.lookUp(Tenant.bySlug("north")).first).id
            try streams.begin(tenant)
            try streams.begin(tenant)
            let token = try await bed.token(TwoTenants.owner)
            let refused = try await bed.get("/api/v1/events/stream?follow=false", as: token)
            #expect(refused.status == .tooManyRequests && refused.code == "beyond_share")
            #expect(
                try await bed.get("/api/v1/events/stream?follow=false", as: bed.token(TwoTenants.southern)).status
                    == .ok)
            streams.end(tenant)
            for _ in 0..<5 { // each is counted back
                #expect(try await bed.get("/api/v1/events/stream?follow=false", as: token).status == .ok)
            }
        }
    }
}

extension HTTPField.Name {
    fileprivate static let lastEvent = HTTPField.Name.constant("Last-Event-ID")
}

extension Testbed {
    /// Writes events of north, one a transaction, that commits after a while, or not at all.
    fileprivate func write(_ count: Int, seed: UInt64) async throws -> [UUID] {
        try await database.withPool(as: .query, maxConnections: 1) { pool in
            var random = SplitMix(state: seed)
            let tenant = try #require(try await pool.lookUp(Tenant.bySlug("north")).first)
            var written: [UUID] = []
            while written.count < count {
                let (id, isKept, pause) = (
                    UUID.v7(), Int.random(in: 0..<5, using: &random) > 0, Double.random(in: 0...0.01, using: &random)
                )
                struct Undone: Error {}
                do {
                    try await pool.withTenant(tenant) { tx in
                        try await tx.run(
                            "INSERT INTO events (tenant_id, id, type, data) VALUES (\(tx.tenantID), \(id), 'vale.created', '{}')"
                        )
                        try await tx.run("SELECT pg_sleep(\(pause))")
                        if !isKept { throw Undone() }
                    }
                    written.append(id)
                } catch is Undone {}
            }
            return written
        }
    }
}
