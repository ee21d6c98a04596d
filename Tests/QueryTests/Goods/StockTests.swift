import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct StockTests {
    @Test func movementsMakeLevels() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let nails = try await bed.product("NAIL", as: token)
            #expect(try await bed.level(nails, as: token) == nil)
            let receipt = try await bed.move(
                nails, "receipt", "12.5", at: TwoTenants.t01, ",\"reason\":\"Count\",\"reference\":\"D-1\"", as: token)
            #expect(receipt.status == .created && receipt.json["quantity"] as? String == "12.5", "\(receipt.text)")
            #expect((receipt.json["actor"] as? [String: Any])?["name"] as? String == "owner@example.com")
            #expect(try await bed.move(nails, "issue", "2", as: token).json["quantity"] as? String == "-2")
            #expect(try await bed.move(nails, "adjustment", "-0.5", as: token).status == .created)
            #expect(try await bed.move(nails, "receipt", "5", at: TwoTenants.t02, as: token).status == .created)
            #expect(try await bed.level(nails, as: token) == "10")
            let product = try await bed.get("/api/v1/products/\(nails)", as: token)
            #expect(product.json["stock"] as? String == "15" && product.json["price"] as? String == "2.50")
            #expect((product.json["stock_by_site"] as? [[String: Any]] ?? []).texts("quantity") == ["10", "5"])
            // Who is limited to T02 sees what is there.
            let limited = try await bed.token(TwoTenants.limited)
            let seen = try await bed.get("/api/v1/products/\(nails)", as: limited)
            #expect(seen.json["stock"] as? String == "5", "\(seen.text)")
            #expect(try await bed.get("/api/v1/stock-movements?product_id=\(nails)", as: limited).data.count == 1)
            #expect(try await bed.brokenLaws() == 0)
        }
    }

    @Test func nothingFallsBelowZero() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let nails = try await bed.product("NAIL", stock: 3, as: token)
            for (kind, quantity) in [("issue", "3.001"), ("adjustment", "-4")] {
                let refused = try await bed.move(nails, kind, quantity, as: token)
                #expect(refused.status == .conflict && refused.code == "insufficient_stock")
                #expect((refused.json["short"] as? [[String: Any]] ?? []).texts("available") == ["3"])
            }
            for (kind, quantity, fault) in [
                ("issue", "-1", "quantity: out_of_range"), ("receipt", "0", "quantity: out_of_range"),
                ("adjustment", "0", "quantity: out_of_range"), ("vale", "1", "kind: not_allowed"),
                ("transfer_in", "1", "kind: not_allowed"), ("gift", "1", "kind: unknown_value"),
                ("receipt", "99999999999.999", "quantity: out_of_range"),
                ("receipt", "1e-9223372036854775808", "quantity: invalid_amount"),
                ("receipt", "NaN", "quantity: invalid_amount"), ("receipt", "1e400", "quantity: invalid_amount"),
            ] {
                let refused = try await bed.move(nails, kind, quantity, as: token)
                #expect(
                    refused.status == .unprocessableContent && refused.faults.contains(fault),
                    "\(fault) \(refused.text)")
            }
            let answers = try await Testbed.all(20) { _ in try await bed.move(nails, "issue", "1", as: token).status }
            #expect(answers.count { $0 == .created } == 3 && answers.count { $0 == .conflict } == 17)
            #expect(try await bed.brokenLaws() == 0)
        }
    }

    @Test func transfersHaveBothLegsOrNone() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let nails = try await bed.product("NAIL", stock: 10, as: token)
            @Sendable func transfer(_ from: UUID, _ to: UUID, _ quantity: String, _ more: String = "") async throws
                -> Answered
            {
                try await bed.post(
                    "/api/v1/stock-transfers",
                    """
                    {"product_id":"\(nails)","from_site_id":"\(from)","to_site_id":"\(to)","quantity":"\(quantity)"\(more)}
                    """, as: token)
            }
            let made = try await transfer(TwoTenants.t01, TwoTenants.t02, "4", ",\"request_id\":\"t\"")
            #expect(made.status == .created, "\(made.text)")
            let legs = made.json["movements"] as? [[String: Any]] ?? []
            #expect(legs.texts("kind") == ["transfer_out", "transfer_in"] && legs.texts("quantity") == ["-4", "4"])
            #expect(try await transfer(TwoTenants.t01, TwoTenants.t02, "4", ",\"request_id\":\"t\"").status == .ok)
            let id = try #require(made.json["id"] as? String)
            #expect(try await bed.get("/api/v1/stock-transfers/\(id)", as: token).text == made.text)
            // Whoever is limited to one of the sites hears of that one alone.
            let limited = try await bed.token(TwoTenants.limited)
            let heard = try await bed.get("/api/v1/events?type=stock.moved", as: limited)
            #expect(heard.data.compactMap { ($0["data"] as? [String: Any])?["kind"] as? String } == ["transfer_in"])
            #expect(!heard.text.contains(TwoTenants.t01.lowercaseString), "\(heard.text)")
            #expect(try await transfer(TwoTenants.t01, TwoTenants.t02, "7").code == "insufficient_stock")
            #expect(try await transfer(TwoTenants.t01, TwoTenants.t01, "1").faults == ["to_site_id: same_site"])
            #expect(try await transfer(TwoTenants.t01, TwoTenants.southernStore, "1").faults == ["to_site_id: unknown"])
            // To and fro at once: nothing is lost, and nobody waits for ever.
            let statuses = try await Testbed.all(40) { index in
                try await transfer(
                    index.isMultiple(of: 2) ? TwoTenants.t01 : TwoTenants.t02,
                    index.isMultiple(of: 2) ? TwoTenants.t02 : TwoTenants.t01, "1"
                ).status
            }
            #expect(statuses.allSatisfy { $0 == .created || $0 == .conflict }, "\(Set(statuses.map(\.code)))")
            #expect(try await bed.get("/api/v1/products/\(nails)", as: token).json["stock"] as? String == "10")
            #expect(try await bed.brokenLaws() == 0)
        }
    }

    @Test func theDatabaseKeepsTheLedgerItself() async throws {
        try await Testbed.run { bed in
            try await bed.database.withPool(as: .query) { pool in
                let tenant = try #require(try await pool.lookUp(Tenant.bySlug("north")).first)
                let (product, site) = (TwoTenants.product, TwoTenants.t01)
                let insert = "(tenant_id, id, product_id, site_id, quantity, kind, actor_kind, actor_name)" as Fragment
                let values = "VALUES (\(tenant.id), gen_random_uuid(), \(product), \(site)" as Fragment
                for (command, state) in [
                    ("UPDATE stock_levels SET quantity = quantity + 1 WHERE tenant_id = \(tenant.id)", "42501"),
                    (
                        "INSERT INTO stock_levels (tenant_id, product_id, site_id, quantity) VALUES (\(tenant.id), \(product), \(TwoTenants.p01), 1)",
                        "42501"
                    ),
                    ("UPDATE stock_movements SET quantity = 1 WHERE tenant_id = \(tenant.id)", "42501"),
                    ("DELETE FROM stock_movements WHERE tenant_id = \(tenant.id)", "42501"),
                    ("UPDATE vales SET number = 1 WHERE tenant_id = \(tenant.id)", "42501"),
                    ("UPDATE vale_numbers SET last = 1 WHERE tenant_id = \(tenant.id)", "42501"),
                    ("INSERT INTO stock_movements \(insert) \(values), -1000000, 'issue', 'user', 'x')", "23514"),
                    ("INSERT INTO stock_movements \(insert) \(values), 1, 'issue', 'user', 'x')", "23514"),
                    ("INSERT INTO stock_movements \(insert) \(values), 1, 'transfer_in', 'user', 'x')", "23514"),
                    ("INSERT INTO stock_movements \(insert) \(values), 0, 'adjustment', 'user', 'x')", "23514"),
                    (
                        "UPDATE vales SET status = 'issued', delivered_at = now() WHERE tenant_id = \(tenant.id)",
                        "23514"
                    ),
                ] as [(Command, String)] {
                    let error = await #expect(throws: (any Error).self) {
                        _ = try await pool.withTenant(tenant) { tx in try await tx.run(command) }
                    }
                    #expect(error?.postgresError?.sqlState == state, "\(command.sql): \(String(describing: error))")
                }
            }
            #expect(try await bed.brokenLaws() == 0)
        }
    }

    @Test func whatIsLowIsListed() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let watched = ",\"min_stock\":\"5\""
            let low = try await bed.product("LOW", stock: 5, at: TwoTenants.t01, watched, as: token)
            _ = try await bed.product("ENOUGH", stock: 6, at: TwoTenants.t01, watched, as: token)
            let none = try await bed.product("NONE", stock: 0, at: TwoTenants.t01, watched, as: token)
            _ = try await bed.product("UNWATCHED", as: token)
            _ = try await bed.product(
                "RETIRED", stock: 0, at: TwoTenants.t01, watched + ",\"is_active\":false", as: token)
            let found = try await bed.get("/api/v1/stock-movements/low-stock", as: token)
            #expect(found.data.texts("id") == [low, none], "\(found.text)")
            let first = try await bed.get("/api/v1/stock-movements/low-stock?limit=1", as: token)
            let cursor = try #require(first.json["next_cursor"] as? String)
            let second = try await bed.get("/api/v1/stock-movements/low-stock?limit=1&cursor=\(cursor)", as: token)
            #expect(second.data.texts("id") == [none] && second.json["next_cursor"] is NSNull)
        }
    }

    /// What is kept, or may come back, can't be deleted from under it.
    @Test func whatHoldsGoodsStays() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let nails = try await bed.product("NAIL", stock: 1, at: TwoTenants.p01, as: token)
            #expect(try await bed.send(.delete, "/api/v1/products/\(nails)", nil, as: token).code == "product_in_use")
            #expect(
                try await bed.send(.delete, "/api/v1/sites/P01?cancel_reservations=true", nil, as: token).code
                    == "has_goods")
            let vale = try await bed.post("/api/v1/vales", Testbed.vale([(nails, "1")], at: TwoTenants.p01), as: token)
            let id = try #require(vale.json["id"] as? String)
            #expect(try await bed.send(.delete, "/api/v1/products/\(nails)", nil, as: token).code == "product_in_use")
            #expect(
                try await bed.send(.delete, "/api/v1/sites/P01?cancel_reservations=true", nil, as: token).code
                    == "has_goods")
            #expect(try await bed.post("/api/v1/vales/\(id)/deliver", "", as: token).status == .ok)
            #expect(try await bed.send(.delete, "/api/v1/products/\(nails)", nil, as: token).status == .noContent)
            #expect(
                try await bed.send(.delete, "/api/v1/sites/P01?cancel_reservations=true", nil, as: token).status
                    == .noContent)
            #expect(
                try await bed.send(.delete, "/api/v1/suppliers/\(TwoTenants.supplier)", nil, as: token).code
                    == "supplier_in_use")
            // The number on the shelf is free again.
            #expect(try await bed.product("NAIL", as: token) != nails)
            let twice = try await bed.post(
                "/api/v1/products",
                "{\"sku\":\"NAIL\",\"name\":\"N\",\"unit\":\"kg\",\"price\":1,\"currency\":\"EUR\"}", as: token)
            #expect(twice.status == .conflict)
        }
    }

    /// Deletions race with what needs the thing to be there: one of the two is refused, and no goods are left behind.
    @Test func deletionsRaceWithMovements() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            for round in 0..<6 {
                let product = try await bed.product("RACE\(round)", as: token)
                let statuses = try await Testbed.all(6) { index in
                    index == 0
                        ? try await bed.send(.delete, "/api/v1/products/\(product)", nil, as: token).status
                        : try await bed.move(product, "receipt", "1", as: token).status
                }
                let isDeleted = try await bed.get("/api/v1/products/\(product)", as: token).status == .notFound
                let level = try await bed.level(product, as: token)
                #expect(isDeleted ? level == nil : level != nil, "\(statuses.map(\.code)) \(level ?? "none")")
            }
        }
    }
}
