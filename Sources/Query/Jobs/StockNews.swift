import Foundation
import Postgres
import Shared

/// A product that has just become low, or has recovered from that.
struct StockNews: Sendable {
    let productID: UUID
    /// Of what stands; nil where one is to be raised.
    let alertID: UUID?
    let sku, name, unit: String
    let stock, minStock: Quantity
    let isOut: Bool
}

extension StockNews: RowDecodable {
    init(_ row: Row) throws {
        productID = try row["product_id"]
        alertID = try row["alert_id"]
        sku = try row["sku"]
        name = try row["name"]
        unit = try row["unit"]
        stock = try row["stock"]
        minStock = try row["min_stock"]
        isOut = try row["is_out"]
    }
}

extension StockNews {
    /// Not how much there is: that is the sum over all sites, and whoever is limited to some reads this, too.
    private struct Detail: JSONWritable {
        let news: StockNews
        let namesProduct: Bool

        func write(to json: inout JSONWriter) {
            json.object { object in
                if namesProduct { object.field("product_id", news.productID) }
                object.field("sku", news.sku)
                object.field("name", news.name)
                object.field("unit", news.unit)
                object.field("min_stock", news.minStock)
            }
        }
    }

    func event(_ type: String) -> NewEvent {
        NewEvent(type: type, siteID: nil, data: Detail(news: self, namesProduct: true).document)
    }

    /// What is to be raised and what has recovered, in the order of products. Where nothing changed it reads the watched products, their
    /// levels and the alerts that stand.
    static func all(limit: Int, in tenant: TenantID) -> Statement<StockNews> {
        """
        WITH low AS MATERIALIZED (
            SELECT p.id
              FROM products p
             WHERE p.tenant_id = \(tenant) AND p.deleted_at IS NULL AND p.is_active AND p.min_stock > 0
               AND p.min_stock >= (SELECT coalesce(sum(l.quantity), 0) FROM stock_levels l
                                    WHERE l.tenant_id = p.tenant_id AND l.product_id = p.id)
        ), standing AS MATERIALIZED (
            SELECT a.id, a.subject_id FROM alerts a
             WHERE a.tenant_id = \(tenant) AND a.kind = \(LowStock.alertKind) AND a.recovered_at IS NULL
        ), news AS (
            SELECT coalesce(l.id, s.subject_id) AS product_id, s.id AS alert_id
              FROM low l FULL JOIN standing s ON s.subject_id = l.id
             WHERE l.id IS NULL OR s.id IS NULL
             ORDER BY 1 LIMIT \(Int64(limit))
        )
        SELECT n.product_id, n.alert_id, p.sku, p.name, p.unit, round(h.held, 3) AS stock, p.min_stock, h.held <= 0 AS is_out
          FROM news n
          JOIN products p ON p.tenant_id = \(tenant) AND p.id = n.product_id
          CROSS JOIN LATERAL (SELECT coalesce(sum(l.quantity), 0) AS held FROM stock_levels l
                               WHERE l.tenant_id = \(tenant) AND l.product_id = n.product_id) h
         ORDER BY n.product_id
        """
    }

    /// What is raised of it.
    var alert: NewAlert {
        NewAlert(
            kind: LowStock.alertKind, severity: isOut ? .critical : .warning,
            subject: Alert.Subject(type: "product", id: productID, name: "\(sku) \(name)"),
            detail: Detail(news: self, namesProduct: false).document)
    }
}

/// What people are sent of products that are low: one letter of all that were found together.
struct LowStockLetter: Sendable {
    /// Products that are named; of more the rest is counted.
    private static let named = 50

    let subject: String
    let body: String

    init(_ raised: [StockNews]) {
        let lines = raised.prefix(Self.named).map { news in
            let words = news.isOut ? "is out of stock" : "is low"
            return
                "\(news.sku) \(news.name) \(words): \(news.stock.shortText) \(news.unit), at least \(news.minStock.shortText) are wanted."
        }
        let more = raised.count > Self.named ? ["And \(raised.count - Self.named) more."] : []
        let first = raised.first.map { "\($0.sku) \($0.name)" } ?? ""
        let title =
            raised.count == 1 ? "Low stock: \(first)" : "Low stock: \(raised.count) products, such as \(first)"
        subject = title.cut(to: 200)
        body = (lines + more).joined(separator: "\n") + "\n"
    }
}
