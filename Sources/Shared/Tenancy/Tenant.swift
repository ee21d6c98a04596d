import Foundation
import Postgres

/// What must be known of a tenant before its rows can be read.
package struct Tenant: Hashable, Sendable {
    package let id: TenantID
    package let uuid: UUID
    package let slug: String
    package let plan: Plan
    package let isActive: Bool
}

extension Tenant: RowDecodable {
    package init(_ row: Row) throws {
        id = try row["id"]
        uuid = try row["uuid"]
        slug = try row["slug"]
        plan = Plan(rawValue: try row["plan"]) ?? .basic
        isActive = try row["is_active"]
    }

    /// By functions of `pulsegate_lookup`, the only reads that need no tenant: they tell where a credential belongs.
    package static func bySlug(_ slug: String) -> Statement<Tenant> {
        "SELECT id, uuid, slug, plan, is_active FROM tenant_by_slug(\(slug))"
    }

    package static func byUUID(_ uuid: UUID) -> Statement<Tenant> {
        "SELECT id, uuid, slug, plan, is_active FROM tenant_by_uuid(\(uuid))"
    }

    package static func byIntegration(_ id: UUID) -> Statement<Tenant> {
        "SELECT id, uuid, slug, plan, is_active FROM tenant_by_integration(\(id))"
    }

    /// Every tenant, for `pulsegate_system` alone: other roles see none or their own.
    package static func all() -> Statement<Tenant> {
        "SELECT id, uuid, slug, plan, is_active FROM tenants ORDER BY id"
    }
}
