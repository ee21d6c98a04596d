import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Postgres
@testable import Query

@Suite struct LowStockTests {
    /// Both tenants have `A-1`, 5 of which are wanted: north 6 of it in two sites, south 4.
    private static let goods = """
        INSERT INTO products (tenant_id, id, sku, name, unit, price, currency, min_stock)
        SELECT t.id, ('0c000000-0000-7000-8000-00000000000' || t.id)::uuid, 'A-1', 'Apples', 'kg', 2, 'EUR', 5 FROM tenants t WHERE t.slug IN ('north', 'south');
        INSERT INTO products (tenant_id, id, sku, name, unit, price, currency, min_stock, is_active)
        SELECT t.id, gen_random_uuid(), w.sku, 'Unwatched', 'kg', 2, 'EUR', w.least, w.active
          FROM tenants t, (VALUES ('U-1', 0, true), ('U-2', 5, false)) AS w (sku, least, active);
        INSERT INTO stock_movements (tenant_id, id, product_id, site_id, quantity, kind, actor_kind, actor_name)
        SELECT s.tenant_id, gen_random_uuid(), p.id, s.id, CASE WHEN t.slug = 'south' THEN 4 ELSE 3 END, 'receipt', 'system', 'tests'
          FROM sites s JOIN products p ON p.tenant_id = s.tenant_id AND p.sku = 'A-1' JOIN tenants t ON t.id = s.tenant_id
         WHERE s.code = 'T01' OR s.code = 'T02' AND t.slug = 'north';
        UPDATE tenants SET admin_contact = 'Ana Lopez <ana@north.example>', whatsapp_numbers = '{+34600000001,+34600000002}'
         WHERE slug = 'north';
        DELETE FROM alerts;
        """

    private static func on(_ body: @Sendable (MigratedDatabase) async throws -> Void) async throws {
        try await TwoTenants.withDatabase { database in
            try await database.asSuperuser { try await $0.execute(script: goods) }
            try await body(database)
        }
    }

    private static func look(_ database: MigratedDatabase) async throws -> Int {
        try await database.withPool(as: .system) { pool in
            try await LowStock(database: pool, logger: .silent).run(at: .now())
        }
    }

    private static func move(_ quantity: Int32, in tenant: String, _ database: MigratedDatabase) async throws {
        _ = try await database.asSuperuser { connection in
            try await connection.run(
                """
                INSERT INTO stock_movements (tenant_id, id, product_id, site_id, quantity, kind, actor_kind, actor_name)
                SELECT s.tenant_id, gen_random_uuid(), p.id, s.id, \(quantity), 'adjustment', 'system', 'tests'
                  FROM sites s JOIN products p ON p.tenant_id = s.tenant_id AND p.sku = 'A-1' JOIN tenants t ON t.id = s.tenant_id
                 WHERE s.code = 'T01' AND t.slug = \(tenant)
                """)
        }
    }

    /// Alerts, then the events, audit entries and notifications that there are of them.
    private static func told(_ database: MigratedDatabase) async throws -> [String] {
        try await database.asSuperuser { connection in
            try await connection.all(
                """
                SELECT line FROM (
                    SELECT 1 AS part, t.slug || ' ' || a.severity || ' ' || a.status || CASE WHEN a.recovered_at IS NULL THEN '' ELSE ' over' END AS line
                      FROM alerts a JOIN tenants t ON t.id = a.tenant_id
                    UNION ALL
                    SELECT 2, t.slug || ' ' || e.type || ' ' || count(*) FROM events e JOIN tenants t ON t.id = e.tenant_id
                     WHERE e.type LIKE 'alert.%' OR e.type LIKE 'stock.%' GROUP BY t.slug, e.type
                    UNION ALL
                    SELECT 3, t.slug || ' ' || n.channel || ' ' || n.recipient || ' ' || count(*)
                      FROM notifications n JOIN tenants t ON t.id = n.tenant_id GROUP BY t.slug, n.channel, n.recipient
                    UNION ALL
                    SELECT 4, t.slug || ' ' || a.actor_name || ' ' || a.action || ' ' || count(*)
                      FROM audit_logs a JOIN tenants t ON t.id = a.tenant_id WHERE a.actor_kind = 'system'
                     GROUP BY t.slug, a.actor_name, a.action) AS lines
                 ORDER BY part, line
                """)
        }
    }

    @Test func oneAlertUntilItRecovers() async throws {
        try await Self.on { database in
            #expect(try await Self.look(database) == 1)
            #expect(try await Self.look(database) == 0, "once is enough")
            let south = [
                "south warning firing", "south alert.raised 1", "south stock.low 1",
                "south email southern@example.com 1",
                "south low-stock alert.raised 1",
            ]
            #expect(try await Self.told(database) == south)
            try await Self.move(1, in: "south", database)
            #expect(try await Self.look(database) == 0, "what is at its bound is low still")
            try await Self.move(1, in: "south", database)
            #expect(try await Self.look(database) == 1)
            #expect(try await Self.look(database) == 0)
            #expect(
                try await Self.told(database) == [
                    "south warning resolved over", "south alert.raised 1", "south alert.resolved 1",
                    "south stock.low 1",
                    "south stock.recovered 1", "south email southern@example.com 1", "south low-stock alert.raised 1",
                    "south low-stock alert.resolved 1",
                ])
            try await Self.move(-6, in: "south", database)
            #expect(try await Self.look(database) == 1)
            #expect(
                try await Self.told(database).prefix(2) == ["south critical firing", "south warning resolved over"])
        }
    }

    @Test func whoIsToldAndOfWhat() async throws {
        try await Self.on { database in
            try await Self.move(-1, in: "north", database)
            #expect(try await Self.look(database) == 2)
            let told = try await Self.told(database).filter { $0.hasPrefix("north") }
            #expect(
                told == [
                    "north warning firing", "north alert.raised 1", "north stock.low 1",
                    "north email ana@north.example 1",
                    "north whatsapp +34600000001 1", "north whatsapp +34600000002 1", "north low-stock alert.raised 1",
                ])
            let details: [String] = try await database.asSuperuser { connection in
                try await connection.all(
                    """
                    SELECT a.subject_name || ' ' || (a.detail || jsonb_build_object('event', e.data))::text
                      FROM alerts a JOIN tenants t ON t.id = a.tenant_id JOIN events e ON e.tenant_id = a.tenant_id AND e.type = 'stock.low'
                     WHERE t.slug = 'north' AND e.data ->> 'product_id' = a.subject_id::text
                    """)
            }
            let detail = try #require(details.first)
            #expect(detail.hasPrefix("A-1 Apples {"))
            #expect(!detail.contains(#""stock""#), "the sum over all sites is not for those who are limited to some")
            for part in [#""min_stock": "5""#, #""unit": "kg""#, #""sku": "A-1""#] {
                #expect(detail.components(separatedBy: part).count == 3, "\(detail)")
            }
            let body: String? = try await database.asSuperuser {
                try await $0.first("SELECT body FROM notifications WHERE channel = 'email' AND recipient LIKE 'ana%'")
            }
            #expect(body == "A-1 Apples is low: 5 kg, at least 5 are wanted.\n")
        }
    }

    /// Somebody says it is resolved while there is still too little: that raises nothing anew, and recovery is told all the same.
    @Test func resolvedByHandItStaysUntilItRecovers() async throws {
        try await Testbed.run { bed in
            try await bed.database.asSuperuser { try await $0.execute(script: Self.goods) }
            #expect(try await Self.look(bed.database) == 1)
            let token = try await bed.token(TwoTenants.southern)
            let id = try #require(try await bed.get("/api/v1/alerts", as: token).data.texts("id").first)
            let resolved = try await bed.post("/api/v1/alerts/\(id)/resolve", "", as: token)
            #expect(resolved.json["status"] as? String == "resolved" && resolved.json["recovered_at"] is NSNull)
            #expect(try await Self.look(bed.database) == 0)
            try await Self.move(10, in: "south", bed.database)
            #expect(try await Self.look(bed.database) == 1)
            let alert = try await bed.get("/api/v1/alerts/\(id)", as: token).json
            #expect(alert["recovered_at"] is String)
            #expect(alert["resolved_by"] as? String == "southern@example.com")
            let told = try await Self.told(bed.database)
            #expect(told.contains("south alert.resolved 1") && told.contains("south stock.recovered 1"))
            try await Self.move(-10, in: "south", bed.database)
            #expect(try await Self.look(bed.database) == 1)
            #expect(try await bed.get("/api/v1/alerts", as: token).data.texts("status") == ["firing", "resolved"])
        }
    }

    @Test(arguments: ["deleted_at = now()", "is_active = false", "min_stock = 0"])
    func whatNobodyWatchesHasRecovered(_ change: String) async throws {
        try await Self.on { database in
            #expect(try await Self.look(database) == 1)
            try await database.asSuperuser { try await $0.execute(script: "UPDATE products SET \(change)") }
            #expect(try await Self.look(database) == 1)
            #expect(try await Self.told(database).first == "south warning resolved over")
        }
    }

    @Test func manyAtOnceRaiseAndResolveOnce() async throws {
        try await Self.on { database in
            try await database.asSuperuser { connection in
                try await connection.execute(
                    script: """
                        INSERT INTO products (tenant_id, id, sku, name, unit, price, currency, min_stock)
                        SELECT t.id, gen_random_uuid(), 'M-' || i, 'Many', 'kg', 2, 'EUR', 5 FROM tenants t, generate_series(1, 450) AS i
                         WHERE t.slug IN ('north', 'south');
                        """)
            }
            for isRaised in [true, false] {
                try await database.withPool(as: .system, maxConnections: 6) { pool in
                    try await withThrowingTaskGroup { group in
                        for _ in 0..<6 {
                            group.addTask { try await LowStock(database: pool, logger: .silent).run(at: .now()) }
                        }
                        let changed = try await group.reduce(0, +)
                        let rest = try await LowStock(database: pool, logger: .silent).run(at: .now())
                        #expect(changed + rest == 901)
                    }
                }
                let counts: [Int64] = try await database.asSuperuser { connection in
                    try await connection.all(
                        """
                        SELECT count(*) FROM alerts WHERE recovered_at IS NULL UNION ALL
                        SELECT count(*) FROM events WHERE type = 'stock.low' UNION ALL
                        SELECT count(*) FROM events WHERE type = 'stock.recovered'
                        """)
                }
                #expect(counts == (isRaised ? [901, 901, 0] : [0, 901, 901]))
                try await database.asSuperuser { try await $0.execute(script: "UPDATE products SET min_stock = 0") }
            }
            let letters: Int64? = try await database.asSuperuser {
                try await $0.first("SELECT count(*) FROM notifications WHERE recipient = 'southern@example.com'")
            }
            #expect((1...24).contains(letters ?? 0), "one letter of what is found together")
        }
    }

    /// Where nothing changed it costs what is watched, however much else there is.
    @Test func lookingCostsWhatIsWatched() async throws {
        try await Self.on { database in
            try await database.asSuperuser { connection in
                try await connection.execute(
                    script: """
                        INSERT INTO products (tenant_id, id, sku, name, unit, price, currency)
                        SELECT t.id, gen_random_uuid(), 'L-' || i, 'Lots', 'kg', 2, 'EUR' FROM tenants t, generate_series(1, 20000) AS i
                         WHERE t.slug = 'north';
                        INSERT INTO stock_movements (tenant_id, id, product_id, site_id, quantity, kind, actor_kind, actor_name)
                        SELECT s.tenant_id, gen_random_uuid(), p.id, s.id, 4, 'receipt', 'system', 'tests'
                          FROM sites s JOIN products p ON p.tenant_id = s.tenant_id AND p.name = 'Lots' WHERE s.code = 'T01';
                        ANALYZE products, stock_levels, alerts;
                        """)
            }
            let tenant = try await database.asSuperuser {
                try #require(try await $0.first(Tenant.bySlug("north")))
            }
            let asked = StockNews.all(limit: 200, in: tenant.id).erased
            let plan = try await database.withPool(as: .system) { pool in
                try await pool.withTenant(tenant) { tx in
                    let explained = AnyStatement(
                        sql: "EXPLAIN (ANALYZE, BUFFERS) " + asked.sql, parameters: asked.parameters)
                    return try await tx.pipeline([explained])[0].rows(as: String.self).joined(separator: "\n")
                }
            }
            #expect(plan.contains("products_watched"), "\(plan)")
            let blocks = plan.firstMatch(of: /shared hit=(\d+)/).flatMap { Int($0.1) }
            #expect((1...100).contains(blocks ?? 0), "\(plan)")
        }
    }
}
