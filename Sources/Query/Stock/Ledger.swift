import Foundation
import Postgres
import Shared

/// Where a product is kept: what has a level.
struct StockPlace: Hashable, Sendable {
    let productID, siteID: UUID
}

/// How goods come and go, which is by entries in the ledger alone: the database changes levels by them and lets none fall below zero.
///
/// Locks go one way: what the entries come of (a vale, a purchase request), then sites, products and levels, each in the order of ids, and
/// a vale's number last.
struct Ledger: Sendable {
    /// An entry that is to be written.
    struct Entry: Sendable {
        let place: StockPlace
        /// Signed.
        let quantity: Quantity
        let kind: StockMovement.Kind
    }

    /// What people say of entries.
    struct Words: Sendable {
        var reference, reason, requestID: String?
    }

    let scope: TenantScope
    let actor: AuditEntry.Actor

    /// Locks levels, and what they are levels of, until the transaction ends, in one round trip.
    ///
    /// - Parameter movesNothing: then levels are left to others.
    func open(
        _ places: Set<StockPlace>, movesNothing: Bool = false, in tx: TenantTransaction
    ) async throws -> StockBooks {
        let (sites, products) = (Set(places.map(\.siteID)).sorted(), Set(places.map(\.productID)).sorted())
        let hold = [Self.holdSites(sites, in: scope).erased, HeldProduct.hold(products, in: scope.tenantID).erased]
        let lock = movesNothing ? [] : [HeldLevel.lock(products, at: sites, in: scope.tenantID).erased]
        let held = try await tx.pipeline(hold + lock)
        return StockBooks(
            sites: Set(try held[0].rows(as: UUID.self)), products: try held[1].rows(as: HeldProduct.self),
            levels: movesNothing ? [] : try held[2].rows(as: HeldLevel.self))
    }

    /// - Returns: their ids, in the order of entries.
    func write(
        _ entries: [Entry], _ cause: StockMovement.Cause = .init(), _ words: Words = .init()
    ) -> (ids: [UUID], command: Command) {
        let ids = entries.map { _ in UUID.v7() }
        let command: Command = """
            INSERT INTO stock_movements (tenant_id, id, product_id, site_id, quantity, kind, reference, reason, vale_id, transfer_id,
                                         purchase_request_id, request_id, actor_kind, actor_id, actor_name)
            SELECT \(scope.tenantID), w.id, w.product_id, w.site_id, w.quantity, w.kind, \(words.reference), \(words.reason),
                   \(cause.valeID), \(cause.transferID), \(cause.purchaseRequestID), \(words.requestID), \(actor.kind), \(actor.id),
                   \(actor.name)
              FROM unnest(\(ids)::uuid[], \(entries.map(\.place.productID))::uuid[], \(entries.map(\.place.siteID))::uuid[],
                          \(entries.map(\.quantity))::numeric[], \(entries.map(\.kind.rawValue))::text[])
                   AS w (id, product_id, site_id, quantity, kind)
             ORDER BY w.product_id, w.site_id
            """
        return (ids, command)
    }

    private static func holdSites(_ ids: [UUID], in scope: TenantScope) -> Statement<UUID> {
        """
        SELECT id FROM sites
         WHERE tenant_id = \(scope.tenantID) AND deleted_at IS NULL AND \(scope.sees(site: "id")) AND id = ANY (\(ids))
         ORDER BY id FOR KEY SHARE
        """
    }
}

/// A product that stays as long as the transaction goes on.
struct HeldProduct: RowDecodable {
    let id: UUID
    let sku, name: String
    let price: Money
    let currency: String
    let isActive: Bool

    init(_ row: Row) throws {
        id = try row["id"]
        sku = try row["sku"]
        name = try row["name"]
        price = try row["price"]
        currency = try row["currency"]
        isActive = try row["is_active"]
    }

    static func hold(_ ids: [UUID], in tenant: TenantID) -> Statement<HeldProduct> {
        """
        SELECT id, sku, name, price, currency, is_active FROM products
         WHERE tenant_id = \(tenant) AND deleted_at IS NULL AND id = ANY (\(ids)) ORDER BY id FOR KEY SHARE
        """
    }
}

/// A level that nobody else changes as long as the transaction goes on.
struct HeldLevel: RowDecodable {
    let place: StockPlace
    let quantity: Quantity

    init(_ row: Row) throws {
        place = StockPlace(productID: try row["product_id"], siteID: try row["site_id"])
        quantity = try row["quantity"]
    }

    static func lock(_ products: [UUID], at sites: [UUID], in tenant: TenantID) -> Statement<HeldLevel> {
        """
        SELECT product_id, site_id, quantity FROM stock_levels
         WHERE tenant_id = \(tenant) AND product_id = ANY (\(products)) AND site_id = ANY (\(sites))
         ORDER BY product_id, site_id FOR NO KEY UPDATE
        """
    }
}
