import Postgres
import Shared

/// Makes an owner's requests visible in the order of their ids in the log.
///
/// An id is drawn before its transaction commits, so of two writers at once the one with the higher id may be seen first: then
/// what readers saw of a (series, time) would change when the lower one commits, and, if compaction moved the
/// higher in between, change back. So whoever writes for an owner holds the owner's lock from before the ids are drawn until
/// they are visible. Writers of uplinks hold their devices' states in the same way.
///
/// These locks are local to one server: with the log spread over several, an owner's requests must all go to one.
enum OwnerOrder {
    /// Owners that are locked one by one; a group with more holds up all other groups instead, as PostgreSQL's table of locks
    /// has room for some thousands in all.
    static let maxLocked = 500

    /// The number of an owner's lock.
    static func number(_ owner: Int32, of tenant: TenantID) -> Int64 { Int64(tenant.rawValue) << 32 | Int64(owner) }

    /// To be sent before anything else of a group: a writer that waits here holds no other locks, so none waits in a circle.
    static func lock(_ records: [MetricRecord], maxLocked: Int = maxLocked) -> [AnyStatement] {
        let owners = Set(records.map { number($0.owner, of: $0.tenant) }).sorted()
        guard owners.count <= maxLocked else {
            return [("SELECT pg_advisory_xact_lock(7310005)" as Command).erased]
        }
        return [
            ("SELECT pg_advisory_xact_lock_shared(7310005)" as Command).erased,
            ("SELECT pg_advisory_xact_lock(owner) FROM unnest(\(owners)) AS owner" as Command).erased,
        ]
    }
}
