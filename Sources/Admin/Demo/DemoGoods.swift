import Foundation
import Postgres
import Shared

/// What the demo company keeps: goods in its warehouse and its first store, bought from two suppliers.
struct DemoGoods: Sendable {
    private struct Product: Sendable {
        let sku, name, unit, price, minStock: String
        let supplier: Int
    }

    private static let suppliers = ["Papelera del Norte", "Frío y Clima S.L."]
    private static let products = [
        Product(
            sku: "BAG-L", name: "Carrier bags, large (500)", unit: "box", price: "18.90", minStock: "20", supplier: 0),
        Product(
            sku: "BAG-S", name: "Carrier bags, small (500)", unit: "box", price: "11.50", minStock: "20", supplier: 0),
        Product(
            sku: "ROLL-80", name: "Till rolls 80 mm (50)", unit: "box", price: "24.00", minStock: "30", supplier: 0),
        Product(sku: "TAG-SEC", name: "Security tags (1000)", unit: "box", price: "62.00", minStock: "5", supplier: 0),
        Product(sku: "LAMP-T8", name: "LED tube T8 120 cm", unit: "piece", price: "7.35", minStock: "40", supplier: 1),
        Product(sku: "FILT-A2", name: "Fridge filter A2", unit: "piece", price: "15.20", minStock: "12", supplier: 1),
        Product(sku: "GAS-R32", name: "Refrigerant R32", unit: "kg", price: "31.75", minStock: "10", supplier: 1),
    ]

    let database: Database
    let tenant: Tenant

    /// Where there are none yet.
    func place() async throws {
        try await database.withTenant(tenant) { tx in
            let known: Int64? = try await tx.first("SELECT count(*) FROM products WHERE tenant_id = \(tenant.id)")
            guard known == 0 else { return }
            let suppliers = Self.suppliers.map { _ in UUID.v7() }
            try await tx.run(all: [
                """
                INSERT INTO suppliers (tenant_id, id, name, lead_time_days)
                SELECT \(tenant.id), w.id, w.name, 5 FROM unnest(\(suppliers)::uuid[], \(Self.suppliers)::text[]) AS w (id, name)
                """,
                insertProducts(of: suppliers),
            ])
            let audit = SystemAudit(
                action: "demo.stocked", resourceType: "tenant", resourceID: tenant.uuid.lowercaseString)
            try await SystemAudit.append([audit], tenant: tenant.id, in: tx)
        }
    }

    private func insertProducts(of suppliers: [UUID]) -> Command {
        let products = Self.products
        return """
            INSERT INTO products (tenant_id, id, sku, name, unit, price, currency, min_stock, supplier_id)
            SELECT \(tenant.id), w.id, w.sku, w.name, w.unit, w.price::numeric, 'EUR', w.min_stock::numeric, w.supplier_id
              FROM unnest(\(products.map { _ in UUID.v7() })::uuid[], \(products.map(\.sku))::text[], \(products.map(\.name))::text[],
                          \(products.map(\.unit))::text[], \(products.map(\.price))::text[], \(products.map(\.minStock))::text[],
                          \(products.map { suppliers[$0.supplier] })::uuid[])
                   AS w (id, sku, name, unit, price, min_stock, supplier_id)
            """
    }
}
