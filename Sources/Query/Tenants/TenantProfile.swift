import Foundation
import Postgres
import Shared

/// What a tenant's members may know and its admins may set of it.
struct TenantProfile: Sendable {
    let uuid: UUID
    let slug: String
    let name: String
    let plan: Plan
    let isActive: Bool
    let settings: JSONB
    let featureFlags: JSONB
    let billingEmail: String?
    let adminContact: String?
    let whatsappNumbers: [String]
    let maxStores: Int32
    /// A decimal, as PostgreSQL prints it.
    let maxMonthlyCost: String?
    let stores: Int64
    let series: Int32
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

extension TenantProfile: RowDecodable {
    init(_ row: Row) throws {
        uuid = try row["uuid"]
        slug = try row["slug"]
        name = try row["name"]
        plan = Plan(rawValue: try row["plan"]) ?? .basic
        isActive = try row["is_active"]
        settings = try row["settings"]
        featureFlags = try row["feature_flags"]
        billingEmail = try row["billing_email"]
        adminContact = try row["admin_contact"]
        whatsappNumbers = try row["whatsapp_numbers"]
        maxStores = try row["max_stores"]
        maxMonthlyCost = try row["max_monthly_cost"]
        stores = try row["stores"]
        series = try row["series"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension TenantProfile {
    static func find(_ tenant: TenantID) -> Statement<TenantProfile> {
        """
        SELECT t.uuid, t.slug, t.name, t.plan, t.is_active, t.settings, t.feature_flags, t.billing_email,
               t.admin_contact, t.whatsapp_numbers, t.max_stores, t.max_monthly_cost, t.created_at, t.updated_at,
               (SELECT count(*) FROM sites
                 WHERE tenant_id = \(tenant) AND kind = 'store' AND deleted_at IS NULL) AS stores,
               coalesce((SELECT count FROM series_counts WHERE tenant_id = \(tenant)), 0) AS series
          FROM tenants t WHERE t.id = \(tenant)
        """
    }

    /// Nobody else changes it before this transaction ends.
    static func lock(_ tenant: TenantID) -> Command {
        "SELECT FROM tenants WHERE id = \(tenant) FOR NO KEY UPDATE"
    }

    /// All that it names goes on existing; its keys and tokens stop at once.
    static func deactivate(_ tenant: TenantID) -> Command {
        "UPDATE tenants SET is_active = false, updated_at = now() WHERE id = \(tenant)"
    }
}

extension TenantProfile: PartlyLive {
    func write(editedTo json: inout JSONWriter) {
        json.object { object in
            write(fieldsTo: &object)
        }
    }

    func write(to json: inout JSONWriter) {
        json.object { object in
            write(fieldsTo: &object)
            object.field("usage", Usage(stores: stores, series: series))
        }
    }

    private func write(fieldsTo object: inout JSONWriter) {
        object.field("id", uuid)
        object.field("slug", slug)
        object.field("name", name)
        object.field("plan", plan.rawValue)
        object.field("is_active", isActive)
        object.field("settings", settings)
        object.field("feature_flags", featureFlags)
        object.field("billing_email", billingEmail)
        object.field("admin_contact", adminContact)
        object.field("whatsapp_numbers", whatsappNumbers)
        object.field("limits", limits)
        object.field("created_at", createdAt)
        object.field("updated_at", updatedAt)
    }

    private var limits: Limits {
        Limits(maxStores: maxStores, maxMonthlyCost: maxMonthlyCost, plan: plan)
    }

    private struct Limits: JSONWritable {
        let maxStores: Int32
        let maxMonthlyCost: String?
        let plan: Plan

        func write(to json: inout JSONWriter) {
            json.object { object in
                object.field("max_stores", maxStores)
                object.field("max_monthly_cost", maxMonthlyCost)
                object.field("monthly_price", plan.monthlyPrice)
                object.field("max_series", plan.maxSeries)
                object.field("retention_days", plan.retentionDays)
                object.field("api_requests_per_second", plan.apiRequestsPerSecond)
                object.field("ingest_requests_per_second", plan.ingestRequestsPerSecond)
            }
        }
    }

    private struct Usage: JSONWritable {
        let stores: Int64
        let series: Int32

        func write(to json: inout JSONWriter) {
            json.object { object in
                object.field("stores", stores)
                object.field("series", series)
            }
        }
    }
}
