import Foundation
import Postgres
import Shared

/// When a space is open and when somebody holds it, within a span. Not who.
struct SpaceCalendar: Sendable {
    let spaceID: UUID
    let code: String
    let availability: Availability
}

extension SpaceCalendar: RowDecodable {
    init(_ row: Row) throws {
        spaceID = try row["id"]
        code = try row["code"]
        let span = (from: try row["span_from"] as Timestamp, to: try row["span_to"] as Timestamp)
        let clipped = { (starts: [Timestamp], ends: [Timestamp]) in
            zip(starts, ends).compactMap { start, end -> Range<Timestamp>? in
                let (start, end) = (max(start, span.from), min(end, span.to))
                return start < end ? start..<end : nil
            }
        }
        availability = Availability(
            open: clipped(try row["opens_at"], try row["closes_at"]),
            busy: clipped(try row["busy_from"], try row["busy_to"]))
    }

    /// Of one bookable space.
    ///
    /// - Parameter except: a reservation that is about to be another.
    static func of(
        space: UUID, _ span: Range<Timestamp>, except: UUID? = nil, in scope: TenantScope
    ) -> Statement<SpaceCalendar> {
        calendars(of: "sp.id = \(space)", span, except: except, limit: 1, in: scope)
    }

    /// Of the bookable ones of a site, in the order of creation.
    static func of(
        site: References, kinds: [Space.Kind], _ span: Range<Timestamp>, after: UUID?, limit: Int, in scope: TenantScope
    ) -> Statement<SpaceCalendar> {
        var conditions: [Fragment] = [
            "sp.site_id = ANY (ARRAY(SELECT id FROM sites WHERE \(site.matchSite(of: scope.tenantID))))",
            "sp.is_bookable",
        ]
        if !kinds.isEmpty { conditions.append("sp.kind = ANY (\(kinds.map(\.rawValue)))") }
        if let after { conditions.append("sp.id > \(after)") }
        return calendars(of: conditions.joined(separator: " AND "), span, except: nil, limit: limit, in: scope)
    }

    /// Opening hours, which many spaces share, are looked at once.
    private static func calendars(
        of spaces: Fragment, _ span: Range<Timestamp>, except: UUID?, limit: Int, in scope: TenantScope
    ) -> Statement<SpaceCalendar> {
        let isOther: Fragment = if let except { "r.id <> \(except)" } else { "true" }
        return """
            WITH wanted AS MATERIALIZED (
                SELECT sp.id, sp.code, coalesce(sp.opening_hours, 'null') AS hours, si.timezone
                  FROM spaces sp
                  JOIN sites si ON si.tenant_id = sp.tenant_id AND si.id = sp.site_id AND si.deleted_at IS NULL
                 WHERE sp.tenant_id = \(scope.tenantID) AND sp.deleted_at IS NULL AND \(scope.sees(site: "sp.site_id")) AND \(spaces)
                 ORDER BY sp.id LIMIT \(Int64(limit))
            ), openings AS MATERIALIZED (
                SELECT h.hours, h.timezone, array_agg(w.opens_at) AS opens_at, array_agg(w.closes_at) AS closes_at
                  FROM (SELECT DISTINCT hours, timezone FROM wanted) h,
                       LATERAL open_windows(nullif(h.hours, 'null'), h.timezone, \(span.lowerBound), \(span.upperBound)) w
                 GROUP BY h.hours, h.timezone
            ), held AS MATERIALIZED (
                SELECT r.space_id, array_agg(r.starts_at) AS busy_from, array_agg(r.ends_at) AS busy_to
                  FROM reservations r
                 WHERE r.space_id = ANY (ARRAY(SELECT id FROM wanted)) AND \(isOther)
                   AND \(Reservation.holdsPlace(in: span, of: scope.tenantID))
                 GROUP BY r.space_id
            )
            SELECT w.id, w.code, \(span.lowerBound) AS span_from, \(span.upperBound) AS span_to,
                   coalesce(o.opens_at, '{}') AS opens_at, coalesce(o.closes_at, '{}') AS closes_at,
                   coalesce(h.busy_from, '{}') AS busy_from, coalesce(h.busy_to, '{}') AS busy_to
              FROM wanted w
              LEFT JOIN openings o ON o.hours = w.hours AND o.timezone = w.timezone
              LEFT JOIN held h ON h.space_id = w.id
             ORDER BY w.id
            """
    }
}
