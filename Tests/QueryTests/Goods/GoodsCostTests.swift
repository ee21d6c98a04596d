import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Query

/// What lists of goods read, in blocks of 8 KiB: no more when a million came before.
@Suite(.serialized) struct GoodsCostTests {
    /// So many movements, vales, purchase requests and events of north, of ten products at T01 and, one in ten, T02. As a superuser who
    /// skips triggers and foreign keys: what is measured is reading.
    private static func plant(_ database: MigratedDatabase, from first: Int32, through last: Int32) async throws {
        try await database.asSuperuser { connection in
            try await connection.run("SET session_replication_role = replica")
            for command in rows(first, last) { try await connection.run(command) }
            try await connection.run("SET session_replication_role = origin")
            try await connection.execute(script: "VACUUM ANALYZE")
        }
    }

    private static func rows(_ first: Int32, _ last: Int32) -> [Command] {
        let series: Fragment = "tenants t, generate_series(\(first), \(last)) AS i WHERE t.slug = 'north'"
        let id: Fragment = "('0b000000-0000-7000-8001-' || lpad(to_hex(i), 12, '0'))::uuid"
        let site: Fragment = "CASE WHEN i % 10 = 0 THEN \(TwoTenants.t02) ELSE \(TwoTenants.t01) END"
        let product: Fragment = "('0a000000-0000-7000-8000-0000000000' || lpad(to_hex(i % 10), 2, '0'))::uuid"
        return [
            """
            INSERT INTO stock_movements (tenant_id, id, product_id, site_id, quantity, kind, actor_kind, actor_name)
            SELECT t.id, \(id), \(product), \(site), 1, 'receipt', 'system', 'tests' FROM \(series)
            """,
            """
            INSERT INTO vales (tenant_id, id, number, site_id, status, delivered_at)
            SELECT t.id, \(id), i + 10, \(site), CASE WHEN i % 200 = 0 THEN 'issued' ELSE 'delivered' END,
                   CASE WHEN i % 200 <> 0 THEN now() END FROM \(series)
            """,
            """
            INSERT INTO vale_lines (tenant_id, vale_id, product_id, position, quantity, price, currency)
            SELECT t.id, \(id), \(product), 0, 1, 1, 'EUR' FROM \(series) AND i % 10 = 0
            """,
            """
            INSERT INTO purchase_requests (tenant_id, id, site_id, status, currency, requester_id)
            SELECT t.id, \(id), \(site), CASE WHEN i % 200 = 0 THEN 'draft' ELSE 'received' END, 'EUR', \(id) FROM \(series) AND i % 10 = 0
            """,
            """
            INSERT INTO events (tenant_id, id, type, site_id, data, position)
            SELECT t.id, \(id), CASE WHEN i % 10 = 0 THEN 'stock.moved' ELSE 'vale.created' END, \(site), '{}', i + 1 FROM \(series)
            """,
        ]
    }

    private typealias Costs = [String: Int]

    private static func costs(_ database: MigratedDatabase) async throws -> Costs {
        let owner = Principal(kind: .user, id: UUID(), name: "o", scopes: Role.owner.scopes)
        var ofSite = Vale.Filter()
        ofSite.sites = References(["T02"])
        var open = Vale.Filter()
        open.statuses = [.issued]
        var movementsOf = StockMovement.Filter()
        movementsOf.products = [TwoTenants.product]
        var movementsAt = StockMovement.Filter()
        movementsAt.sites = References(["T02"])
        var drafts = PurchaseRequest.Filter()
        drafts.statuses = [.draft]
        let limited = { @Sendable (scope: TenantScope) in TenantScope(scope.tenantID, sites: [TwoTenants.t02]) }
        let events = Event.Filter(for: owner)
        return [
            "vales": try await database.cost { Vale.page(.init(), after: nil, limit: 51, in: $0) },
            "later vales": try await database.cost { Vale.page(.init(), after: 5_000, limit: 51, in: $0) },
            "vales of a site": try await database.cost { [ofSite] in Vale.page(ofSite, after: nil, limit: 51, in: $0) },
            "open vales": try await database.cost { [open] in Vale.page(open, after: nil, limit: 51, in: $0) },
            "vales for one who is limited": try await database.cost {
                Vale.page(.init(), after: nil, limit: 51, in: limited($0))
            },
            "movements": try await database.cost { StockMovement.page(.init(), after: nil, limit: 51, in: $0) },
            "movements of a product": try await database.cost { [movementsOf] in
                StockMovement.page(movementsOf, after: nil, limit: 51, in: $0)
            },
            "movements at a site": try await database.cost { [movementsAt] in
                StockMovement.page(movementsAt, after: nil, limit: 51, in: $0)
            },
            "purchase requests": try await database.cost {
                PurchaseRequest.page(.init(), after: nil, limit: 51, in: $0)
            },
            "drafts": try await database.cost { [drafts] in PurchaseRequest.page(drafts, after: nil, limit: 51, in: $0)
            },
            "products": try await database.cost { Product.page(.init(), after: nil, limit: 51, in: $0) },
            "what is low": try await database.cost { Product.page(.init(isLow: true), after: nil, limit: 51, in: $0) },
            "levels": try await database.cost {
                StockLevel.page(products: [], sites: .init(), after: nil, limit: 51, in: $0)
            },
            "events": try await database.cost { Event.page(events, before: nil, limit: 51, in: $0) },
            "later events": try await database.cost {
                Event.next(events, after: 500, upTo: 100_000_000, limit: 200, in: $0)
            },
            "a vale": try await database.cost { Vale.find(TwoTenants.vale, in: $0) },
        ]
    }

    @Test(.timeLimit(.minutes(5))) func listsAreFlatAsHistoryGrows() async throws {
        try await TwoTenants.withDatabase { database in
            try await Self.plant(database, from: 1, through: 20_000)
            let before = try await Self.costs(database)
            for (list, blocks) in before { #expect(blocks < 800, "\(list): \(blocks)") }
            try await Self.plant(database, from: 20_001, through: 1_000_000)
            let after = try await Self.costs(database)
            for (list, blocks) in before {
                #expect(after[list] ?? .max <= blocks * 3 / 2 + 30, "\(list): \(blocks), then \(after[list] ?? -1)")
            }
        }
    }
}
