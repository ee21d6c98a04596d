import Foundation
import Postgres
import Shared

/// Which series a request is about. Empty parts don't restrict; several values of one part are alternatives.
struct SeriesFilter: Hashable, Sendable {
    struct LabelMatcher: Hashable, Sendable {
        let key: String
        let values: [String]
    }

    /// By which alone no client can ask.
    var ids: [Int32] = []
    var metrics: [MetricPattern] = []
    var stores = References()
    var devices = References()
    var spaces = References()
    var sites = References()
    var labels: [LabelMatcher] = []

    init() {}

    /// Reads `metric`, `store`, `device`, `space`, `site` and `label.<key>`, each repeatable or a list with commas
    /// (label values may hold commas, so they are only repeated).
    init(_ query: inout QueryParameters) {
        metrics = query.list("metric").map(MetricPattern.init)
        stores = query.references("store")
        devices = query.references("device", canonical: { DeviceEUI($0)?.description })
        spaces = query.references("space")
        sites = query.references("site")
        labels = query.all(withPrefix: "label.").map { LabelMatcher(key: $0.key, values: $0.values) }
    }
}

extension SeriesFilter {
    func page(after: SeriesDescription.Position?, limit: Int, in scope: TenantScope) -> Statement<SeriesDescription> {
        Statement(rows(in: scope, after: after, limit: limit))
    }

    /// The series that match and that this principal may know, with their owners.
    ///
    /// Owners are found by their own indexes first (`IN`), since a tenant may have hundreds of thousands of series.
    func rows(in scope: TenantScope, after: SeriesDescription.Position? = nil, limit: Int) -> Fragment {
        let tenant = scope.tenantID
        var conditions: [Fragment] = [
            "s.tenant_id = \(tenant)", "(si.id IS NOT NULL OR d.id IS NOT NULL)",
            scope.sees(site: "coalesce(si.id, \(Device.site))"),
        ]
        if !ids.isEmpty { conditions.append("s.id = ANY (\(ids))") }
        if !metrics.isEmpty {
            conditions.append("(\(metrics.map { $0.matches("s.metric") }.joined(separator: " OR ")))")
        }
        conditions += ownerConditions(tenant) + labelConditions(tenant)
        if let after { conditions.append("(s.metric, s.id) > (\(after.metric), \(after.id))") }
        return """
            SELECT s.id, s.owner_id, s.metric, s.labels, s.created_at,
                   CASE WHEN si.id IS NULL THEN 'device' ELSE 'store' END AS owner_kind,
                   coalesce(si.id, d.id) AS owner_uuid, coalesce(si.code, d.device_eui) AS owner_code
              FROM series s
              LEFT JOIN sites si
                     ON si.tenant_id = s.tenant_id AND si.owner_id = s.owner_id AND si.deleted_at IS NULL
              LEFT JOIN devices d
                     ON d.tenant_id = s.tenant_id AND d.owner_id = s.owner_id AND d.deleted_at IS NULL
              LEFT JOIN spaces sp ON sp.tenant_id = d.tenant_id AND sp.id = d.space_id
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY s.metric, s.id
             LIMIT \(Int64(limit))
            """
    }

    private func ownerConditions(_ tenant: TenantID) -> [Fragment] {
        var conditions: [Fragment] = []
        if !stores.isEmpty {
            conditions.append("s.owner_id IN (SELECT owner_id FROM sites WHERE \(stores.matchSite(of: tenant)))")
        }
        if !devices.isEmpty {
            let matches = devices.match(id: "id", code: "device_eui")
            conditions.append(
                "s.owner_id IN (SELECT owner_id FROM devices WHERE tenant_id = \(tenant) AND \(matches))")
        }
        if !spaces.isEmpty {
            let matches = spaces.match(id: "place.id", code: "place.code")
            conditions.append(
                """
                s.owner_id IN (SELECT fitted.owner_id FROM devices fitted JOIN spaces place
                                      ON place.tenant_id = fitted.tenant_id AND place.id = fitted.space_id
                                WHERE fitted.tenant_id = \(tenant) AND place.deleted_at IS NULL AND \(matches))
                """)
        }
        if !sites.isEmpty {
            conditions.append(
                """
                coalesce(si.id, \(Device.site)) IN (SELECT id FROM sites WHERE \(sites.matchSite(of: tenant)))
                """)
        }
        return conditions
    }

    private func labelConditions(_ tenant: TenantID) -> [Fragment] {
        labels.map { label in
            """
            s.id IN (SELECT series_id FROM series_labels
                      WHERE tenant_id = \(tenant) AND key = \(label.key) AND value = ANY (\(label.values)))
            """
        }
    }
}
