import Postgres
import Shared

/// What a tenant wants of its reservations: `settings.reservations`.
struct ReservationPolicy: Sendable, Equatable {
    /// Seconds after which a pending one gives its place up.
    var pendingTimeout: Int64 = 30 * 60
    /// Seconds after its start when a confirmed one that nobody checked in is a no-show; 0: never.
    var noShowAfter: Int64 = 15 * 60
    /// Whether a space's sensor checks its reservations in.
    var sensorCheckIn = false
}

extension ReservationPolicy: RowDecodable {
    /// What can't be read is as it is without a word: settings may be older than the rules for them.
    init(_ row: Row) throws {
        if let seconds: Int64 = try row["pending_timeout_s"] { pendingTimeout = seconds }
        if let seconds: Int64 = try row["no_show_after_s"] { noShowAfter = seconds }
        sensorCheckIn = try row["sensor_check_in"]
    }

    static func find(_ tenant: TenantID) -> Statement<ReservationPolicy> {
        """
        SELECT CASE WHEN jsonb_typeof(r -> 'pending_timeout_s') = 'number'
                    THEN least(greatest((r ->> 'pending_timeout_s')::numeric, 1), 31536000)::bigint END AS pending_timeout_s,
               CASE WHEN jsonb_typeof(r -> 'no_show_after_s') = 'number'
                    THEN least(greatest((r ->> 'no_show_after_s')::numeric, 0), 31536000)::bigint END AS no_show_after_s,
               coalesce(r -> 'sensor_check_in' = 'true', false) AS sensor_check_in
          FROM (SELECT settings -> 'reservations' AS r FROM tenants WHERE id = \(tenant)) AS wanted
        """
    }
}

extension JSONBody {
    /// The part of a tenant's settings that the house reads: refused where it can't be read.
    mutating func checkReservationSettings() {
        _ = integer("pending_timeout_s", in: 1...31_536_000)
        _ = integer("no_show_after_s", in: 0...31_536_000)
        _ = boolean("sensor_check_in")
        refuseTheRest()
    }
}
