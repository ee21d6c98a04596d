import Foundation
import HTTPTypes
import Support
import Testing

@testable import Query

@Suite struct PurchaseRequestTests {
    private static func body(_ lines: String, at site: UUID = TwoTenants.t01, _ more: String = "") -> String {
        "{\"site_id\":\"\(site)\",\"lines\":[\(lines)]\(more)}"
    }

    private static func line(_ product: String, _ quantity: String, _ more: String = "") -> String {
        "{\"product_id\":\"\(product)\",\"quantity\":\"\(quantity)\"\(more)}"
    }

    /// One that was approved.
    private static func approved(_ lines: String, in bed: Testbed, as token: String) async throws -> String {
        let made = try await bed.post("/api/v1/purchase-requests", body(lines), as: token)
        let id = try #require(made.json["id"] as? String, "\(made.text)")
        for step in ["submit", "approve"] {
            #expect(try await bed.post("/api/v1/purchase-requests/\(id)/\(step)", "", as: token).status == .ok)
        }
        return id
    }

    @Test func fromDraftToShelf() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let (nails, glue) = (try await bed.product("NAIL", as: token), try await bed.product("GLUE", as: token))
            let made = try await bed.post(
                "/api/v1/purchase-requests",
                Self.body(
                    [
                        Self.line(nails, "10"),
                        Self.line(glue, "2.5", ",\"price\":3.1,\"supplier_id\":\"\(TwoTenants.supplier)\""),
                    ]
                    .joined(separator: ","), at: TwoTenants.t01, ",\"needed_by\":\"2031-02-28\""), as: token)
            #expect(made.status == .created, "\(made.text)")
            #expect(made.json["status"] as? String == "draft" && made.json["total"] as? String == "32.75")
            #expect(made.json["needed_by"] as? String == "2031-02-28" && made.json["currency"] as? String == "EUR")
            let path = "/api/v1/purchase-requests/\(try #require(made.json["id"] as? String))"
            let cheaper = try await bed.send(
                .patch, path, "{\"lines\":[\(Self.line(nails, "12", ",\"price\":\"2\""))]}", as: token)
            #expect(cheaper.json["total"] as? String == "24.00", "\(cheaper.text)")
            #expect(try await bed.post(path + "/receive", "", as: token).code == "invalid_status")
            let submitted = try await bed.post(path + "/submit", "", as: token)
            #expect(submitted.json["status"] as? String == "submitted")
            #expect(try await bed.post(path + "/submit", "", as: token).text == submitted.text)
            #expect(try await bed.send(.patch, path, "{\"note\":\"N\"}", as: token).code == "invalid_status")
            #expect(try await bed.post(path + "/approve", "", as: token).json["status"] as? String == "approved")
            // In parts: each books once, what is too much none.
            let part = "{\"lines\":[\(Self.line(nails, "5"))],\"request_id\":\"truck 1\"}"
            let first = try await bed.post(path + "/receive", part, as: token)
            #expect(first.json["status"] as? String == "approved", "\(first.text)")
            #expect((first.json["lines"] as? [[String: Any]] ?? []).texts("received") == ["5"])
            #expect(try await bed.post(path + "/receive", part, as: token).text == first.text)
            let tooMuch = try await bed.post(path + "/receive", "{\"lines\":[\(Self.line(nails, "8"))]}", as: token)
            #expect(tooMuch.code == "exceeds_ordered" && tooMuch.faults == ["lines[0].quantity: exceeds_ordered"])
            let other = try await bed.post(path + "/receive", "{\"lines\":[\(Self.line(glue, "1"))]}", as: token)
            #expect(other.faults == ["lines[0].product_id: unknown"])
            #expect(try await bed.level(nails, as: token) == "5")
            let rest = try await bed.post(path + "/receive", "", as: token)
            #expect(rest.json["status"] as? String == "received", "\(rest.text)")
            #expect(try await bed.post(path + "/receive", "", as: token).text == rest.text)
            #expect(try await bed.level(nails, as: token) == "12")
            let history = rest.json["history"] as? [[String: Any]] ?? []
            #expect(history.texts("step") == ["create", "change", "submit", "approve", "receive", "receive"])
            #expect(history.texts("status") == ["draft", "draft", "submitted", "approved", "approved", "received"])
            #expect(
                history.compactMap { ($0["actor"] as? [String: Any])?["name"] as? String }.allSatisfy {
                    $0 == "owner@example.com"
                })
            #expect(try await bed.post(path + "/cancel", "", as: token).code == "invalid_status")
            #expect(try await bed.send(.delete, path, nil, as: token).code == "invalid_status")
            #expect(try await bed.brokenLaws() == 0)
        }
    }

    @Test func nobodyButAnOwnerApprovesTheirOwn() async throws {
        try await Testbed.run(accessTimeToLive: .zero) { bed in
            try await bed.promote(TwoTenants.viewer, to: "manager")
            let (manager, staff) = (
                try await bed.token(TwoTenants.viewer), try await bed.token(TwoTenants.both, tenant: "north")
            )
            let body = Self.body(Self.line(TwoTenants.product.uuidString, "1"))
            func submitted(_ token: String) async throws -> String {
                let made = try await bed.post("/api/v1/purchase-requests", body, as: token)
                let path = "/api/v1/purchase-requests/\(try #require(made.json["id"] as? String, "\(made.text)"))"
                #expect(try await bed.post(path + "/submit", "", as: token).status == .ok)
                return path
            }
            let (own, staffs) = (try await submitted(manager), try await submitted(staff))
            let refused = try await bed.post(own + "/approve", "", as: manager)
            #expect(refused.status == .forbidden && refused.code == "own_request", "\(refused.text)")
            #expect(try await bed.post(staffs + "/approve", "", as: staff).code == "insufficient_scope")
            #expect(try await bed.post(staffs + "/approve", "", as: manager).status == .ok)
            #expect(try await bed.post(own + "/approve", "", as: try await bed.token(TwoTenants.owner)).status == .ok)
            // Nor what they wrote into another's: all of it is in the history.
            let taken = try await bed.post("/api/v1/purchase-requests", body, as: staff)
            let path = "/api/v1/purchase-requests/\(try #require(taken.json["id"] as? String))"
            let changed = try await bed.send(
                .patch, path, "{\"lines\":[\(Self.line(TwoTenants.product.uuidString, "999"))]}", as: manager)
            #expect(
                (changed.json["history"] as? [[String: Any]] ?? []).texts("step") == ["create", "change"],
                "\(changed.text)")
            #expect(try await bed.post(path + "/submit", "", as: staff).status == .ok)
            #expect(try await bed.post(path + "/approve", "", as: manager).code == "own_request")
            let third = try await submitted(staff)
            #expect(try await bed.post(third + "/reject", "", as: manager).status == .badRequest)
            #expect(try await bed.post(third + "/reject", "{}", as: manager).faults == ["reason: required"])
            let rejected = try await bed.post(third + "/reject", "{\"reason\":\"Too dear\"}", as: manager)
            #expect(
                (rejected.json["history"] as? [[String: Any]] ?? []).texts("reason") == ["Too dear"], "\(rejected.text)"
            )
            #expect(try await bed.post(third + "/approve", "", as: manager).code == "invalid_status")
        }
    }

    /// A hundred lorries at the door: what was ordered is booked, and no more.
    @Test func receiptsAtOnceBookWhatWasOrdered() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let nails = try await bed.product("NAIL", as: token)
            let id = try await Self.approved(Self.line(nails, "10"), in: bed, as: token)
            let answers = try await Testbed.all(40) { _ in
                try await bed.post(
                    "/api/v1/purchase-requests/\(id)/receive", "{\"lines\":[\(Self.line(nails, "1"))]}", as: token)
            }
            #expect(
                answers.count { $0.status == .ok } == 10, "\(Set(answers.map { "\($0.status.code) \($0.code ?? "")" }))"
            )
            #expect(answers.count { $0.status == .conflict } == 30)
            #expect(try await bed.level(nails, as: token) == "10")
            #expect(try await bed.brokenLaws() == 0)
        }
    }

    @Test func refusesWhatItCannotBe() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.owner)
            let product = TwoTenants.product.uuidString
            let dollars = try await bed.post(
                "/api/v1/products", "{\"sku\":\"US\",\"name\":\"N\",\"unit\":\"kg\",\"price\":1,\"currency\":\"usd\"}",
                as: token)
            let foreign = try #require(dollars.json["id"] as? String, "\(dollars.text)")
            #expect(dollars.json["currency"] as? String == "USD")
            for (body, fault) in [
                (Self.body(""), "lines: invalid_length"),
                (Self.body(Self.line(product, "1") + "," + Self.line(product, "1")), "lines[1].product_id: duplicate"),
                (
                    Self.body(Self.line(product, "1") + "," + Self.line(foreign, "1")),
                    "lines[1].product_id: mixed_currencies"
                ),
                (Self.body(Self.line(product, "1", ",\"price\":\"-1\"")), "lines[0].price: out_of_range"),
                (Self.body(Self.line(product, "1", ",\"price\":\"1.001\"")), "lines[0].price: invalid_amount"),
                (
                    Self.body(Self.line(product, "1", ",\"supplier_id\":\"\(TwoTenants.southernSupplier)\"")),
                    "lines[0].supplier_id: unknown"
                ),
                (Self.body(Self.line(product, "99999999999", ",\"price\":99999999999")), "lines: out_of_range"),
                (
                    Self.body(Self.line(product, "1"), at: TwoTenants.t01, ",\"needed_by\":\"2031-02-30\""),
                    "needed_by: invalid_date"
                ),
                (Self.body(Self.line(TwoTenants.southernProduct.uuidString, "1")), "lines[0].product_id: unknown"),
            ] {
                let refused = try await bed.post("/api/v1/purchase-requests", body, as: token)
                #expect(
                    refused.status == .unprocessableContent && refused.faults.contains(fault),
                    "\(fault): \(refused.text)")
            }
        }
    }
}
