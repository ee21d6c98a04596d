import Postgres

/// The schema that this build of the processes was written for.
package enum SchemaVersion {
    /// The highest number in `migrations/`; a test holds the two together.
    package static let required: Int32 = 31

    /// What the database has: 0 when it was never migrated.
    package static func current(in database: Database) async throws -> Int32 {
        do {
            let rows: [Int32] = try await database.lookUp("SELECT coalesce(max(version), 0) FROM schema_migrations")
            return rows.first ?? 0
        } catch let error as PostgresError where error.sqlState == "42P01" || error.sqlState == "42501" {
            return 0 // no such table, or not a schema of ours
        }
    }
}
