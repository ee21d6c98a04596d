import Foundation
import HTTPTypes
import Postgres
import Support
import Testing

@testable import Query

/// What tests of goods ask for again and again.
extension Testbed {
    /// - Returns: its id.
    func product(
        _ sku: String, stock: Int = 0, at site: UUID = TwoTenants.t01, _ more: String = "", as token: String
    ) async throws -> String {
        let made = try await post(
            "/api/v1/products",
            "{\"sku\":\"\(sku)\",\"name\":\"\(sku)\",\"unit\":\"piece\",\"price\":\"2.50\",\"currency\":\"EUR\"\(more)}",
            as: token)
        let id = try #require(made.json["id"] as? String, "\(made.text)")
        if stock > 0 { #expect(try await move(id, "receipt", "\(stock)", at: site, as: token).status == .created) }
        return id
    }

    func move(
        _ product: String, _ kind: String, _ quantity: String, at site: UUID = TwoTenants.t01, _ more: String = "",
        as token: String
    ) async throws -> Answered {
        try await post(
            "/api/v1/stock-movements",
            "{\"product_id\":\"\(product)\",\"site_id\":\"\(site)\",\"kind\":\"\(kind)\",\"quantity\":\"\(quantity)\"\(more)}",
            as: token)
    }

    static func vale(
        _ lines: [(product: String, quantity: String)], at site: UUID = TwoTenants.t01, _ more: String = ""
    ) -> String {
        let lines = lines.map { "{\"product_id\":\"\($0.product)\",\"quantity\":\"\($0.quantity)\"}" }
        return "{\"site_id\":\"\(site)\",\"lines\":[\(lines.joined(separator: ","))]\(more)}"
    }

    /// What is at the site; nil where nothing ever was.
    func level(_ product: String, at site: UUID = TwoTenants.t01, as token: String) async throws -> String? {
        try await get("/api/v1/stock-levels?product_id=\(product)&site_id=\(site)", as: token).data.texts("quantity")
            .first
    }

    /// Of the laws of the ledger, those that are broken.
    func brokenLaws() async throws -> Int64 {
        try await database.asSuperuser { connection in
            let broken: Int64? = try await connection.first(
                """
                SELECT (SELECT count(*) FROM stock_differences) + (SELECT count(*) FROM broken_transfers)
                     + (SELECT count(*) FROM vale_differences) + (SELECT count(*) FROM vale_number_gaps)
                     + (SELECT count(*) FROM receipt_differences)
                """)
            return broken ?? -1
        }
    }

    /// All at once.
    static func all<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: Value.self) { group in
            for index in 0..<count { group.addTask { try await body(index) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
