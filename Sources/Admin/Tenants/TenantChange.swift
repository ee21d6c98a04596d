import ArgumentParser
import Foundation
import Postgres
import Shared

/// What only the operator decides of a tenant.
struct SetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Changes a tenant's plan and bounds, deactivates it and lets it in again.",
        discussion: "Everything acts within seconds. A deactivated tenant's data stays.")

    @OptionGroup var owner: TenantOption
    @Option(help: "What it bought from now on; max-stores becomes the plan's, unless it is given.") var plan: Plan?
    @Option(help: "Stores it may have.") var maxStores: Int32?
    @Option(help: "true or false: whether its keys and people are let in.") var active: Bool?

    func validate() throws {
        if plan == nil, maxStores == nil, active == nil { throw ValidationError("name what is to change") }
        if let maxStores, maxStores < 0 { throw ValidationError("--max-stores is 0 or more") }
    }

    func run() async throws {
        let change = TenantChange(plan: plan, maxStores: maxStores ?? plan?.maxStores, isActive: active)
        try await SystemDatabase.with { system in
            try await change.apply(to: system.tenant(owner.tenant), in: system.database)
        }
    }
}

struct TenantChange: Sendable {
    /// Nil: as it is.
    var plan: Plan?
    var maxStores: Int32?
    var isActive: Bool?

    func apply(to tenant: Tenant, in database: Database) async throws {
        try await database.withTenant(tenant) { tx in
            try await tx.run(
                """
                UPDATE tenants
                   SET plan = coalesce(\(plan?.rawValue), plan), max_stores = coalesce(\(maxStores), max_stores),
                       is_active = coalesce(\(isActive), is_active), updated_at = now()
                 WHERE id = \(tenant.id)
                """)
            let after = [
                "plan": plan?.rawValue, "max_stores": maxStores.map(String.init),
                "is_active": isActive.map(String.init),
            ].compactMapValues(\.self)
            let audit = SystemAudit(
                action: "tenant.changed", resourceType: "tenant", resourceID: tenant.uuid.lowercaseString, after: after)
            try await SystemAudit.append([audit], tenant: tenant.id, in: tx)
        }
    }
}
