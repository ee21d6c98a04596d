import Foundation
import Postgres
import Shared

/// Something that happened, in its place in line.
struct Event: Sendable {
    let id: UUID
    let type: String
    let at: Timestamp
    let siteID: UUID?
    let data: JSONB
    /// Of the tenant's events, from 1 on.
    let position: Int64
}

extension Event: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        type = try row["type"]
        at = try row["at"]
        siteID = try row["site_id"]
        data = try row["data"]
        position = try row["position"]
    }
}

extension Event: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("type", type)
            object.field("at", at)
            object.field("site_id", siteID)
            object.field("data", data)
        }
    }
}

extension Event {
    /// Which of them somebody wants and may hear of.
    struct Filter: Sendable {
        /// None: all.
        var types: [String] = []
        var sites = References()
        /// Half-open.
        var span: Range<Timestamp>?
        /// What the principal may read.
        let topics: [EventTopic]

        init(for principal: Principal) {
            topics = EventTopic.allCases.filter { principal.holds($0.scope) }
        }
    }

    private static let columns: Fragment = "id, type, at, site_id, data, position"

    /// Newest first.
    static func page(_ filter: Filter, before: Int64?, limit: Int, in scope: TenantScope) -> Statement<Event> {
        let beyond: Fragment = if let before { "position < \(before)" } else { "position IS NOT NULL" }
        return """
            SELECT \(columns) FROM events
             WHERE \(visible(filter, in: scope)) AND \(beyond)
             ORDER BY position DESC LIMIT \(Int64(limit))
            """
    }

    /// Oldest first, up to a position that was reached.
    static func next(
        _ filter: Filter, after: Int64, upTo reached: Int64, limit: Int, in scope: TenantScope
    ) -> Statement<Event> {
        """
        SELECT \(columns) FROM events
         WHERE \(visible(filter, in: scope)) AND position > \(after) AND position <= \(reached)
         ORDER BY position LIMIT \(Int64(limit))
        """
    }

    static func find(_ id: UUID, _ filter: Filter, in scope: TenantScope) -> Statement<Event> {
        "SELECT \(columns) FROM events WHERE \(visible(filter, in: scope)) AND id = \(id) AND position IS NOT NULL"
    }

    /// Where an event stands, whether somebody may hear of it or not.
    static func position(of id: UUID, in tenant: TenantID) -> Statement<Int64> {
        "SELECT position FROM events WHERE tenant_id = \(tenant) AND id = \(id) AND position IS NOT NULL"
    }

    /// Gives those that were committed meanwhile their places.
    ///
    /// - Returns: the last place.
    static let place: Statement<Int64> = "SELECT place_events()"

    private static func visible(_ filter: Filter, in scope: TenantScope) -> Fragment {
        var conditions: [Fragment] = ["tenant_id = \(scope.tenantID)", scope.sees(site: "site_id")]
        if filter.topics.count < EventTopic.allCases.count {
            conditions.append("split_part(type, '.', 1) = ANY (\(filter.topics.map(\.rawValue)))")
        }
        if !filter.types.isEmpty { conditions.append("type = ANY (\(filter.types))") }
        if !filter.sites.isEmpty {
            conditions.append(
                "site_id = ANY (ARRAY(SELECT id FROM sites WHERE \(filter.sites.matchSite(of: scope.tenantID))))")
        }
        if let span = filter.span { conditions.append("at >= \(span.lowerBound) AND at < \(span.upperBound)") }
        return "\(conditions.joined(separator: " AND "))"
    }
}
