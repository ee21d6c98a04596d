import Foundation
import Postgres
import Shared

extension StockMovement {
    struct Filter: Sendable {
        var products: [UUID] = []
        var sites = References()
        var kinds: [Kind] = []
        /// Half-open.
        var span: Range<Timestamp>?
    }

    private static let columns: Fragment = """
        id, product_id, site_id, quantity, kind, reference, reason, vale_id, transfer_id, purchase_request_id, actor_kind, actor_id,
        actor_name, request_id, created_at
        """

    /// Newest first.
    static func page(_ filter: Filter, after: UUID?, limit: Int, in scope: TenantScope) -> Statement<StockMovement> {
        var conditions = [visible(in: scope)]
        if let only = filter.products.first, filter.products.count == 1 {
            conditions.append("product_id = \(only)")
        } else if !filter.products.isEmpty {
            conditions.append("product_id = ANY (\(filter.products))")
        }
        if !filter.sites.isEmpty {
            conditions.append(filter.sites.includes(site: "site_id", of: scope.tenantID))
        }
        if !filter.kinds.isEmpty { conditions.append("kind = ANY (\(filter.kinds.map(\.rawValue)))") }
        if let span = filter.span {
            conditions.append("created_at >= \(span.lowerBound) AND created_at < \(span.upperBound)")
        }
        if let after { conditions.append("id < \(after)") }
        return """
            SELECT \(columns) FROM stock_movements
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY id DESC LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in scope: TenantScope) -> Statement<StockMovement> {
        "SELECT \(columns) FROM stock_movements WHERE \(visible(in: scope)) AND id = \(id)"
    }

    /// Both legs.
    static func of(transfer: UUID, in tenant: TenantID) -> Statement<StockMovement> {
        "SELECT \(columns) FROM stock_movements WHERE tenant_id = \(tenant) AND transfer_id = \(transfer) ORDER BY quantity"
    }

    private static func visible(in scope: TenantScope) -> Fragment {
        "tenant_id = \(scope.tenantID) AND \(scope.covers(site: "site_id"))"
    }
}
