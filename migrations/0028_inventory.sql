-- Goods: suppliers, products, the ledger of their stock, vales that take goods out, and requests to buy some.

CREATE TABLE suppliers (
    tenant_id      int NOT NULL REFERENCES tenants,
    id             uuid NOT NULL,
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    tax_id         text CHECK (length(tax_id) <= 64),
    contact        text CHECK (length(contact) <= 200),
    email          text CHECK (length(email) <= 254),
    phone          text CHECK (length(phone) <= 32),
    lead_time_days int CHECK (lead_time_days BETWEEN 0 AND 3650),
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    deleted_at     timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CALL fence('suppliers');
GRANT SELECT, INSERT ON suppliers TO pulsegate_query;
GRANT UPDATE (name, tax_id, contact, email, phone, lead_time_days, updated_at, deleted_at) ON suppliers TO pulsegate_query;
GRANT SELECT, INSERT ON suppliers TO pulsegate_system;

CREATE TABLE products (
    tenant_id   int NOT NULL REFERENCES tenants,
    id          uuid NOT NULL,
    sku         text NOT NULL CHECK (length(sku) BETWEEN 1 AND 64),
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text CHECK (length(description) <= 2000),
    unit        text NOT NULL CHECK (length(unit) BETWEEN 1 AND 32),
    price       numeric(14, 2) NOT NULL CHECK (price >= 0),
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    min_stock   numeric(14, 3) NOT NULL DEFAULT 0 CHECK (min_stock >= 0), -- 0: nobody watches it
    supplier_id uuid,
    is_active   boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, supplier_id) REFERENCES suppliers
);
CREATE UNIQUE INDEX products_sku ON products (tenant_id, sku) WHERE deleted_at IS NULL;
CREATE INDEX products_of_supplier ON products (tenant_id, supplier_id) WHERE deleted_at IS NULL AND supplier_id IS NOT NULL;
CREATE INDEX products_watched ON products (tenant_id, id) WHERE deleted_at IS NULL AND is_active AND min_stock > 0;
CALL fence('products');
GRANT SELECT, INSERT ON products TO pulsegate_query;
GRANT UPDATE (sku, name, description, unit, price, currency, min_stock, supplier_id, is_active, updated_at, deleted_at)
    ON products TO pulsegate_query;
GRANT SELECT, INSERT ON products TO pulsegate_system;

-- What is where now: the sum of its movements, which alone change it, by the trigger below. No role may write quantities.
CREATE TABLE stock_levels (
    tenant_id  int NOT NULL,
    product_id uuid NOT NULL,
    site_id    uuid NOT NULL,
    quantity   numeric(14, 3) NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, product_id, site_id),
    FOREIGN KEY (tenant_id, product_id) REFERENCES products,
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites,
    CONSTRAINT stock_levels_quantity CHECK (quantity >= 0)
) WITH (fillfactor = 70);
CREATE INDEX stock_levels_of_site ON stock_levels (tenant_id, site_id, product_id);
CALL fence('stock_levels');
-- To lock a row takes the right to change something of it.
GRANT SELECT, UPDATE (updated_at) ON stock_levels TO pulsegate_query;
GRANT SELECT ON stock_levels TO pulsegate_system;

-- Vales take goods out of a site.
CREATE TABLE vales (
    tenant_id    int NOT NULL REFERENCES tenants,
    id           uuid NOT NULL,
    number       bigint NOT NULL, -- without gaps; the trigger below gives it
    site_id      uuid NOT NULL,
    requested_by text CHECK (length(requested_by) BETWEEN 1 AND 200),
    note         text CHECK (length(note) <= 2000),
    status       text NOT NULL DEFAULT 'issued' CHECK (status IN ('issued', 'delivered', 'cancelled')),
    request_id   text CHECK (length(request_id) BETWEEN 1 AND 200),
    delivered_at timestamptz,
    cancelled_at timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    deleted_at   timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, number),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites,
    CONSTRAINT vales_deleted CHECK (deleted_at IS NULL OR status = 'cancelled'),
    CONSTRAINT vales_delivered CHECK ((status = 'delivered') = (delivered_at IS NOT NULL)),
    CONSTRAINT vales_cancelled CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL))
);
CREATE INDEX vales_of_site ON vales (tenant_id, site_id, number) WHERE deleted_at IS NULL;
CREATE INDEX vales_issued ON vales (tenant_id, number) WHERE deleted_at IS NULL AND status = 'issued';
CREATE INDEX vales_created ON vales (tenant_id, created_at);
CREATE INDEX vales_delivered_at ON vales (tenant_id, delivered_at) WHERE delivered_at IS NOT NULL;
CREATE INDEX vales_cancelled_at ON vales (tenant_id, cancelled_at) WHERE cancelled_at IS NOT NULL;
CALL fence('vales');
GRANT SELECT, INSERT (tenant_id, id, site_id, requested_by, note, request_id) ON vales TO pulsegate_query;
GRANT UPDATE (site_id, requested_by, note, status, delivered_at, cancelled_at, updated_at, deleted_at) ON vales TO pulsegate_query;
GRANT SELECT ON vales TO pulsegate_system;

CREATE TABLE vale_lines (
    tenant_id  int NOT NULL,
    vale_id    uuid NOT NULL,
    product_id uuid NOT NULL,
    position   int NOT NULL, -- as they were named
    quantity   numeric(14, 3) NOT NULL CHECK (quantity > 0),
    price      numeric(14, 2) NOT NULL CHECK (price >= 0), -- of the product when it was put in
    currency   text NOT NULL,
    PRIMARY KEY (tenant_id, vale_id, product_id),
    FOREIGN KEY (tenant_id, vale_id) REFERENCES vales,
    FOREIGN KEY (tenant_id, product_id) REFERENCES products
);
CALL fence('vale_lines');
GRANT SELECT, INSERT, DELETE, UPDATE (position, quantity) ON vale_lines TO pulsegate_query;
GRANT SELECT ON vale_lines TO pulsegate_system;

-- The last number of each tenant. Whoever takes one holds the row until the end of the transaction, so none is lost by a rollback: to be
-- taken last, after the locks on stock.
CREATE TABLE vale_numbers (
    tenant_id int PRIMARY KEY REFERENCES tenants,
    last      bigint NOT NULL
) WITH (fillfactor = 20);
CALL fence('vale_numbers');
GRANT SELECT ON vale_numbers TO pulsegate_system;

CREATE FUNCTION number_vale() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO vale_numbers AS n (tenant_id, last) VALUES (NEW.tenant_id, 1)
    ON CONFLICT (tenant_id) DO UPDATE SET last = n.last + 1
    RETURNING n.last INTO NEW.number;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION number_vale FROM PUBLIC;
CREATE TRIGGER number_vale BEFORE INSERT ON vales FOR EACH ROW EXECUTE FUNCTION number_vale();

-- From one site to another; its two legs are movements.
CREATE TABLE stock_transfers (
    tenant_id    int NOT NULL REFERENCES tenants,
    id           uuid NOT NULL,
    product_id   uuid NOT NULL,
    from_site_id uuid NOT NULL,
    to_site_id   uuid NOT NULL,
    quantity     numeric(14, 3) NOT NULL CHECK (quantity > 0),
    reference    text CHECK (length(reference) <= 200),
    reason       text CHECK (length(reason) <= 2000),
    request_id   text CHECK (length(request_id) BETWEEN 1 AND 200),
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, product_id) REFERENCES products,
    FOREIGN KEY (tenant_id, from_site_id) REFERENCES sites,
    FOREIGN KEY (tenant_id, to_site_id) REFERENCES sites,
    CHECK (from_site_id <> to_site_id)
);
CALL fence('stock_transfers');
GRANT SELECT, INSERT ON stock_transfers TO pulsegate_query;
GRANT SELECT ON stock_transfers TO pulsegate_system;

CREATE TABLE purchase_requests (
    tenant_id       int NOT NULL REFERENCES tenants,
    id              uuid NOT NULL,
    site_id         uuid NOT NULL,
    status          text NOT NULL DEFAULT 'draft'
                    CHECK (status IN ('draft', 'submitted', 'approved', 'rejected', 'received', 'cancelled')),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'), -- of all its lines
    needed_by       date,
    note            text CHECK (length(note) <= 2000),
    request_id      text CHECK (length(request_id) BETWEEN 1 AND 200),
    requester_id    uuid NOT NULL, -- who may not approve it
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at      timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites
);
CREATE INDEX purchase_requests_of_site ON purchase_requests (tenant_id, site_id, id) WHERE deleted_at IS NULL;
CREATE INDEX purchase_requests_by_status ON purchase_requests (tenant_id, status, id) WHERE deleted_at IS NULL;
CREATE INDEX purchase_requests_drafts ON purchase_requests (tenant_id, updated_at) WHERE deleted_at IS NULL AND status = 'draft';
CALL fence('purchase_requests');
GRANT SELECT, INSERT ON purchase_requests TO pulsegate_query;
GRANT UPDATE (site_id, status, currency, needed_by, note, updated_at, deleted_at) ON purchase_requests TO pulsegate_query;
GRANT SELECT, UPDATE (deleted_at, updated_at) ON purchase_requests TO pulsegate_system;

CREATE TABLE purchase_request_lines (
    tenant_id           int NOT NULL,
    purchase_request_id uuid NOT NULL,
    product_id          uuid NOT NULL,
    position            int NOT NULL,
    quantity            numeric(14, 3) NOT NULL CHECK (quantity > 0),
    price               numeric(14, 2) NOT NULL CHECK (price >= 0), -- expected
    supplier_id         uuid,
    received            numeric(14, 3) NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, purchase_request_id, product_id),
    FOREIGN KEY (tenant_id, purchase_request_id) REFERENCES purchase_requests,
    FOREIGN KEY (tenant_id, product_id) REFERENCES products,
    FOREIGN KEY (tenant_id, supplier_id) REFERENCES suppliers,
    CONSTRAINT purchase_request_lines_received CHECK (received BETWEEN 0 AND quantity)
);
CREATE INDEX purchase_request_lines_of_product ON purchase_request_lines (tenant_id, product_id);
CALL fence('purchase_request_lines');
GRANT SELECT, INSERT, DELETE, UPDATE (received) ON purchase_request_lines TO pulsegate_query;
GRANT SELECT ON purchase_request_lines TO pulsegate_system;

-- What became of a request, by whom and when. Append-only.
CREATE TABLE purchase_request_steps (
    tenant_id           int NOT NULL,
    id                  uuid NOT NULL,
    purchase_request_id uuid NOT NULL,
    step                text NOT NULL CHECK (step IN ('create', 'change', 'submit', 'approve', 'reject', 'receive', 'cancel')),
    status              text NOT NULL, -- afterwards
    at                  timestamptz NOT NULL DEFAULT now(),
    actor_kind          text NOT NULL,
    actor_id            uuid,
    actor_name          text NOT NULL,
    reason              text CHECK (length(reason) <= 2000),
    lines               jsonb, -- what was received
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, purchase_request_id) REFERENCES purchase_requests
);
CREATE INDEX purchase_request_steps_of_request ON purchase_request_steps (tenant_id, purchase_request_id, id);
CALL fence('purchase_request_steps');
GRANT SELECT, INSERT ON purchase_request_steps TO pulsegate_query;
GRANT SELECT ON purchase_request_steps TO pulsegate_system;

-- The ledger. Append-only for every role that can log in: what was wrong is put right by another movement.
CREATE TABLE stock_movements (
    tenant_id           int NOT NULL,
    id                  uuid NOT NULL,
    product_id          uuid NOT NULL,
    site_id             uuid NOT NULL,
    quantity            numeric(14, 3) NOT NULL,
    kind                text NOT NULL,
    reference           text CHECK (length(reference) <= 200),
    reason              text CHECK (length(reason) <= 2000),
    vale_id             uuid,
    transfer_id         uuid,
    purchase_request_id uuid,
    request_id          text CHECK (length(request_id) BETWEEN 1 AND 200),
    actor_kind          text NOT NULL,
    actor_id            uuid,
    actor_name          text NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    -- At COMMIT: the trigger below makes the level that this names.
    FOREIGN KEY (tenant_id, product_id, site_id) REFERENCES stock_levels DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (tenant_id, vale_id) REFERENCES vales,
    FOREIGN KEY (tenant_id, transfer_id) REFERENCES stock_transfers,
    FOREIGN KEY (tenant_id, purchase_request_id) REFERENCES purchase_requests,
    CONSTRAINT stock_movements_sign CHECK (CASE WHEN kind IN ('receipt', 'transfer_in', 'vale_return', 'purchase') THEN quantity > 0
                                                WHEN kind IN ('issue', 'transfer_out', 'vale') THEN quantity < 0
                                                WHEN kind = 'adjustment' THEN quantity <> 0 ELSE false END),
    CONSTRAINT stock_movements_cause CHECK ((kind IN ('vale', 'vale_return')) = (vale_id IS NOT NULL)
                                        AND (kind IN ('transfer_in', 'transfer_out')) = (transfer_id IS NOT NULL)
                                        AND (kind = 'purchase') = (purchase_request_id IS NOT NULL))
);
CREATE INDEX stock_movements_of_product ON stock_movements (tenant_id, product_id, id);
CREATE INDEX stock_movements_of_site ON stock_movements (tenant_id, site_id, id);
CREATE INDEX stock_movements_of_vale ON stock_movements (tenant_id, vale_id) WHERE vale_id IS NOT NULL;
CREATE INDEX stock_movements_of_transfer ON stock_movements (tenant_id, transfer_id) WHERE transfer_id IS NOT NULL;
CREATE INDEX stock_movements_of_purchase ON stock_movements (tenant_id, purchase_request_id) WHERE purchase_request_id IS NOT NULL;
CALL fence('stock_movements');
GRANT SELECT, INSERT ON stock_movements TO pulsegate_query;
GRANT SELECT ON stock_movements TO pulsegate_system;

-- A level is changed by its movements and by nothing else. Whoever writes several locks their levels first, in the order of product and
-- site, so that two never wait for each other.
CREATE FUNCTION move_stock() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    WITH moved AS MATERIALIZED (
        SELECT m.tenant_id, m.product_id, m.site_id, sum(m.quantity) AS quantity FROM made m GROUP BY 1, 2, 3
    ), changed AS (
        UPDATE stock_levels l SET quantity = l.quantity + m.quantity, updated_at = now()
          FROM moved m
         WHERE l.tenant_id = m.tenant_id AND l.product_id = m.product_id AND l.site_id = m.site_id
        RETURNING l.tenant_id, l.product_id, l.site_id
    )
    INSERT INTO stock_levels AS l (tenant_id, product_id, site_id, quantity)
    SELECT m.tenant_id, m.product_id, m.site_id, m.quantity
      FROM moved m
     WHERE NOT EXISTS (SELECT FROM changed c
                        WHERE c.tenant_id = m.tenant_id AND c.product_id = m.product_id AND c.site_id = m.site_id)
     ORDER BY m.tenant_id, m.product_id, m.site_id
    ON CONFLICT (tenant_id, product_id, site_id)
    DO UPDATE SET quantity = l.quantity + excluded.quantity, updated_at = now();
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION move_stock FROM PUBLIC;
CREATE TRIGGER move_stock AFTER INSERT ON stock_movements REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION move_stock();

-- What must be empty, always; `pulsegate doctor` looks.
CREATE VIEW stock_differences WITH (security_invoker = true) AS
SELECT tenant_id, product_id, site_id, coalesce(l.quantity, 0) AS level, coalesce(m.quantity, 0) AS moved
  FROM stock_levels l
  FULL JOIN (SELECT tenant_id, product_id, site_id, sum(quantity) AS quantity FROM stock_movements GROUP BY 1, 2, 3) m
       USING (tenant_id, product_id, site_id)
 WHERE coalesce(l.quantity, 0) <> coalesce(m.quantity, 0) OR l.quantity < 0;
CREATE VIEW broken_transfers WITH (security_invoker = true) AS
SELECT t.tenant_id, t.id
  FROM stock_transfers t
 WHERE NOT EXISTS (SELECT FROM stock_movements a
                     JOIN stock_movements b ON b.tenant_id = a.tenant_id AND b.transfer_id = a.transfer_id AND b.kind = 'transfer_in'
                    WHERE a.tenant_id = t.tenant_id AND a.transfer_id = t.id AND a.kind = 'transfer_out'
                      AND a.site_id = t.from_site_id AND b.site_id = t.to_site_id AND a.quantity = -t.quantity
                      AND b.quantity = t.quantity AND a.product_id = t.product_id AND b.product_id = t.product_id)
    OR (SELECT count(*) FROM stock_movements m WHERE m.tenant_id = t.tenant_id AND m.transfer_id = t.id) <> 2;
-- What a vale holds is what was taken for it: its lines while it is issued or delivered, nothing once it is cancelled.
CREATE VIEW vale_differences WITH (security_invoker = true) AS
SELECT tenant_id, vale_id, product_id, site_id, coalesce(w.quantity, 0) AS wanted, coalesce(m.quantity, 0) AS taken
  FROM (SELECT l.tenant_id, l.vale_id, l.product_id, v.site_id, l.quantity
          FROM vale_lines l JOIN vales v ON v.tenant_id = l.tenant_id AND v.id = l.vale_id
         WHERE v.status <> 'cancelled') w
  FULL JOIN (SELECT tenant_id, vale_id, product_id, site_id, -sum(quantity) AS quantity
               FROM stock_movements WHERE vale_id IS NOT NULL GROUP BY 1, 2, 3, 4) m
       USING (tenant_id, vale_id, product_id, site_id)
 WHERE coalesce(w.quantity, 0) <> coalesce(m.quantity, 0);
CREATE VIEW vale_number_gaps WITH (security_invoker = true) AS
SELECT n.tenant_id, n.last, count(v.number) AS vales, max(v.number) AS highest
  FROM vale_numbers n LEFT JOIN vales v ON v.tenant_id = n.tenant_id
 GROUP BY n.tenant_id, n.last HAVING n.last <> count(v.number) OR n.last <> coalesce(max(v.number), 0);
-- What a request counts as received is what was booked for it.
CREATE VIEW receipt_differences WITH (security_invoker = true) AS
SELECT tenant_id, purchase_request_id, product_id, coalesce(l.received, 0) AS received, coalesce(m.quantity, 0) AS booked
  FROM purchase_request_lines l
  FULL JOIN (SELECT tenant_id, purchase_request_id, product_id, sum(quantity) AS quantity
               FROM stock_movements WHERE purchase_request_id IS NOT NULL GROUP BY 1, 2, 3) m
       USING (tenant_id, purchase_request_id, product_id)
 WHERE coalesce(l.received, 0) <> coalesce(m.quantity, 0);
GRANT SELECT ON stock_differences, broken_transfers, vale_differences, vale_number_gaps, receipt_differences TO pulsegate_system;
