import Foundation
import Postgres
import Shared

extension WeeklyReport {
    static func find(_ week: ReportWeek, in tenant: TenantID) -> Statement<Kept> {
        """
        SELECT created_at AS generated_at, report -> 'vales' AS vales, report -> 'stock' AS stock, report -> 'alerts' AS alerts,
               report -> 'reservations' AS reservations, report -> 'ingest' AS ingest
          FROM weekly_reports
         WHERE tenant_id = \(tenant) AND week = (\(week.from)::timestamptz AT TIME ZONE 'UTC')::date
        """
    }

    /// Nothing where there is one.
    func insert(into tenant: TenantID) -> Command {
        """
        INSERT INTO weekly_reports (tenant_id, id, week, report, created_at)
        VALUES (\(tenant), \(UUID.v7()), (\(week.from)::timestamptz AT TIME ZONE 'UTC')::date, \(document), \(generatedAt))
        ON CONFLICT DO NOTHING
        """
    }

    /// Value and products are of the vales that were issued in the week and not cancelled since.
    static func vales(_ week: ReportWeek, _ scope: TenantScope) -> Statement<JSONB> {
        """
        WITH issued AS MATERIALIZED (
            SELECT v.id, v.status FROM vales v
             WHERE v.tenant_id = \(scope.tenantID) AND v.created_at >= \(week.from) AND v.created_at < \(week.to)
               AND \(scope.sees(site: "v.site_id"))
        ), lines AS MATERIALIZED (
            SELECT l.product_id, l.quantity, l.price, l.currency
              FROM issued i JOIN vale_lines l ON l.tenant_id = \(scope.tenantID) AND l.vale_id = i.id
             WHERE i.status <> 'cancelled'
        ), later AS (
            SELECT (SELECT count(*) FROM vales v
                     WHERE v.tenant_id = \(scope.tenantID) AND v.delivered_at >= \(week.from) AND v.delivered_at < \(week.to)
                       AND \(scope.sees(site: "v.site_id"))) AS delivered,
                   (SELECT count(*) FROM vales v
                     WHERE v.tenant_id = \(scope.tenantID) AND v.cancelled_at >= \(week.from) AND v.cancelled_at < \(week.to)
                       AND \(scope.sees(site: "v.site_id"))) AS cancelled
        )
        SELECT jsonb_build_object(
            'issued', (SELECT count(*) FROM issued), 'delivered', l.delivered, 'cancelled', l.cancelled,
            'value', coalesce((SELECT jsonb_object_agg(s.currency, s.value::text)
                                 FROM (SELECT currency, round(sum(quantity * price), 2) AS value FROM lines GROUP BY 1) s), '{}'),
            'top_products', coalesce((
                SELECT jsonb_agg(jsonb_build_object('product_id', p.id, 'sku', p.sku, 'name', p.name, 'unit', p.unit,
                                                    'quantity', trim_scale(t.quantity)::text) ORDER BY t.quantity DESC, p.sku)
                  FROM (SELECT product_id, sum(quantity) AS quantity FROM lines GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10) t
                  JOIN products p ON p.tenant_id = \(scope.tenantID) AND p.id = t.product_id), '[]')) AS part
          FROM later l
        """
    }

    /// As it is now.
    static func stock(_ scope: TenantScope) -> Statement<JSONB> {
        """
        WITH held AS MATERIALIZED (
            SELECT p.currency, p.price, p.is_active AND p.min_stock > 0 AND p.min_stock >= coalesce(l.quantity, 0) AS is_low,
                   coalesce(l.quantity, 0) AS quantity
              FROM products p
              LEFT JOIN (SELECT product_id, sum(quantity) AS quantity FROM stock_levels
                          WHERE tenant_id = \(scope.tenantID) AND \(scope.sees(site: "site_id")) GROUP BY 1) l
                     ON l.product_id = p.id
             WHERE p.tenant_id = \(scope.tenantID) AND p.deleted_at IS NULL
        )
        SELECT jsonb_build_object(
            'products', (SELECT count(*) FROM held), 'low', (SELECT count(*) FROM held WHERE is_low),
            'value', coalesce((SELECT jsonb_object_agg(s.currency, s.value::text)
                                 FROM (SELECT currency, round(sum(quantity * price), 2) AS value FROM held
                                        WHERE quantity > 0 GROUP BY 1) s), '{}')) AS part
        """
    }

    /// Raised and resolved in the week; open now.
    static func alerts(_ week: ReportWeek, _ scope: TenantScope) -> Statement<JSONB> {
        """
        SELECT jsonb_build_object(
                   'raised', count(*) FILTER (WHERE raised_at >= \(week.from) AND raised_at < \(week.to)),
                   'resolved', count(*) FILTER (WHERE resolved_at >= \(week.from) AND resolved_at < \(week.to)),
                   'open', count(*) FILTER (WHERE status <> 'resolved')) AS part
          FROM alerts
         WHERE tenant_id = \(scope.tenantID) AND \(scope.sees(site: "site_id"))
        """
    }

    /// Made in the week; missed: of those that began in it.
    static func reservations(_ week: ReportWeek, _ scope: TenantScope) -> Statement<JSONB> {
        """
        SELECT jsonb_build_object(
                   'made', count(*) FILTER (WHERE r.created_at >= \(week.from) AND r.created_at < \(week.to)),
                   'no_show', count(*) FILTER (WHERE r.status = 'no_show' AND r.starts_at >= \(week.from)
                                                 AND r.starts_at < \(week.to))) AS part
          FROM reservations r JOIN spaces sp ON sp.tenant_id = r.tenant_id AND sp.id = r.space_id
         WHERE r.tenant_id = \(scope.tenantID) AND \(scope.sees(site: "sp.site_id"))
        """
    }

    /// Samples are counted by the chunk, where it begins, and in the log by the request, when it came; nothing is unpacked for it.
    static func ingest(_ week: ReportWeek, in tenant: TenantID) -> Statement<JSONB> {
        """
        SELECT jsonb_build_object(
            'uplinks', (SELECT count(*) FROM uplinks
                         WHERE tenant_id = \(tenant) AND received_at >= \(week.from) AND received_at < \(week.to)),
            'samples', (SELECT coalesce(sum(samples), 0) FROM sample_chunks
                         WHERE tenant_id = \(tenant) AND starts_at >= \(week.from.microseconds)
                           AND starts_at < \(week.to.microseconds))
                     + (SELECT coalesce(sum(samples), 0) FROM sample_log
                         WHERE tenant_id = \(tenant) AND received_at >= \(week.from)
                           AND received_at < \(week.to))) AS part
        """
    }
}
