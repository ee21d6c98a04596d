import Postgres

/// Sets the states of devices by their samples, as their profiles read them now: after the change of profile, and some at a time, as uplinks of
/// these wait meanwhile. Where this is cut short a state stays what it was until its device speaks.
package struct OccupancyRefresh: Sendable {
    private static let atOnce = 20

    private let database: Database

    package init(database: Database) {
        self.database = database
    }

    /// - Parameter owners: owner ids.
    package func refresh(_ owners: [Int32], of tenant: some TenantScoped) async throws {
        var rest = owners.sorted()[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Self.atOnce))
            try await database.withTenant(tenant) { tx in
                _ = try await tx.run("SELECT refresh_occupancy(\(some))")
            }
            rest = rest.dropFirst(Self.atOnce)
        }
    }
}
