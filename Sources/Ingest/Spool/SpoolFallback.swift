import Postgres
import Shared

/// What a route does when the database can't take a request now.
struct SpoolFallback: Sendable {
    let spool: Spool
    let availability: DatabaseAvailability

    /// What `store` returns; nil when the database is away, and then the request is to be kept.
    func unlessAway<Value: Sendable>(_ store: () async throws -> Value) async throws -> Value? {
        guard !availability.isAway else { return nil }
        do {
            return try await store()
        } catch  where error.isOutage {
            if error.isDatabaseAway { availability.lost(error) }
            if error is Overdue { availability.doubted() }
            return nil
        }
    }

    /// Returns once the request has reached the disk.
    /// - Throws: `Problem` 503 or 429.
    func keep(
        _ body: some Collection<UInt8> & Sendable, of tenant: Tenant, from sender: SpoolRecord.Sender, at now: Timestamp
    ) async throws {
        try await spool.keep(
            SpoolRecord(header: .init(tenant: tenant, arrivedAt: now, sender: sender), body: Array(body)))
    }
}
