import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct CalendarTests {
    /// What another's parser reads of a calendar.
    private static let script = """
        import sys, json, icalendar
        calendar = icalendar.Calendar.from_ical(sys.stdin.buffer.read().decode("utf-8"))
        print(json.dumps([{
            "uid": str(event["UID"]), "start": event.decoded("DTSTART").isoformat(), "end": event.decoded("DTEND").isoformat(),
            "summary": str(event["SUMMARY"]), "location": str(event["LOCATION"]), "status": str(event["STATUS"]),
            "stamp": event.decoded("DTSTAMP").isoformat(), "note": str(event.get("DESCRIPTION", "")),
            "errors": event.errors,
        } for event in calendar.walk("VEVENT")]))
        """

    private static func read(_ calendar: String) async throws -> [[String: Any]] {
        let python = try await PythonEnvironment.with("icalendar==6.3.1")
        let printed = try await python.run(script, input: Data(calendar.utf8))
        return try #require(try JSONSerialization.jsonObject(with: printed) as? [[String: Any]])
    }

    /// The path and query of a new feed.
    private static func feed(_ bed: Testbed, _ token: String, _ body: String = "{}") async throws -> String {
        let made = try await bed.post("/api/v1/calendar-feeds", body, as: token)
        let url = try #require((made.json["url"] as? String).flatMap(URL.init(string:)), "\(made.text)")
        return "\(url.path())?\(url.query() ?? "")"
    }

    @Test func anotherParserReadsIt() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let now = Timestamp(secondsSinceEpoch: Timestamp.now().seconds)
            let (start, end) = (now.adding(seconds: 86_400), now.adding(seconds: 90_000))
            let note = "Bring: a;b,c\\\\d \\\"e\\\"\\nsecond line " + String(repeating: "é🚗", count: 60)
            let made = try await bed.post(
                "/api/v1/reservations",
                """
                {"space_id":"\(TwoTenants.room)","starts_at":"\(start.rfc3339)","ends_at":"\(end.rfc3339)",
                 "holder":{"name":"Ana, of \\"Ops\\"; \\\\"},"note":"\(note)"}
                """, as: token)
            #expect(made.status == .created, "\(made.text)")
            let path = try await Self.feed(bed, token)
            let calendar = try await bed.get(path)
            #expect(calendar.headers[.contentType]?.hasPrefix("text/calendar") == true)
            let lines = calendar.text.components(separatedBy: "\r\n")
            #expect(
                lines.allSatisfy { $0.utf8.count <= 75 } && !calendar.text.replacing("\r\n", with: "").contains("\n"))
            let events = try await Self.read(calendar.text)
            // The one that began ten minutes ago, and this one; not the pending one of years to come.
            #expect(events.count == 2, "\(calendar.text)")
            let event = try #require(events.last)
            #expect(event["uid"] as? String == "\(made.json["id"] ?? "")@pulsegate")
            #expect((event["start"] as? String).flatMap(Timestamp.init(rfc3339:)) == start)
            #expect((event["end"] as? String).flatMap(Timestamp.init(rfc3339:)) == end)
            #expect(event["summary"] as? String == "Room 1: Ana, of \"Ops\"; \\")
            #expect(event["location"] as? String == "Station, Room 1")
            #expect(event["note"] as? String == made.json["note"] as? String)
            #expect(event["status"] as? String == "CONFIRMED" && (event["errors"] as? [Any])?.isEmpty == true)
        }
    }

    @Test func aFeedShowsWhatItsMemberMaySee() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            let (owner, limited) = (try await bed.token(TwoTenants.owner), try await bed.token(TwoTenants.limited))
            let later = Timestamp.now().adding(seconds: 7_200)
            for space in [TwoTenants.room, TwoTenants.bay] {
                let made = try await bed.post(
                    "/api/v1/reservations",
                    "{\"space_id\":\"\(space)\",\"starts_at\":\"\(later.adding(seconds: 60).rfc3339)\",\"ends_at\":\"\(later.adding(seconds: 120).rfc3339)\"}",
                    as: owner)
                #expect(made.status == .created, "\(made.text)")
            }
            func locations(_ path: String) async throws -> Set<String> {
                Set(try await Self.read(try await bed.get(path).text).compactMap { $0["location"] as? String })
            }
            let all = try await Self.feed(bed, owner)
            #expect(try await locations(all) == ["Station, Room 1", "Car park, Bay 1"])
            let ofSpace = try await Self.feed(bed, owner, "{\"name\":\"R\",\"space_id\":\"\(TwoTenants.room)\"}")
            #expect(try await locations(ofSpace) == ["Station, Room 1"])
            let ofSite = try await Self.feed(bed, owner, "{\"site_id\":\"\(TwoTenants.p01)\"}")
            #expect(try await locations(ofSite) == ["Car park, Bay 1"])
            let theirs = try await Self.feed(bed, limited)
            #expect(try await locations(theirs) == ["Station, Room 1"])
            let elsewhere = try await bed.post(
                "/api/v1/calendar-feeds", "{\"space_id\":\"\(TwoTenants.bay)\"}", as: limited)
            #expect(elsewhere.faults == ["space_id: unknown"])
            // A member without the scope, a member no more, and an address that was withdrawn.
            try await bed.promote(TwoTenants.limited, to: "guest")
            #expect(try await bed.get(theirs).status == .notFound)
            let id = try await bed.userID(TwoTenants.limited)
            #expect(try await bed.send(.delete, "/api/v1/users/\(id)", nil, as: owner).status == .noContent)
            #expect(try await bed.get(theirs).status == .notFound)
            let feeds = try await bed.get("/api/v1/calendar-feeds", as: owner)
            #expect(feeds.data.count == 4 && !feeds.text.contains("token"))
            for id in feeds.data.texts("id") {
                _ = try await bed.send(.delete, "/api/v1/calendar-feeds/\(id)", nil, as: owner)
            }
            for path in [all, "/api/v1/reservations.ics", "/api/v1/reservations.ics?token=x"] {
                #expect(try await bed.get(path).status == .notFound)
            }
        }
    }

    @Test func aPersonHasTwentyFeedsAtMost() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for _ in 0..<40 {
                    group.addTask { try await bed.post("/api/v1/calendar-feeds", "{}", as: token).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            // One was there.
            #expect(statuses.count { $0 == .created } == 19 && statuses.count { $0 == .conflict } == 21)
        }
    }
}
