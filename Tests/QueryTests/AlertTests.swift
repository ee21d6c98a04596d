import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct AlertTests {
    private static func alert(_ status: Alert.Status) -> Alert {
        let now = Timestamp.now()
        return Alert(
            id: UUID.v7(), kind: "silence", severity: .warning,
            subject: Alert.Subject(type: "device", id: UUID.v7(), name: "Sensor"), siteID: nil, detail: JSONB("{}"),
            status: status, raisedAt: now, recoveredAt: nil, createdAt: now, updatedAt: now)
    }

    @Test(arguments: [
        (AlertStep.acknowledge, Alert.Status.firing, Alert.Status?.some(.acknowledged)),
        (.acknowledge, .acknowledged, .none), (.resolve, .firing, .resolved), (.resolve, .acknowledged, .resolved),
        (.resolve, .resolved, .none),
    ])
    func steps(_ step: AlertStep, _ from: Alert.Status, _ to: Alert.Status?) throws {
        let after = try step.apply(to: Self.alert(from), by: "ana", at: .now())
        #expect(after?.status == to)
        #expect((after?.acknowledgedBy == "ana") == (to == .acknowledged))
        #expect((after?.resolvedBy == "ana") == (to == .resolved) && (after?.resolvedAt != nil) == (to == .resolved))
    }

    @Test func whatIsResolvedIsNotAcknowledged() throws {
        let refusal = #expect(throws: AlertStep.Refusal.self) {
            try AlertStep.acknowledge.apply(to: Self.alert(.resolved), by: "ana", at: .now())
        }
        #expect(refusal?.code == "invalid_status")
    }

    @Test func anAlertIsSeenToByHand() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let path = "/api/v1/alerts/\(TwoTenants.alert)"
            let acknowledged = try await bed.post(path + "/acknowledge", "", as: token)
            #expect(acknowledged.json["status"] as? String == "acknowledged")
            #expect(acknowledged.json["acknowledged_by"] as? String == "owner@example.com")
            #expect(try await bed.post(path + "/acknowledge", "", as: token).text == acknowledged.text)
            let said = try await bed.post(path + "/comments", "{\"text\":\" On my way. \"}", as: token)
            #expect(said.status == .ok)
            let comment = try #require((said.json["comments"] as? [[String: Any]])?.first)
            #expect(comment["text"] as? String == "On my way.")
            #expect((comment["actor"] as? [String: Any])?["name"] as? String == "owner@example.com")
            for (body, fault) in [
                ("{}", "text: required"), ("{\"text\":\"\"}", "text: invalid_length"),
                ("{\"text\":\"\(String(repeating: "x", count: 2_001))\"}", "text: invalid_length"),
            ] {
                #expect(try await bed.post(path + "/comments", body, as: token).faults == [fault])
            }
            let most = String(repeating: "é", count: 2_000)
            #expect(try await bed.post(path + "/comments", "{\"text\":\"\(most)\"}", as: token).status == .ok)
            #expect(try await bed.post(path + "/resolve", "", as: token).json["status"] as? String == "resolved")
            #expect(try await bed.post(path + "/resolve", "", as: token).status == .ok)
            let refused = try await bed.post(path + "/acknowledge", "", as: token)
            #expect(refused.status == .conflict && refused.code == "invalid_status")
            let events: [String] = try await bed.database.asSuperuser {
                try await $0.all(
                    "SELECT type || ' ' || coalesce(data ->> 'status', left(data ->> 'text', 9)) FROM events WHERE type LIKE 'alert.%' ORDER BY id"
                )
            }
            #expect(
                events == [
                    "alert.acknowledged acknowledged", "alert.commented On my way", "alert.commented \(most.prefix(9))",
                    "alert.resolved resolved",
                ])
            let entries: Int64? = try await bed.database.asSuperuser {
                try await $0.first(
                    "SELECT count(*) FROM audit_logs WHERE resource_type = 'alert' AND actor_kind = 'user'")
            }
            #expect(entries == 4)
        }
    }

    @Test func listsAreFilteredAndPaged() async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser { connection in
                try await connection.execute(
                    script: """
                        INSERT INTO alerts (tenant_id, id, kind, severity, subject_type, subject_id, subject_name, site_id, status, resolved_at, raised_at)
                        SELECT s.tenant_id, gen_random_uuid(), 'low_stock', w.severity, 'product', gen_random_uuid(), w.name, s.id, w.status,
                               CASE w.status WHEN 'resolved' THEN now() END, now() + w.age
                          FROM sites s JOIN tenants t ON t.id = s.tenant_id AND t.slug = 'north'
                          JOIN (VALUES ('T01', 'One', 'critical', 'firing', interval '1 hour'), ('T02', 'Two', 'info', 'resolved', '2 hours'))
                                   AS w (code, name, severity, status, age) ON w.code = s.code;
                        """)
            }
            func names(_ query: String, as user: String = TwoTenants.viewer) async throws -> [String] {
                let answered = try await bed.get("/api/v1/alerts" + query, as: bed.token(user))
                return answered.data.compactMap { ($0["subject"] as? [String: Any])?["name"] as? String }
            }
            #expect(try await names("") == ["Two", "One", "Network server"])
            #expect(try await names("", as: TwoTenants.limited) == ["Two", "Network server"])
            #expect(try await names("?status=firing,acknowledged") == ["One", "Network server"])
            #expect(try await names("?kind=silence") == ["Network server"])
            #expect(try await names("?severity=critical&severity=info") == ["Two", "One"])
            #expect(try await names("?site=T01") == ["One"])
            let token = try await bed.token(TwoTenants.viewer)
            #expect(try await bed.get("/api/v1/alerts?status=open", as: token).faults == ["status: unknown_value"])
            let page = try await bed.get("/api/v1/alerts?limit=2", as: token)
            let cursor = try #require(page.json["next_cursor"] as? String)
            #expect(try await names("?limit=2&cursor=\(cursor)") == ["Network server"])
        }
    }
}
