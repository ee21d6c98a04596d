import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct ReservationRoutesTests {
    static func body(
        _ space: UUID = TwoTenants.room, day: Int = 6, from: String = "10:00", to: String = "11:00", _ more: String = ""
    ) -> String {
        """
        {"space_id":"\(space)","starts_at":"2031-01-0\(day)T\(from):00Z","ends_at":"2031-01-0\(day)T\(to):00Z",
         "holder":{"name":"Ana","email":"Ana@example.com","phone":"+34 600 000 000"}\(more)}
        """
    }

    @Test func aReservationIsMadeChangedAndDeleted() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.both, tenant: "north")
            let made = try await bed.post("/api/v1/reservations", Self.body(day: 6, ",\"note\":\"Door\""), as: token)
            #expect(made.status == .created, "\(made.text)")
            let path = try #require(made.headers[.location])
            #expect(try await bed.get(path, as: token).text == made.text)
            #expect(made.json["status"] as? String == "confirmed")
            #expect((made.json["holder"] as? [String: Any])?["email"] as? String == "ana@example.com")
            let moved = try await bed.send(
                .patch, path, "{\"ends_at\":\"2031-01-06T11:30:00Z\",\"note\":null,\"holder\":{\"name\":\"Eva\"}}",
                as: token)
            #expect(moved.status == .ok, "\(moved.text)")
            #expect(moved.json["ends_at"] as? String == "2031-01-06T11:30:00Z" && moved.json["note"] is NSNull)
            let holder = moved.json["holder"] as? [String: Any]
            #expect(holder?["name"] as? String == "Eva" && holder?["email"] as? String == "ana@example.com")
            let replaced = try await bed.send(.put, path, Self.body(TwoTenants.bay, day: 7), as: token)
            #expect(replaced.json["space_id"] as? String == TwoTenants.bay.lowercaseString)
            #expect(try await bed.send(.delete, path, nil, as: token).status == .noContent)
            #expect(try await bed.get(path, as: token).status == .notFound)
            // Its place is free.
            #expect(
                try await bed.post("/api/v1/reservations", Self.body(TwoTenants.bay, day: 7), as: token).status
                    == .created)
        }
    }

    @Test func whoAsksIsTheHolderUnlessSomebodyIsNamed() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let member = try await bed.userID(TwoTenants.viewer)
            let span = "\"starts_at\":\"2031-01-06T10:00:00Z\",\"ends_at\":\"2031-01-06T11:00:00Z\""
            let own = try await bed.post(
                "/api/v1/reservations", "{\"space_id\":\"\(TwoTenants.room)\",\(span)}", as: token)
            #expect((own.json["holder"] as? [String: Any])?["email"] as? String == "owner@example.com")
            let path = try #require(own.headers[.location])
            let given = try await bed.send(.patch, path, "{\"holder\":{\"user_id\":\"\(member)\"}}", as: token)
            #expect((given.json["holder"] as? [String: Any])?["name"] as? String == "Viewer", "\(given.text)")
            let stranger = try await bed.userID(TwoTenants.southern)
            let refused = try await bed.send(.patch, path, "{\"holder\":{\"user_id\":\"\(stranger)\"}}", as: token)
            #expect(refused.faults == ["holder.user_id: unknown"])
        }
    }

    @Test(arguments: [
        (body(from: "11:00", to: "10:00"), "starts_at: empty_span"),
        (body(from: "10:00", to: "10:00"), "starts_at: empty_span"),
        (body(TwoTenants.secondBay), "space_id: not_bookable"), (body(TwoTenants.southernSpace), "space_id: unknown"),
        (body(day: 6, ",\"status\":\"completed\""), "status: not_allowed"),
        (body(day: 6, ",\"request_id\":\"\""), "request_id: invalid_key"),
        ("{\"space_id\":\"\(TwoTenants.room)\",\"starts_at\":\"2031-01-06T10:00:00Z\"}", "ends_at: required"),
        (
            "{\"space_id\":\"\(TwoTenants.room)\",\"starts_at\":\"2031-01-01T00:00:00Z\",\"ends_at\":\"2031-01-31T00:00:01Z\"}",
            "ends_at: too_long"
        ),
        (
            "{\"space_id\":\"\(TwoTenants.room)\",\"starts_at\":\"2021-01-01T00:00:00Z\",\"ends_at\":\"2021-01-01T01:00:00Z\"}",
            "starts_at: in_the_past"
        ),
        (
            "{\"space_id\":\"\(TwoTenants.room)\",\"starts_at\":\"2031-01-06T10:00:00Z\",\"ends_at\":\"2031-01-06T11:00:00Z\",\"holder\":{\"phone\":\"x\"}}",
            "holder.name: required"
        ),
    ])
    func boundsHold(body: String, fault: String) async throws {
        try await Testbed.run { bed in
            let refused = try await bed.post("/api/v1/reservations", body, as: try await bed.token(TwoTenants.owner))
            #expect(refused.status == .unprocessableContent && refused.faults.first == fault, "\(refused.text)")
        }
    }

    /// Thirty days to the second are allowed, and a start five minutes ago.
    @Test func boundsAreMet() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let month = """
                {"space_id":"\(TwoTenants.room)","starts_at":"2031-01-01T00:00:00Z","ends_at":"2031-01-31T00:00:00Z"}
                """
            #expect(try await bed.post("/api/v1/reservations", month, as: token).status == .created)
            let now = Timestamp.now()
            let begun = """
                {"space_id":"\(TwoTenants.room)","starts_at":"\(now.adding(seconds: -290).rfc3339)",
                 "ends_at":"\(now.adding(seconds: 60).rfc3339)"}
                """
            #expect(try await bed.post("/api/v1/reservations", begun, as: token).status == .created)
        }
    }

    @Test func bothEndsLieInsideOpeningHours() async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser {
                try await $0.execute(
                    script: """
                        UPDATE spaces SET opening_hours = '{"mon":[["08:00","12:00"]],"tue":[["08:00","12:00"]]}'
                         WHERE code = 'R1'
                        """)
            }
            let token = try await bed.token(TwoTenants.owner)
            func book(_ from: String, _ to: String) async throws -> [String] {
                try await bed.post(
                    "/api/v1/reservations",
                    "{\"space_id\":\"\(TwoTenants.room)\",\"starts_at\":\"2031-01-\(from)+01:00\",\"ends_at\":\"2031-01-\(to)+01:00\"}",
                    as: token
                ).faults
            }
            let outside = ["starts_at: outside_opening_hours"]
            #expect(try await book("06T07:59:00", "06T09:00:00") == outside)
            #expect(try await book("06T11:00:00", "06T12:00:01") == outside)
            #expect(try await book("06T12:00:00", "07T09:00:00") == outside, "closed at twelve")
            #expect(try await book("06T11:00:00", "07T07:59:59") == outside, "not open yet")
            #expect(try await book("06T08:00:00", "06T12:00:00") == [])
            #expect(try await book("07T08:00:00", "13T09:00:00") == [], "only its ends")
        }
    }

    /// Where clocks go back a space opens at the first half past one and closes at the last half past three; where they go forward an hour
    /// that is left out is none.
    @Test(arguments: [
        ("2027-11-07T05:30:00Z", "2027-11-07T06:00:00Z", true), ("2027-11-07T06:30:00Z", "2027-11-07T08:30:00Z", true),
        ("2027-11-07T05:29:00Z", "2027-11-07T06:00:00Z", false),
        ("2027-11-07T08:00:00Z", "2027-11-07T08:31:00Z", false),
        ("2027-03-14T06:30:00Z", "2027-03-14T07:30:00Z", true), ("2027-03-14T06:30:00Z", "2027-03-14T07:31:00Z", false),
    ])
    func opensByTheClockOnTheWall(from: String, to: String, isOpen: Bool) async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser { connection in
                try await connection.execute(
                    script: """
                        UPDATE sites SET timezone = 'America/New_York' WHERE code = 'T02';
                        UPDATE spaces SET opening_hours = '{"sun":[["01:30","03:30"]]}' WHERE code = 'R1';
                        """)
            }
            let token = try await bed.token(TwoTenants.owner)
            let booked = try await bed.post(
                "/api/v1/reservations",
                "{\"space_id\":\"\(TwoTenants.room)\",\"starts_at\":\"\(from)\",\"ends_at\":\"\(to)\"}", as: token)
            #expect(booked.status == (isOpen ? .created : .unprocessableContent), "\(booked.text)")
            let free = try await bed.get(
                "/api/v1/spaces?site=T02&free_from=\(from)&free_to=\(to)", as: token)
            #expect(free.data.isEmpty, "booked or closed")
        }
    }

    @Test func backToBackIsNoOverlap() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let statuses = try await [("10:00", "11:00"), ("11:00", "12:00"), ("09:00", "10:00"), ("10:59", "11:01")]
                .asyncMap { from, to in
                    try await bed.post("/api/v1/reservations", Self.body(from: from, to: to), as: token).status
                }
            #expect(statuses == [.created, .created, .created, .conflict])
        }
    }

    /// A conflict says when else, and nothing of whom.
    @Test func aConflictTellsWhatIsFree() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let first = Self.body(from: "10:00", to: "11:00")
            #expect(try await bed.post("/api/v1/reservations", first, as: token).status == .created)
            let other = first.replacing("Ana", with: "Eva").replacing("ana@", with: "eva@")
            let refused = try await bed.post("/api/v1/reservations", other, as: token)
            #expect(refused.status == .conflict && refused.code == "reservation_conflict")
            let slots = refused.json["free_slots"] as? [[String: String]]
            #expect(slots?.first == ["starts_at": "2031-01-06T09:00:00Z", "ends_at": "2031-01-06T10:00:00Z"])
            #expect(slots?.contains(["starts_at": "2031-01-06T11:00:00Z", "ends_at": "2031-01-06T12:00:00Z"]) == true)
            #expect(!refused.text.contains("Ana") && !refused.text.contains("600"), "\(refused.text)")
            // Each of them can be had.
            for slot in try #require(slots) {
                let taken = try await bed.post(
                    "/api/v1/reservations",
                    "{\"space_id\":\"\(TwoTenants.room)\",\"starts_at\":\"\(slot["starts_at"] ?? "")\",\"ends_at\":\"\(slot["ends_at"] ?? "")\"}",
                    as: token)
                #expect(taken.status == .created, "\(slot)")
            }
        }
    }

    @Test func aMoveIntoOthersIsRefusedAndChangesNothing() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            _ = try await bed.post("/api/v1/reservations", Self.body(from: "10:00", to: "11:00"), as: token)
            let mine = try await bed.post("/api/v1/reservations", Self.body(from: "12:00", to: "13:00"), as: token)
            let path = try #require(mine.headers[.location])
            let refused = try await bed.send(.patch, path, "{\"starts_at\":\"2031-01-06T10:30:00Z\"}", as: token)
            #expect(refused.status == .conflict && refused.code == "reservation_conflict", "\(refused.text)")
            #expect((refused.json["free_slots"] as? [Any])?.isEmpty == false)
            #expect(try await bed.get(path, as: token).text == mine.text)
            // Into its own time it may.
            let longer = try await bed.send(.patch, path, "{\"starts_at\":\"2031-01-06T11:00:00Z\"}", as: token)
            #expect(longer.status == .ok)
            let status = try await bed.send(.patch, path, "{\"status\":\"cancelled\"}", as: token)
            #expect(status.faults == ["status: immutable"])
            #expect(try await bed.post(path + "/cancel", "", as: token).json["status"] as? String == "cancelled")
            #expect(try await bed.send(.patch, path, "{\"note\":\"x\"}", as: token).code == "invalid_status")
        }
    }

    /// A pending one holds its place until it expires; then the next who wants it gets it.
    @Test func pendingHoldsItsPlace() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let pending = try await bed.post(
                "/api/v1/reservations", Self.body(day: 6, ",\"status\":\"pending\""), as: token)
            let expiry = Timestamp(rfc3339: pending.json["expires_at"] as? String ?? "")
            #expect(try #require(expiry).seconds - Timestamp.now().seconds > 1_790)
            #expect(try await bed.post("/api/v1/reservations", Self.body(), as: token).status == .conflict)
            #expect(
                try await bed.get(
                    "/api/v1/spaces?free_from=2031-01-06T10:00:00Z&free_to=2031-01-06T11:00:00Z", as: token
                )
                .data.texts("code") == ["B1"])
            try await bed.database.asSuperuser {
                try await $0.execute(script: "UPDATE reservations SET expires_at = now() WHERE expires_at IS NOT NULL")
            }
            let path = try #require(pending.headers[.location])
            #expect(try await bed.post(path + "/confirm", "", as: token).code == "expired")
            #expect(try await bed.post("/api/v1/reservations", Self.body(), as: token).status == .created)
            #expect(try await bed.get(path, as: token).json["status"] as? String == "cancelled")
            #expect(try await bed.audited("reservation.expired") == 1)
        }
    }

    /// What was not confirmed in time is nobody's to move.
    @Test func anExpiredOneStaysWhereItIs() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let pending = try await bed.post(
                "/api/v1/reservations", Self.body(day: 6, ",\"status\":\"pending\""), as: token)
            let path = try #require(pending.headers[.location])
            try await bed.database.asSuperuser {
                try await $0.execute(script: "UPDATE reservations SET expires_at = now() WHERE expires_at IS NOT NULL")
            }
            for change in [
                "{\"ends_at\":\"2031-01-06T11:30:00Z\"}", "{\"space_id\":\"\(TwoTenants.bay)\"}", "{\"note\":\"x\"}",
            ] {
                let refused = try await bed.send(.patch, path, change, as: token)
                #expect(refused.status == .conflict && refused.code == "expired", "\(refused.text)")
            }
            #expect(try await bed.get(path, as: token).json["ends_at"] as? String == "2031-01-06T11:00:00Z")
        }
    }

    /// The tag of the answer that made it is good for changing it.
    @Test func whatWasMadeCanBeChangedByItsTag() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let made = try await bed.post("/api/v1/reservations", Self.body(), as: token)
            let (path, tag) = (try #require(made.headers[.location]), try #require(made.headers[.eTag]))
            let first = try await bed.send(.patch, path, "{\"note\":\"x\"}", as: token, headers: [.ifMatch: tag])
            #expect(first.status == .ok)
            let second = try await bed.send(.patch, path, "{\"note\":\"y\"}", as: token, headers: [.ifMatch: tag])
            #expect(second.status == .preconditionFailed)
            let claimed = try await bed.post(
                "/api/v1/orphan-devices/\(TwoTenants.orphanEUI)/claim", "{\"name\":\"N\"}", as: token)
            let device = try await bed.send(
                .patch, "/api/v1/devices/\(TwoTenants.orphanEUI)", "{\"name\":\"M\"}", as: token,
                headers: [.ifMatch: try #require(claimed.headers[.eTag])])
            #expect(device.status == .ok)
        }
    }

    /// Who is a member is for those to know who may know members.
    @Test func operatorsNameNobodyElse() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.both, tenant: "north")
            let (owner, own) = (try await bed.userID(TwoTenants.owner), try await bed.userID(TwoTenants.both))
            let body = Self.body().replacing("\"name\":\"Ana\"", with: "\"user_id\":\"\(owner)\"")
            let refused = try await bed.post("/api/v1/reservations", body, as: token)
            #expect(refused.faults == ["holder.user_id: unknown"] && !refused.text.contains("@"))
            let mine = try await bed.post("/api/v1/reservations", body.replacing(owner, with: own), as: token)
            #expect(mine.status == .created, "\(mine.text)")
            // Whoever holds it already is known to who may see it.
            let theirs = try await bed.post(
                "/api/v1/reservations",
                Self.body(day: 8).replacing("\"name\":\"Ana\"", with: "\"user_id\":\"\(owner)\""),
                as: try await bed.token(TwoTenants.owner))
            let path = try #require(theirs.headers[.location], "\(theirs.text)")
            let called = try await bed.send(.patch, path, "{\"holder\":{\"phone\":\"+34 611\"}}", as: token)
            #expect((called.json["holder"] as? [String: Any])?["name"] as? String == "Owner", "\(called.text)")
        }
    }

    @Test func aTenantDecidesHowLongPendingLasts() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let wrong = try await bed.send(
                .patch, "/api/v1/tenants/current",
                "{\"settings\":{\"reservations\":{\"pending_timeout_s\":0,\"sensor_check_in\":1}}}", as: token)
            #expect(
                wrong.faults == [
                    "settings.reservations.pending_timeout_s: out_of_range",
                    "settings.reservations.sensor_check_in: wrong_type",
                ], "\(wrong.text)")
            let right = try await bed.send(
                .patch, "/api/v1/tenants/current",
                "{\"settings\":{\"reservations\":{\"pending_timeout_s\":60},\"x\":1}}",
                as: token)
            #expect(right.status == .ok)
            let pending = try await bed.post(
                "/api/v1/reservations", Self.body(day: 6, ",\"status\":\"pending\""), as: token)
            let expiry = Timestamp(rfc3339: pending.json["expires_at"] as? String ?? "")
            #expect((50...61).contains(try #require(expiry).seconds - Timestamp.now().seconds))
        }
    }

    @Test func listsAreFiltered() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            for hour in ["14", "10", "12"] {
                _ = try await bed.post(
                    "/api/v1/reservations", Self.body(from: "\(hour):00", to: "\(hour):30"), as: token)
            }
            func starts(_ filter: String) async throws -> [String] {
                try await bed.get("/api/v1/reservations?\(filter)", as: token).data.texts("starts_at")
                    .map { String($0.dropFirst(11).prefix(5)) }
            }
            #expect(try await starts("space=R1") == ["10:00", "12:00", "14:00"])
            #expect(try await starts("site=T02&from=2031-01-06T10:30:00Z&to=2031-01-06T14:00:00Z") == ["12:00"])
            #expect(try await starts("space=R1&from=2031-01-06T12:29:00Z") == ["12:00", "14:00"])
            #expect(try await starts("status=pending") == ["12:00"])
            #expect(try await starts("site=W01").isEmpty)
            let first = try await bed.get("/api/v1/reservations?space=R1&limit=2", as: token)
            let cursor = try #require(first.json["next_cursor"] as? String)
            let rest = try await bed.get("/api/v1/reservations?space=R1&limit=2&cursor=\(cursor)", as: token)
            #expect(rest.data.texts("starts_at") == ["2031-01-06T14:00:00Z"] && rest.json["next_cursor"] is NSNull)
        }
    }

    @Test func availabilityShowsTimesAndNobody() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            try await bed.database.asSuperuser {
                try await $0.execute(
                    script: "UPDATE spaces SET opening_hours = '{\"mon\":[[\"08:00\",\"12:00\"]]}' WHERE code = 'R1'")
            }
            _ = try await bed.post("/api/v1/reservations", Self.body(from: "09:00", to: "10:00"), as: token)
            let week = "from=2031-01-06T00:00:00Z&to=2031-01-13T00:00:00Z"
            let room = try await bed.get("/api/v1/spaces/\(TwoTenants.room)/availability?\(week)", as: token)
            #expect(
                room.text
                    == "{\"data\":[{\"starts_at\":\"2031-01-06T07:00:00Z\",\"ends_at\":\"2031-01-06T09:00:00Z\"},{\"starts_at\":\"2031-01-06T10:00:00Z\",\"ends_at\":\"2031-01-06T11:00:00Z\"}]}"
            )
            let long = try await bed.get(
                "/api/v1/spaces/\(TwoTenants.room)/availability?\(week)&duration=90m", as: token)
            #expect(long.data.texts("starts_at") == ["2031-01-06T07:00:00Z"])
            let site = try await bed.get("/api/v1/sites/T02/availability?\(week)&duration=90m", as: token)
            #expect(site.data.texts("code") == ["R1"])
            #expect((site.data[0]["slots"] as? [[String: Any]])?.count == 1)
            #expect(
                try await bed.get("/api/v1/spaces/\(TwoTenants.secondBay)/availability?\(week)", as: token).data.isEmpty
            )
            let past = try await bed.get(
                "/api/v1/spaces/\(TwoTenants.room)/availability?from=2021-01-04T00:00:00Z&to=2021-01-11T00:00:00Z",
                as: token)
            #expect(past.status == .ok && past.data.isEmpty)
            for (query, fault) in [
                ("\(week)&duration=soon", "duration: invalid_duration"),
                ("from=2031-01-06T00:00:00Z&to=2031-01-06T00:00:00Z", "from: empty_span"),
                ("from=2031-01-06T00:00:00Z&to=2032-01-06T00:00:00Z", "from: too_long"),
            ] {
                let refused = try await bed.get("/api/v1/spaces/\(TwoTenants.room)/availability?\(query)", as: token)
                #expect(refused.faults == [fault])
            }
        }
    }
}

extension Sequence {
    /// One after the other.
    func asyncMap<Value>(_ body: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
