import Foundation

/// Goods of both tenants. North's lie at T01 and T02, south's at its own T01.
extension TwoTenants {
    package static let supplier = goodsID("0a", 1)
    /// No product names it.
    package static let unusedSupplier = goodsID("0a", 2)
    /// 100 at T01, 50 at T02.
    package static let product = goodsID("0a", 3)
    /// There is none of it.
    package static let unusedProduct = goodsID("0a", 4)
    /// 5 at T01.
    package static let secondProduct = goodsID("0a", 5)
    /// Issued, of T01, each with two pieces of ``product``.
    package static let vale = goodsID("0a", 0x11)
    package static let secondVale = goodsID("0a", 0x12)
    package static let thirdVale = goodsID("0a", 0x13)
    /// Drafts of T01 for ten pieces of ``product``, by nobody who is a member.
    package static let purchase = goodsID("0a", 0x21)
    package static let secondPurchase = goodsID("0a", 0x22)
    package static let thirdPurchase = goodsID("0a", 0x23)
    /// Submitted.
    package static let submittedPurchase = goodsID("0a", 0x24)
    /// A receipt at T01.
    package static let movement = goodsID("0a", 0x31)
    /// From T01 to T02.
    package static let transfer = goodsID("0a", 0x32)

    package static let southernSupplier = goodsID("0b", 1)
    package static let southernProduct = goodsID("0b", 3)
    package static let southernVale = goodsID("0b", 0x11)
    package static let southernPurchase = goodsID("0b", 0x21)
    package static let southernMovement = goodsID("0b", 0x31)
    package static let southernTransfer = goodsID("0b", 0x32)

    private static func goodsID(_ tenant: String, _ number: Int) -> UUID {
        let digits = String(number, radix: 16)
        let text =
            "\(tenant)000000-0000-7000-8000-00000000e0" + String(repeating: "0", count: 2 - digits.count) + digits
        guard let id = UUID(uuidString: text) else { preconditionFailure("\(text) is no UUID") }
        return id
    }

    static let goodsScript = """
        CREATE FUNCTION g(tenant text, number text) RETURNS uuid LANGUAGE sql AS $$
            SELECT (tenant || '000000-0000-7000-8000-00000000e0' || number)::uuid $$;
        CREATE TEMPORARY TABLE sides AS
        SELECT t.id AS tenant, w.p, w.p || '000000-0000-7000-8000-000000000011' AS t01
          FROM (VALUES ('north', '0a'), ('south', '0b')) AS w (slug, p) JOIN tenants t ON t.slug = w.slug;
        INSERT INTO sites (tenant_id, id, owner_id, code, name)
        SELECT tenant, '0b000000-0000-7000-8000-000000000012', 202, 'T02', 'Southern pier' FROM sides WHERE p = '0b';
        INSERT INTO suppliers (tenant_id, id, name) SELECT tenant, g(p, n), p || ' supplier ' || n FROM sides, unnest('{01,02}'::text[]) AS n;
        INSERT INTO products (tenant_id, id, sku, name, unit, price, currency, supplier_id)
        SELECT tenant, g(p, n), 'SKU-' || n, 'Product ' || n, 'piece', 2.50, 'EUR', CASE WHEN n = '03' THEN g(p, '01') END
          FROM sides, unnest('{03,04,05}'::text[]) AS n;
        INSERT INTO stock_movements (tenant_id, id, product_id, site_id, quantity, kind, actor_kind, actor_name)
        SELECT tenant, g(p, w.n), g(p, w.product), (p || '000000-0000-7000-8000-0000000000' || w.site)::uuid, w.quantity, 'receipt', 'system', 'tests'
          FROM sides, (VALUES ('31', '03', '11', 111), ('3a', '03', '12', 45), ('3b', '05', '11', 5)) AS w (n, product, site, quantity);
        INSERT INTO stock_transfers (tenant_id, id, product_id, from_site_id, to_site_id, quantity)
        SELECT tenant, g(p, '32'), g(p, '03'), t01::uuid, (p || '000000-0000-7000-8000-000000000012')::uuid, 5 FROM sides;
        INSERT INTO stock_movements (tenant_id, id, product_id, site_id, quantity, kind, transfer_id, actor_kind, actor_name)
        SELECT tenant, g(p, w.n), g(p, '03'), (p || '000000-0000-7000-8000-0000000000' || w.site)::uuid, w.quantity, w.kind, g(p, '32'),
               'system', 'tests'
          FROM sides, (VALUES ('33', '11', -5, 'transfer_out'), ('34', '12', 5, 'transfer_in')) AS w (n, site, quantity, kind);
        INSERT INTO vales (tenant_id, id, site_id) SELECT tenant, g(p, n), t01::uuid FROM sides, unnest('{11,12,13}'::text[]) AS n;
        INSERT INTO vale_lines (tenant_id, vale_id, product_id, position, quantity, price, currency)
        SELECT tenant_id, id, g(left(id::text, 2), '03'), 0, 2, 2.50, 'EUR' FROM vales;
        INSERT INTO stock_movements (tenant_id, id, product_id, site_id, quantity, kind, vale_id, actor_kind, actor_name)
        SELECT tenant_id, gen_random_uuid(), product_id, (left(vale_id::text, 2) || '000000-0000-7000-8000-000000000011')::uuid, -quantity,
               'vale', vale_id, 'system', 'tests' FROM vale_lines;
        INSERT INTO purchase_requests (tenant_id, id, site_id, currency, requester_id, status)
        SELECT tenant, g(p, n), t01::uuid, 'EUR', gen_random_uuid(), CASE n WHEN '24' THEN 'submitted' ELSE 'draft' END
          FROM sides, unnest('{21,22,23,24}'::text[]) AS n;
        INSERT INTO purchase_request_lines (tenant_id, purchase_request_id, product_id, position, quantity, price)
        SELECT tenant_id, id, g(left(id::text, 2), '03'), 0, 10, 2 FROM purchase_requests;
        INSERT INTO purchase_request_steps (tenant_id, id, purchase_request_id, step, status, actor_kind, actor_name)
        SELECT tenant_id, gen_random_uuid(), id, 'create', 'draft', 'system', 'tests' FROM purchase_requests;
        -- What the database tells by itself of the orphans that were put there.
        DELETE FROM events WHERE position IS NULL;
        DROP TABLE sides;
        DROP FUNCTION g(text, text);
        """
}
