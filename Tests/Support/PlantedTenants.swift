import FoundationEssentials
import Postgres
import Shared

extension MigratedDatabase {
    /// Makes a tenant as onboarding would.
    package func plantTenant(_ slug: String, plan: Plan = .enterprise) async throws -> Tenant {
        try await asSuperuser { connection in
            let rows: [Tenant] = try await connection.all(
                """
                INSERT INTO tenants (uuid, slug, name, plan) VALUES (\(UUID()), \(slug), \(slug), \(plan.rawValue))
                RETURNING id, uuid, slug, plan, is_active
                """)
            return rows[0]
        }
    }

    /// A row of each of two tenants in every table that has a tenant, by a superuser. Foreign keys hold.
    package func plantRowsOfTwoTenants() async throws -> (TenantID, TenantID) {
        let first = try await plantTenant("first").id
        let second = try await plantTenant("second").id
        try await asSuperuser { connection in
            for tenant in [first, second] {
                for command in Self.oneRowEach(tenant) { try await connection.run(command) }
            }
        }
        return (first, second)
    }

    /// In the order of their foreign keys.
    private static func oneRowEach(_ tenant: TenantID) -> [Command] {
        places(tenant) + credentials(tenant) + samples(tenant) + uplinks(tenant) + goods(tenant) + news(tenant)
    }

    private static func places(_ tenant: TenantID) -> [Command] {
        let (user, site, space, profile, session) = (UUID(), UUID(), UUID(), UUID(), UUID())
        let email = "\(user)@example.com".lowercased()
        return [
            "INSERT INTO users (id, email, name) VALUES (\(user), \(email), 'Somebody')",
            "INSERT INTO memberships (tenant_id, user_id, role) VALUES (\(tenant), \(user), 'viewer')",
            "INSERT INTO sessions (tenant_id, id, user_id) VALUES (\(tenant), \(session), \(user))",
            """
            INSERT INTO refresh_tokens (tenant_id, sha256, session_id, expires_at)
            VALUES (\(tenant), sha256('x'), \(session), now())
            """,
            "INSERT INTO sites (tenant_id, id, owner_id, code, name) VALUES (\(tenant), \(site), 1, 'T01', 'Store')",
            "INSERT INTO site_states (tenant_id, owner_id, last_seen_at) VALUES (\(tenant), 1, now())",
            "INSERT INTO spaces (tenant_id, id, site_id, code, name) VALUES (\(tenant), \(space), \(site), 'B1', 'Bay')",
            "INSERT INTO device_profiles (tenant_id, id, name) VALUES (\(tenant), \(profile), 'Bay sensor')",
            """
            INSERT INTO devices (tenant_id, id, owner_id, device_eui, name, profile_id, site_id, space_id)
            VALUES (\(tenant), \(UUID()), 2, '70b3d57ed0000001', 'Sensor', \(profile), \(site), \(space))
            """,
            """
            INSERT INTO api_keys (tenant_id, id, kind, site_id, name, prefix, sha256)
            VALUES (\(tenant), \(UUID()), 'store', \(site), 'Key', 'store_x', sha256('x'))
            """,
        ]
    }

    private static func credentials(_ tenant: TenantID) -> [Command] {
        let integration = UUID()
        return [
            """
            INSERT INTO integrations (tenant_id, id, name, dialect, auth)
            VALUES (\(tenant), \(integration), 'Network', 'generic', 'hmac')
            """,
            """
            INSERT INTO integration_secrets (tenant_id, id, integration_id, master_key_id, sealed)
            VALUES (\(tenant), \(UUID()), \(integration), 'k1', decode(repeat('00', 40), 'hex'))
            """,
            "INSERT INTO integration_routes (integration_id, tenant_id) VALUES (\(integration), \(tenant))",
            """
            INSERT INTO webhook_messages (tenant_id, integration_id, id_hash)
            VALUES (\(tenant), \(integration), \(UUID()))
            """,
            """
            INSERT INTO quarantine (tenant_id, id, integration_id, reason, body)
            VALUES (\(tenant), \(UUID()), \(integration), 'dialect_unsupported', 'x')
            """,
            """
            INSERT INTO audit_logs (tenant_id, id, actor_kind, actor_name, action, resource_type)
            VALUES (\(tenant), \(UUID()), 'system', 'tests', 'planted', 'tenant')
            """,
        ]
    }

    private static func samples(_ tenant: TenantID) -> [Command] {
        [
            """
            INSERT INTO series (tenant_id, id, owner_id, metric, identity)
            OVERRIDING SYSTEM VALUE VALUES (\(tenant), 1, 1, 'pos.sales_total', \(UUID()))
            """,
            "INSERT INTO series_labels (tenant_id, key, value, series_id) VALUES (\(tenant), 'till', '3', 1)",
            "INSERT INTO series_counts (tenant_id, count) VALUES (\(tenant), 1)",
            SampleRun.append([(1, SampleRun(series: [1], ts: [2_000_000], values: [1]))], of: tenant),
            """
            INSERT INTO sample_chunks (tenant_id, series_id, starts_at, ends_at, unit, steps, value, samples)
            VALUES (\(tenant), 1, 0, 0, 1000, '{}', '{1}', 1)
            """,
            "INSERT INTO batch_keys (tenant_id, owner_id, key, slot) VALUES (\(tenant), 1, \(UUID()), 0)",
        ]
    }

    private static func uplinks(_ tenant: TenantID) -> [Command] {
        [
            "INSERT INTO device_states (tenant_id, owner_id) VALUES (\(tenant), 2), (\(tenant), 3)",
            """
            INSERT INTO device_epochs (tenant_id, owner_id, epoch, reference, highest_fcnt) VALUES (\(tenant), 2, 0, '', 1)
            """,
            """
            INSERT INTO uplink_keys (tenant_id, owner_id, epoch, fcnt, payload_hash, received_at)
            VALUES (\(tenant), 2, 0, 1, \(UUID()), now())
            """,
            "INSERT INTO uplink_ids (tenant_id, owner_id, id_hash, epoch, fcnt) VALUES (\(tenant), 2, \(UUID()), 0, 1)",
            """
            INSERT INTO uplinks (tenant_id, owner_id, received_at, epoch, fcnt, arrived_at, clock_used, integration_id)
            VALUES (\(tenant), 2, now(), 0, 1, now(), false, \(UUID()))
            """,
            """
            INSERT INTO orphan_devices (tenant_id, id, owner_id, device_eui, integration_id, first_seen_at, last_seen_at)
            VALUES (\(tenant), \(UUID()), 3, '70b3d57ed00000ff', \(UUID()), now(), now())
            """,
            """
            INSERT INTO orphan_uplinks (tenant_id, owner_id, received_at, epoch, fcnt, arrived_at, clock_used, integration_id)
            VALUES (\(tenant), 3, now(), 0, 1, now(), false, \(UUID()))
            """,
        ]
    }

    private static func goods(_ tenant: TenantID) -> [Command] {
        let (site, supplier, product, vale, request) = (UUID(), UUID(), UUID(), UUID(), UUID())
        return [
            "INSERT INTO sites (tenant_id, id, owner_id, code, name) VALUES (\(tenant), \(site), 4, 'G01', 'Goods')",
            "INSERT INTO suppliers (tenant_id, id, name) VALUES (\(tenant), \(supplier), 'Supplier')",
            """
            INSERT INTO products (tenant_id, id, sku, name, unit, price, currency, supplier_id)
            VALUES (\(tenant), \(product), 'P-1', 'Product', 'piece', 1, 'EUR', \(supplier))
            """,
            """
            INSERT INTO stock_movements (tenant_id, id, product_id, site_id, quantity, kind, actor_kind, actor_name)
            VALUES (\(tenant), \(UUID()), \(product), \(site), 5, 'receipt', 'system', 'tests')
            """,
            "INSERT INTO vales (tenant_id, id, site_id) VALUES (\(tenant), \(vale), \(site))",
            """
            INSERT INTO vale_lines (tenant_id, vale_id, product_id, position, quantity, price, currency)
            VALUES (\(tenant), \(vale), \(product), 0, 1, 1, 'EUR')
            """,
            """
            INSERT INTO stock_transfers (tenant_id, id, product_id, from_site_id, to_site_id, quantity)
            SELECT \(tenant), \(UUID()), \(product), \(site), id, 1 FROM sites WHERE tenant_id = \(tenant) AND id <> \(site)
            """,
            """
            INSERT INTO purchase_requests (tenant_id, id, site_id, currency, requester_id)
            VALUES (\(tenant), \(request), \(site), 'EUR', \(UUID()))
            """,
            """
            INSERT INTO purchase_request_lines (tenant_id, purchase_request_id, product_id, position, quantity, price)
            VALUES (\(tenant), \(request), \(product), 0, 1, 1)
            """,
            """
            INSERT INTO purchase_request_steps (tenant_id, id, purchase_request_id, step, status, actor_kind, actor_name)
            VALUES (\(tenant), \(UUID()), \(request), 'create', 'draft', 'system', 'tests')
            """,
        ]
    }

    private static func news(_ tenant: TenantID) -> [Command] {
        let (event, endpoint, alert) = (UUID(), UUID(), UUID())
        return [
            "INSERT INTO events (tenant_id, id, type, data) VALUES (\(tenant), \(event), 'vale.created', '{}')",
            "INSERT INTO event_positions (tenant_id, last) VALUES (\(tenant), 0)",
            "INSERT INTO webhook_endpoints (tenant_id, id, url) VALUES (\(tenant), \(endpoint), 'https://example.com')",
            """
            INSERT INTO webhook_secrets (tenant_id, id, endpoint_id, master_key_id, sealed)
            VALUES (\(tenant), \(UUID()), \(endpoint), 'k1', decode(repeat('00', 40), 'hex'))
            """,
            """
            INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, event_id)
            VALUES (\(tenant), \(UUID()), \(endpoint), \(event))
            """,
            """
            INSERT INTO alerts (tenant_id, id, kind, severity, subject_type, subject_id, subject_name)
            VALUES (\(tenant), \(alert), 'low_stock', 'warning', 'product', \(UUID()), 'Product')
            """,
            """
            INSERT INTO alert_comments (tenant_id, id, alert_id, actor_kind, actor_name, text)
            VALUES (\(tenant), \(UUID()), \(alert), 'system', 'tests', 'Seen')
            """,
            """
            INSERT INTO notifications (tenant_id, id, channel, recipient, subject, body)
            VALUES (\(tenant), \(UUID()), 'email', 'somebody@example.com', 'Low stock', 'Product')
            """,
            "INSERT INTO weekly_reports (tenant_id, id, week, report) VALUES (\(tenant), \(UUID()), '2026-01-04', '{}')",
        ]
    }
}
