import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct ReservationRaceTests {
    private static func all<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: Value.self) { group in
            for index in 0..<count { group.addTask { try await body(index) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test func ofAHundredOneHasTheSlot() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let answers = try await Self.all(100) { _ in
                try await bed.post("/api/v1/reservations", ReservationRoutesTests.body(), as: token)
            }
            #expect(answers.count { $0.status == .created } == 1)
            let refused = answers.filter { $0.status == .conflict && $0.code == "reservation_conflict" }
            #expect(refused.count == 99, "\(Set(answers.map(\.status.code)))")
            #expect(try await bed.conflicts() == 0)
        }
    }

    @Test func aHundredTimesTheSameIsOnce() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let body = ReservationRoutesTests.body(day: 6, ",\"request_id\":\"one\"")
            let answers = try await Self.all(100) { _ in try await bed.post("/api/v1/reservations", body, as: token) }
            #expect(answers.count { $0.status == .created } == 1 && answers.count { $0.status == .ok } == 99)
            #expect(Set(answers.map(\.text)).count == 1)
            let id = try #require(answers[0].json["id"] as? String)
            #expect(try await bed.get("/api/v1/reservations?space=R1", as: token).data.texts("id") == [id])
            // The same wish written otherwise, and by the header.
            let written = ReservationRoutesTests.body().replacing("10:00:00Z", with: "11:00:00+01:00")
            let header = try await bed.post(
                "/api/v1/reservations", written, as: token, headers: [.idempotencyKey: "one"])
            #expect(header.status == .ok && header.json["id"] as? String == id, "\(header.text)")
            // Another wish is another thing.
            let other = ReservationRoutesTests.body(day: 7, ",\"request_id\":\"one\"")
            let reused = try await bed.post("/api/v1/reservations", other, as: token)
            #expect(reused.status == .unprocessableContent && reused.code == "key_reused")
            let both = try await bed.post("/api/v1/reservations", body, as: token, headers: [.idempotencyKey: "two"])
            #expect(both.faults == ["request_id: conflict"])
            // What it was when it was made, whatever became of it.
            _ = try await bed.post("/api/v1/reservations/\(id)/cancel", "", as: token)
            #expect(try await bed.post("/api/v1/reservations", body, as: token).text == answers[0].text)
        }
    }

    /// What was booked in time is answered also when its time has come.
    @Test func aLateRepeatIsARepeat() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let body = ReservationRoutesTests.body(day: 6, ",\"request_id\":\"late\"")
            let made = try await bed.post("/api/v1/reservations", body, as: token)
            let past = body.replacing("2031-01-06", with: "2021-01-06")
            #expect(try await bed.post("/api/v1/reservations", past, as: token).code == "key_reused")
            let unknown = past.replacing("late", with: "new")
            #expect(try await bed.post("/api/v1/reservations", unknown, as: token).faults == ["starts_at: in_the_past"])
            #expect(try await bed.post("/api/v1/reservations", body, as: token).text == made.text)
        }
    }

    /// A key is worth nothing before something was made by it, and nothing in another tenant.
    @Test func onlySuccessesAreRemembered() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let blocked = try await bed.post("/api/v1/reservations", ReservationRoutesTests.body(), as: token)
            let body = ReservationRoutesTests.body(day: 6, ",\"request_id\":\"again\"")
            #expect(try await bed.post("/api/v1/reservations", body, as: token).status == .conflict)
            let id = try #require(blocked.json["id"] as? String)
            _ = try await bed.post("/api/v1/reservations/\(id)/cancel", "", as: token)
            #expect(try await bed.post("/api/v1/reservations", body, as: token).status == .created)
            let southern = try await bed.token(TwoTenants.southern)
            let theirs = body.replacing(TwoTenants.room.uuidString, with: TwoTenants.southernSpace.uuidString)
            let answered = try await bed.post("/api/v1/reservations", theirs, as: southern)
            #expect(answered.status == .created, "\(answered.text)")
        }
    }

    /// A key is of who asks where nobody else is named, and tells members of other sites nothing.
    @Test func aKeyIsNotSomebodyElses() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            let (owner, other) = (
                try await bed.token(TwoTenants.owner), try await bed.token(TwoTenants.both, tenant: "north")
            )
            let mine = """
                {"space_id":"\(TwoTenants.bay)","starts_at":"2031-01-07T10:00:00Z","ends_at":"2031-01-07T11:00:00Z","request_id":"k"}
                """
            #expect(try await bed.post("/api/v1/reservations", mine, as: owner).status == .created)
            let theirs = try await bed.post("/api/v1/reservations", mine, as: other)
            #expect(theirs.code == "key_reused" && !theirs.text.contains("owner@"), "\(theirs.text)")
            let named = ReservationRoutesTests.body(TwoTenants.bay, day: 8, ",\"request_id\":\"named\"")
            #expect(try await bed.post("/api/v1/reservations", named, as: owner).status == .created)
            #expect(try await bed.post("/api/v1/reservations", named, as: other).status == .ok)
            try await bed.promote(TwoTenants.limited, to: "operator")
            let limited = try await bed.post("/api/v1/reservations", named, as: try await bed.token(TwoTenants.limited))
            #expect(limited.faults == ["space_id: unknown"], "\(limited.text)")
        }
    }

    /// The job looks while people check in: whoever was told that they are in stays in.
    @Test func checkingInRacesWithTheJob() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            try await bed.database.asSuperuser { connection in
                try await connection.execute(
                    script: """
                        INSERT INTO spaces (tenant_id, id, site_id, code, name)
                        SELECT tenant_id, gen_random_uuid(), id, 'Z' || i, 'Z' FROM sites, generate_series(1, 60) AS i WHERE code = 'P01';
                        INSERT INTO reservations (tenant_id, id, space_id, starts_at, ends_at, holder_name, updated_at)
                        SELECT tenant_id, gen_random_uuid(), id, now() - interval '16 minutes', now() + interval '1 hour', 'Ana',
                               now() - interval '1 day'
                          FROM spaces WHERE name = 'Z';
                        """)
            }
            let ids: [UUID] = try await bed.database.asSuperuser {
                try await $0.all(
                    "SELECT r.id FROM reservations r JOIN spaces sp ON sp.id = r.space_id WHERE sp.name = 'Z'")
            }
            let checkedIn = try await withThrowingTaskGroup(of: UUID?.self) { group in
                for id in ids {
                    group.addTask {
                        let answered = try await bed.post("/api/v1/reservations/\(id)/check-in", "", as: token)
                        #expect(answered.status == .ok || answered.code == "invalid_status", "\(answered.text)")
                        return answered.status == .ok ? id : nil
                    }
                }
                for _ in 0..<4 {
                    group.addTask {
                        try await bed.database.withPool(as: .system) { pool in
                            _ = try await ReservationUpkeep(database: pool, logger: .silent).run(at: .now())
                        }
                        return nil
                    }
                }
                return try await group.reduce(into: [UUID]()) { ids, id in if let id { ids.append(id) } }
            }
            let kept: Int64? = try await bed.database.asSuperuser { connection in
                try await connection.first(
                    """
                    SELECT count(*) FROM reservations
                     WHERE id = ANY (\(checkedIn)) AND status = 'confirmed' AND checked_in_at IS NOT NULL
                    """)
            }
            #expect(kept == Int64(checkedIn.count))
        }
    }

    /// Some move into a slot while others book it: one has it in the end, and the others are where they were.
    @Test func movingRacesWithBooking() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            for round in 0..<5 {
                let paths = try await (0..<5).asyncMap { index in
                    let body = ReservationRoutesTests.body(
                        TwoTenants.bay, day: 1 + round, from: "1\(index):00", to: "1\(index):30")
                    return try #require(try await bed.post("/api/v1/reservations", body, as: token).headers[.location])
                }
                let wanted = ReservationRoutesTests.body(day: 1 + round, from: "20:00", to: "21:00")
                let statuses = try await Self.all(10) { index in
                    if index < 5 {
                        return try await bed.send(
                            .patch, paths[index],
                            "{\"space_id\":\"\(TwoTenants.room)\",\"starts_at\":\"2031-01-0\(1 + round)T20:30:00Z\",\"ends_at\":\"2031-01-0\(1 + round)T21:30:00Z\"}",
                            as: token
                        ).status
                    }
                    return try await bed.post("/api/v1/reservations", wanted, as: token).status
                }
                #expect(statuses.count { $0 == .ok || $0 == .created } == 1, "\(statuses)")
                #expect(statuses.count { $0 == .conflict } == 9, "\(statuses)")
                #expect(try await bed.conflicts() == 0)
            }
        }
    }

    /// A space that is deleted while it is booked has no reservation that somebody counts on.
    @Test func deletingRacesWithBooking() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            for round in 0..<6 {
                let made = try await bed.post(
                    "/api/v1/spaces",
                    "{\"site_id\":\"\(TwoTenants.t01)\",\"code\":\"R\(round)\",\"name\":\"R\",\"is_bookable\":true}",
                    as: token)
                let space = try #require((made.json["id"] as? String).flatMap(UUID.init(uuidString:)))
                let answers = try await Self.all(8) { index in
                    if index == 4 {
                        let cancel = round % 2 == 0 ? "?cancel_reservations=true" : ""
                        return try await bed.send(.delete, "/api/v1/spaces/\(space)\(cancel)", nil, as: token).status
                    }
                    let body = ReservationRoutesTests.body(space, from: "1\(index):00", to: "1\(index):30")
                    return try await bed.post("/api/v1/reservations", body, as: token).status
                }
                let known: Set<HTTPResponse.Status> = [
                    .created, .noContent, .conflict, .unprocessableContent, .serviceUnavailable,
                ]
                #expect(Set(answers).isSubset(of: known), "\(answers)")
                let lost: Int64? = try await bed.database.asSuperuser { connection in
                    try await connection.first(
                        """
                        SELECT count(*) FROM reservations r JOIN spaces sp ON sp.tenant_id = r.tenant_id AND sp.id = r.space_id
                         WHERE sp.deleted_at IS NOT NULL AND r.status IN ('pending', 'confirmed') AND r.ends_at > now()
                        """)
                }
                #expect(lost == 0)
            }
        }
    }
}

extension Testbed {
    fileprivate func conflicts() async throws -> Int64? {
        try await database.asSuperuser { try await $0.first("SELECT count(*) FROM reservation_conflicts") }
    }
}
