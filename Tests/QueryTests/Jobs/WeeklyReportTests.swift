import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct WeeklyReportTests {
    private static let week = ReportWeek(lastBefore: .now())

    /// Of the last full week and of others, of north's sites T01 and T02.
    private static func plant(_ database: MigratedDatabase) async throws {
        try await database.asSuperuser { connection in
            try await connection.execute(
                script: """
                    TRUNCATE products, vales CASCADE;
                    CREATE FUNCTION during() RETURNS timestamptz LANGUAGE sql AS
                        $$ SELECT '\(week.from.rfc3339)'::timestamptz + interval '3 days' $$;
                    INSERT INTO products (tenant_id, id, sku, name, unit, price, currency, min_stock)
                    SELECT t.id, gen_random_uuid(), w.sku, w.name, 'kg', w.price, w.currency, 5
                      FROM tenants t, (VALUES ('A-1', 'Apples', 2, 'EUR'), ('B-1', 'Bread', 1.5, 'USD')) AS w (sku, name, price, currency)
                     WHERE t.slug = 'north';
                    INSERT INTO stock_movements (tenant_id, id, product_id, site_id, quantity, kind, actor_kind, actor_name)
                    SELECT s.tenant_id, gen_random_uuid(), p.id, s.id, 4, 'receipt', 'system', 'tests'
                      FROM sites s JOIN products p ON p.tenant_id = s.tenant_id AND p.sku = 'A-1' WHERE s.code IN ('T01', 'T02');
                    INSERT INTO vales (tenant_id, id, site_id, status, created_at, delivered_at, cancelled_at)
                    SELECT s.tenant_id, gen_random_uuid(), s.id, w.status, during() + w.age,
                           CASE w.status WHEN 'delivered' THEN during() END, CASE w.status WHEN 'cancelled' THEN during() END
                      FROM sites s JOIN tenants t ON t.id = s.tenant_id,
                           (VALUES ('T01', 'issued', interval '0'), ('T01', 'delivered', '0'), ('T02', 'cancelled', '0'), ('T02', 'issued', '0'),
                                   ('T01', 'delivered', '-7 days'), ('T01', 'issued', '7 days')) AS w (code, status, age)
                     WHERE t.slug = 'north' AND s.code = w.code;
                    INSERT INTO vale_lines (tenant_id, vale_id, product_id, position, quantity, price, currency)
                    SELECT v.tenant_id, v.id, p.id, 0, CASE p.sku WHEN 'A-1' THEN 2 ELSE 1.5 END, p.price, p.currency
                      FROM vales v JOIN products p ON p.tenant_id = v.tenant_id;
                    UPDATE alerts SET raised_at = during(), site_id = NULL;
                    UPDATE reservations SET created_at = during();
                    UPDATE reservations SET starts_at = during(), ends_at = during() + interval '1 hour', status = 'no_show', expires_at = NULL
                     WHERE id = '\(TwoTenants.reservation)';
                    INSERT INTO uplinks (tenant_id, owner_id, received_at, epoch, fcnt, arrived_at, clock_used, integration_id)
                    SELECT id, 111, during() + w.age, 1, 1, now(), false, gen_random_uuid()
                      FROM tenants, (VALUES (interval '0'), ('-7 days')) AS w (age) WHERE slug = 'north';
                    UPDATE sample_log SET received_at = during();
                    DROP FUNCTION during();
                    """)
        }
    }

    private static func part(_ answered: Answered, _ name: String) -> [String: Any] {
        answered.json[name] as? [String: Any] ?? [:]
    }

    @Test func whatAWeekWasLike() async throws {
        try await Testbed.run { bed in
            try await Self.plant(bed.database)
            let answered = try await bed.get("/api/v1/reports/weekly", as: bed.token(TwoTenants.viewer))
            #expect(answered.status == .ok, "\(answered.text)")
            let week = Self.part(answered, "week")
            #expect(week["from"] as? String == Self.week.from.rfc3339 && week["to"] as? String == Self.week.to.rfc3339)
            let vales = Self.part(answered, "vales")
            #expect(vales["issued"] as? Int == 4 && vales["delivered"] as? Int == 2 && vales["cancelled"] as? Int == 1)
            #expect(vales["value"] as? [String: String] == ["EUR": "12.00", "USD": "6.75"])
            let top = vales["top_products"] as? [[String: Any]] ?? []
            #expect(top.texts("sku") == ["A-1", "B-1"] && top.texts("quantity") == ["6", "4.5"])
            let stock = Self.part(answered, "stock")
            #expect(stock["products"] as? Int == 2 && stock["low"] as? Int == 1)
            #expect(stock["value"] as? [String: String] == ["EUR": "16.00"])
            let alerts = Self.part(answered, "alerts")
            #expect(alerts["raised"] as? Int == 1 && alerts["resolved"] as? Int == 0 && alerts["open"] as? Int == 1)
            #expect(Self.part(answered, "reservations")["no_show"] as? Int == 1)
            let ingest = Self.part(answered, "ingest")
            #expect(ingest["uplinks"] as? Int == 1 && ingest["samples"] as? Int == 10, "\(ingest)")
        }
    }

    @Test func whoIsLimitedToSitesSeesTheseAlone() async throws {
        try await Testbed.run { bed in
            try await Self.plant(bed.database)
            let token = try await bed.token(TwoTenants.limited)
            let answered = try await bed.get("/api/v1/reports/weekly", as: token)
            #expect(answered.json["ingest"] is NSNull)
            let vales = Self.part(answered, "vales")
            #expect(vales["issued"] as? Int == 2 && vales["delivered"] as? Int == 0 && vales["cancelled"] as? Int == 1)
            #expect(vales["value"] as? [String: String] == ["EUR": "4.00", "USD": "2.25"])
            #expect(Self.part(answered, "stock")["value"] as? [String: String] == ["EUR": "8.00"])
            #expect(Self.part(answered, "reservations")["no_show"] as? Int == 0)
            // Also once one was kept for all.
            _ = try await Self.report(bed.database)
            #expect(try await Self.part(bed.get("/api/v1/reports/weekly", as: token), "vales")["issued"] as? Int == 2)
        }
    }

    @Test func itIsKeptAndSentOnce() async throws {
        try await Testbed.run { bed in
            try await Self.plant(bed.database)
            let kept = try await withThrowingTaskGroup { group in
                for _ in 0..<6 { group.addTask { try await Self.report(bed.database) } }
                return try await group.reduce(0, +)
            }
            #expect(kept == 3, "one of each tenant, the founding one among them")
            #expect(try await Self.report(bed.database) == 0)
            let letters: [String] = try await bed.database.asSuperuser {
                try await $0.all("SELECT recipient FROM notifications WHERE channel = 'email' ORDER BY 1")
            }
            #expect(letters == ["owner@example.com", "southern@example.com"])
            let body: String? = try await bed.database.asSuperuser {
                try await $0.first("SELECT subject || body FROM notifications WHERE recipient = 'owner@example.com'")
            }
            let letter = try #require(body)
            for line in [
                "Vales: 4 issued, 2 delivered, 1 cancelled.", "Value of what was issued: 12.00 EUR, 6.75 USD.",
                "  6 kg  A-1 Apples", "Received: 1 uplinks, 10 samples.", Self.week.day,
            ] { #expect(letter.contains(line), "\(letter)") }
            // What comes later does not change it.
            try await bed.database.asSuperuser { try await $0.execute(script: "DELETE FROM uplinks") }
            let answered = try await bed.get("/api/v1/reports/weekly", as: bed.token(TwoTenants.viewer))
            #expect(Self.part(answered, "ingest")["uplinks"] as? Int == 1)
            let of = try await bed.get("/api/v1/reports/weekly", as: bed.token(TwoTenants.southern))
            #expect(Self.part(of, "vales")["issued"] as? Int == 0)
        }
    }

    @Test func aWeekIsNamedByItsSunday() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let answered = try await bed.get("/api/v1/reports/weekly?week=2026-01-04", as: token)
            #expect(Self.part(answered, "week")["from"] as? String == "2026-01-04T00:00:00Z")
            #expect(Self.part(answered, "ingest")["samples"] as? Int == 10)
            let next = String(Self.week.to.rfc3339.prefix(10))
            for (week, code) in [
                ("2026-01-05", "invalid_week"), ("2026-02-30", "invalid_week"), ("soon", "invalid_week"),
                (next, "not_over"),
                ("2099-01-04", "not_over"),
            ] {
                let refused = try await bed.get("/api/v1/reports/weekly?week=\(week)", as: token)
                #expect(refused.status == .unprocessableContent && refused.faults == ["week: \(code)"], "\(week)")
            }
        }
    }

    private static func report(_ database: MigratedDatabase) async throws -> Int {
        try await database.withPool(as: .system) { pool in
            try await WeeklyReporting(database: pool, logger: .silent).run(at: .now())
        }
    }
}
