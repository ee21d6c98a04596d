import Foundation
import Postgres
import Shared

/// A line of `tenant list`.
struct TenantSummary: RowDecodable, Encodable {
    let uuid: String
    let slug: String
    let name: String
    let plan: String
    let isActive: Bool
    let maxStores: Int32
    let createdAt: String

    private enum CodingKeys: String, CodingKey {
        case uuid, slug, name, plan
        case isActive = "is_active"
        case maxStores = "max_stores"
        case createdAt = "created_at"
    }

    init(_ row: Row) throws {
        let id: UUID = try row["uuid"]
        let created: Timestamp = try row["created_at"]
        uuid = id.lowercaseString
        slug = try row["slug"]
        name = try row["name"]
        plan = try row["plan"]
        isActive = try row["is_active"]
        maxStores = try row["max_stores"]
        createdAt = created.rfc3339
    }

    static func all() -> Statement<TenantSummary> {
        "SELECT uuid, slug, name, plan, is_active, max_stores, created_at FROM tenants ORDER BY slug"
    }
}
