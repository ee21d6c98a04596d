import Foundation
import HTTPTypes
import Postgres
import Support
import Testing

@testable import Query

@Suite struct ValeTests {
    @Test func takesGoodsAndGivesThemBackExactly() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let (nails, glue) = (
                try await bed.product("NAIL", stock: 10, as: token), try await bed.product("GLUE", stock: 4, as: token)
            )
            let made = try await bed.post(
                "/api/v1/vales",
                Testbed.vale(
                    [(nails, "2"), (glue, "1.5"), (nails, "1")], at: TwoTenants.t01, ",\"requested_by\":\"Ana\""),
                as: token)
            #expect(made.status == .created, "\(made.text)")
            let lines = made.json["lines"] as? [[String: Any]] ?? []
            #expect(lines.texts("quantity") == ["3", "1.5"], "the same product twice is added up")
            #expect(made.json["status"] as? String == "issued" && made.json["requested_by"] as? String == "Ana")
            let id = try #require(made.json["id"] as? String)
            #expect(made.headers[.location] == "/api/v1/vales/\(id)")
            #expect(try await bed.level(nails, as: token) == "7")
            #expect(try await bed.level(glue, as: token) == "2.5")
            // By the difference: two nails back, one more glue, and something that was not on it.
            let other = try await bed.product("TAPE", stock: 1, as: token)
            let put = try await bed.send(
                .put, "/api/v1/vales/\(id)", Testbed.vale([(other, "1"), (nails, "1"), (glue, "2.5")]), as: token)
            #expect(put.status == .ok, "\(put.text)")
            #expect((put.json["lines"] as? [[String: Any]] ?? []).texts("product_id") == [other, nails, glue])
            #expect(try await bed.level(nails, as: token) == "9")
            #expect(try await bed.level(glue, as: token) == "1.5")
            #expect(try await bed.level(other, as: token) == "0")
            let kinds = try await bed.get("/api/v1/stock-movements?product_id=\(nails)", as: token).data
            #expect(
                kinds.texts("kind") == ["vale_return", "vale", "receipt"]
                    && kinds.texts("quantity") == ["2", "-3", "10"])
            let cancelled = try await bed.post("/api/v1/vales/\(id)/cancel", "", as: token)
            #expect(cancelled.json["status"] as? String == "cancelled", "\(cancelled.text)")
            #expect(try await bed.post("/api/v1/vales/\(id)/cancel", "", as: token).text == cancelled.text, "once")
            for (product, whole) in [(nails, "10"), (glue, "4"), (other, "1")] {
                #expect(try await bed.level(product, as: token) == whole)
            }
            #expect(try await bed.post("/api/v1/vales/\(id)/deliver", "", as: token).code == "invalid_status")
            #expect(try await bed.brokenLaws() == 0)
        }
    }

    @Test func deliveredIsFinalAndDeletedGivesBack() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let nails = try await bed.product("NAIL", stock: 10, as: token)
            let body = Testbed.vale([(nails, "2")])
            let ids = try await [
                bed.post("/api/v1/vales", body, as: token), bed.post("/api/v1/vales", body, as: token),
            ]
            .map { try #require($0.json["id"] as? String) }
            let delivered = try await bed.post("/api/v1/vales/\(ids[0])/deliver", "", as: token)
            #expect(delivered.json["status"] as? String == "delivered" && delivered.json["delivered_at"] is String)
            #expect(try await bed.post("/api/v1/vales/\(ids[0])/deliver", "", as: token).text == delivered.text)
            #expect(try await bed.post("/api/v1/vales/\(ids[0])/cancel", "", as: token).status == .conflict)
            #expect(try await bed.send(.put, "/api/v1/vales/\(ids[0])", body, as: token).status == .conflict)
            #expect(try await bed.send(.delete, "/api/v1/vales/\(ids[0])", nil, as: token).status == .conflict)
            #expect(try await bed.send(.delete, "/api/v1/vales/\(ids[1])", nil, as: token).status == .noContent)
            #expect(try await bed.get("/api/v1/vales/\(ids[1])", as: token).status == .notFound)
            #expect(try await bed.level(nails, as: token) == "8")
            let next = try await bed.post("/api/v1/vales", body, as: token)
            let numbers = try await bed.get("/api/v1/vales", as: token).data.compactMap { $0["number"] as? Int }
            #expect(next.json["number"] as? Int == 6 && numbers == [6, 4, 3, 2, 1], "a deleted one keeps its number")
            #expect(try await bed.brokenLaws() == 0)
        }
    }

    @Test func namesEachThatIsShort() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let (nails, glue) = (
                try await bed.product("NAIL", stock: 3, as: token), try await bed.product("GLUE", as: token)
            )
            let refused = try await bed.post(
                "/api/v1/vales",
                Testbed.vale([(TwoTenants.product.uuidString, "1"), (nails, "2"), (glue, "1"), (nails, "2")]),
                as: token)
            #expect(refused.status == .conflict && refused.code == "insufficient_stock")
            let short = refused.json["short"] as? [[String: Any]] ?? []
            #expect(Set(short.texts("product_id")) == [nails, glue] && Set(short.texts("available")) == ["3", "0"])
            #expect(
                Set(refused.faults) == [
                    "lines[1].product_id: insufficient_stock", "lines[2].product_id: insufficient_stock",
                ])
            #expect(try await bed.level(nails, as: token) == "3")
            #expect(
                try await bed.get("/api/v1/vales", as: token).data.count == 3, "those of the fixture: no number is lost"
            )
            #expect(try await bed.brokenLaws() == 0)
        }
    }

    @Test func refusesWhatItCannotBe() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let product = TwoTenants.product.uuidString
            for (body, fault) in [
                (Testbed.vale([]), "lines: invalid_length"),
                (Testbed.vale((0..<101).map { _ in (product, "1") }), "lines: invalid_length"),
                (Testbed.vale([(product, "0")]), "lines[0].quantity: out_of_range"),
                (Testbed.vale([(product, "-1")]), "lines[0].quantity: out_of_range"),
                (Testbed.vale([(product, "0.0001")]), "lines[0].quantity: invalid_amount"),
                (Testbed.vale([(product, "99999999999"), (product, "1")]), "lines[1].quantity: out_of_range"),
                (Testbed.vale([(UUID().uuidString, "1")]), "lines[0].product_id: unknown"),
                (Testbed.vale([(TwoTenants.southernProduct.uuidString, "1")]), "lines[0].product_id: unknown"),
                (Testbed.vale([(product, "1")], at: TwoTenants.southernStore), "site_id: unknown"),
                (Testbed.vale([(product, "1")], at: TwoTenants.t01, ",\"status\":\"delivered\""), "status: immutable"),
                ("{\"site_id\":\"\(TwoTenants.t01)\",\"lines\":[1]}", "lines[0]: wrong_type"),
                ("{\"site_id\":\"\(TwoTenants.t01)\",\"lines\":{}}", "lines: wrong_type"),
                (
                    "{\"site_id\":\"\(TwoTenants.t01)\",\"lines\":[{\"product_id\":\"\(product)\",\"quantity\":1,\"x\":1}]}",
                    "lines[0].x: unknown_field"
                ),
            ] {
                let refused = try await bed.post("/api/v1/vales", body, as: token)
                #expect(
                    refused.status == .unprocessableContent && refused.faults.contains(fault),
                    "\(fault): \(refused.text)")
            }
            #expect(
                try await bed.send(.patch, "/api/v1/products/\(product)", "{\"is_active\":false}", as: token).status
                    == .ok)
            let inactive = try await bed.post("/api/v1/vales", Testbed.vale([(product, "1")]), as: token)
            #expect(inactive.faults == ["lines[0].product_id: inactive"])
            // What is on a vale already may stay on it.
            let kept = try await bed.send(.patch, "/api/v1/vales/\(TwoTenants.vale)", "{\"note\":\"N\"}", as: token)
            #expect(kept.status == .ok, "\(kept.text)")
        }
    }

    @Test func ofAHundredForTheLastTenTenSucceed() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let last = try await bed.product("LAST", stock: 10, as: token)
            let answers = try await Testbed.all(100) { _ in
                try await bed.post("/api/v1/vales", Testbed.vale([(last, "1")]), as: token)
            }
            #expect(answers.count { $0.status == .created } == 10)
            let refused = answers.filter { $0.code == "insufficient_stock" }
            #expect(refused.count == 90 && refused.allSatisfy { $0.status == .conflict && $0.text.contains("LAST") })
            let numbers = answers.compactMap { $0.json["number"] as? Int }
            #expect(Set(numbers) == Set(4...13), "without gaps")
            #expect(try await bed.level(last, as: token) == "0")
            #expect(try await bed.brokenLaws() == 0)
        }
    }

    @Test func aHundredTimesTheSameIsOnce() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let nails = try await bed.product("NAIL", stock: 10, as: token)
            let body = Testbed.vale([(nails, "1")], at: TwoTenants.t01, ",\"request_id\":\"one\"")
            let answers = try await Testbed.all(100) { _ in try await bed.post("/api/v1/vales", body, as: token) }
            #expect(answers.count { $0.status == .created } == 1 && answers.count { $0.status == .ok } == 99)
            #expect(Set(answers.map(\.text)).count == 1)
            #expect(try await bed.level(nails, as: token) == "9")
            let other = try await bed.post("/api/v1/vales", body.replacing("\"1\"", with: "\"2\""), as: token)
            #expect(other.status == .unprocessableContent && other.code == "key_reused")
            // A member of another site, who can't know that vale, learns nothing of it by its key.
            try await bed.promote(TwoTenants.limited, to: "owner")
            let limited = try await bed.post("/api/v1/vales", body, as: try await bed.token(TwoTenants.limited))
            #expect(limited.faults == ["site_id: unknown"], "\(limited.text)")
            // Another tenant's key is another key.
            let southern = try await bed.token(TwoTenants.southern)
            let theirs = Testbed.vale(
                [(TwoTenants.southernProduct.uuidString, "1")], at: TwoTenants.southernStore, ",\"request_id\":\"one\"")
            #expect(try await bed.post("/api/v1/vales", theirs, as: southern).status == .created)
        }
    }

    /// In whatever order lines are named, edited and given back, none waits for ever: deadlocks would be 503s, or retries that hide them.
    @Test func oppositeOrdersNeverDeadlock() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            var products: [String] = []
            for index in 0..<4 { products.append(try await bed.product("P\(index)", stock: 1_000, as: token)) }
            let before = try await bed.deadlocks()
            let statuses = try await Testbed.all(24) { [products] index -> [HTTPResponse.Status] in
                var random = SplitMix(state: UInt64(index))
                var statuses: [HTTPResponse.Status] = []
                for _ in 0..<6 {
                    let lines = products.shuffled(using: &random).map { (product: $0, quantity: "1") }
                    let made = try await bed.post("/api/v1/vales", Testbed.vale(lines), as: token)
                    guard let id = made.json["id"] as? String else { return [made.status] }
                    let fewer = Testbed.vale(Array(lines.shuffled(using: &random).prefix(2)))
                    statuses.append(try await bed.send(.put, "/api/v1/vales/\(id)", fewer, as: token).status)
                    statuses.append(try await bed.post("/api/v1/vales/\(id)/cancel", "", as: token).status)
                }
                return statuses
            }
            #expect(statuses.flatMap(\.self).allSatisfy { $0 == .ok } && statuses.allSatisfy { $0.count == 12 })
            #expect(try await bed.deadlocks() == before)
            for product in products { #expect(try await bed.level(product, as: token) == "1000") }
            #expect(try await bed.brokenLaws() == 0)
        }
    }
}

extension Testbed {
    /// Since the server began, in this database.
    fileprivate func deadlocks() async throws -> Int64 {
        try await database.asSuperuser { connection in
            try await connection.run("SELECT pg_stat_force_next_flush()")
            return try await connection.first(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") ?? 0
        }
    }
}
