import Foundation
import Postgres
import Shared

/// What tests of the query API find in their database: `north` and `south`, which have the same codes and the same EUI,
/// so that mixing them up shows, and people of every kind.
package enum TwoTenants {
    package static let password = "correct horse battery"

    package static let north = fixedID("0a000000-0000-4000-8000-000000000001")
    package static let south = fixedID("0b000000-0000-4000-8000-000000000001")

    /// Of a member of one or both tenants, by the part before `@example.com`.
    package static let owner = "owner"
    package static let viewer = "viewer"
    /// Viewer of north, of its site T02 alone.
    package static let limited = "limited"
    /// Member of north in a role without any scope.
    package static let guest = "guest"
    package static let southern = "southern"
    package static let both = "both"
    /// Knows the password and is a member of nothing.
    package static let nobody = "nobody"

    package static let t01 = fixedID("0a000000-0000-7000-8000-000000000011")
    package static let t02 = fixedID("0a000000-0000-7000-8000-000000000012")
    package static let p01 = fixedID("0a000000-0000-7000-8000-000000000014")
    package static let bay = fixedID("0a000000-0000-7000-8000-000000000021")
    package static let room = fixedID("0a000000-0000-7000-8000-000000000022")
    package static let secondBay = fixedID("0a000000-0000-7000-8000-000000000023")
    /// Pending, of `bay`, at noon of 2031-01-06.
    package static let reservation = fixedID("0a000000-0000-7000-8000-0000000000b1")
    /// Confirmed, of `bay`: it began ten minutes ago.
    package static let begunReservation = fixedID("0a000000-0000-7000-8000-0000000000b2")
    package static let southernReservation = fixedID("0b000000-0000-7000-8000-0000000000b1")
    package static let feed = fixedID("0a000000-0000-7000-8000-0000000000c1")
    package static let southernFeed = fixedID("0b000000-0000-7000-8000-0000000000c1")
    /// Firing, of no site.
    package static let alert = fixedID("0a000000-0000-7000-8000-0000000000d1")
    package static let southernAlert = fixedID("0b000000-0000-7000-8000-0000000000d1")
    package static let storeKey = fixedID("0a000000-0000-7000-8000-000000000061")
    package static let serviceKey = fixedID("0a000000-0000-7000-8000-000000000062")
    package static let southernKey = fixedID("0b000000-0000-7000-8000-000000000061")
    package static let role = fixedID("0a000000-0000-7000-8000-000000000071")
    /// Nobody has it.
    package static let unusedRole = fixedID("0a000000-0000-7000-8000-000000000072")
    package static let southernRole = fixedID("0b000000-0000-7000-8000-000000000071")
    /// Of `newcomer@example.com`, in either tenant.
    package static let invitation = fixedID("0a000000-0000-7000-8000-000000000081")
    /// Of `second@example.com`, in north alone.
    package static let erasable = fixedID("0a000000-0000-7000-8000-000000000082")
    package static let southernInvitation = fixedID("0b000000-0000-7000-8000-000000000081")
    package static let integration = fixedID("0a000000-0000-7000-8000-000000000091")
    package static let integrationSecret = fixedID("0a000000-0000-7000-8000-000000000092")
    package static let southernIntegration = fixedID("0b000000-0000-7000-8000-000000000091")
    package static let southernSecret = fixedID("0b000000-0000-7000-8000-000000000092")
    package static let endpoint = fixedID("0a000000-0000-7000-8000-0000000000d1")
    package static let southernEndpoint = fixedID("0b000000-0000-7000-8000-0000000000d1")
    /// The one that either tenant has.
    package static let event = fixedID("0a000000-0000-7000-8000-0000000000d2")
    package static let southernEvent = fixedID("0b000000-0000-7000-8000-0000000000d2")
    /// Dead, of an event that `endpoint` was owed.
    package static let delivery = fixedID("0a000000-0000-7000-8000-0000000000d3")
    package static let southernDelivery = fixedID("0b000000-0000-7000-8000-0000000000d3")
    package static let export = fixedID("0a000000-0000-7000-8000-0000000000a1")
    package static let southernExport = fixedID("0b000000-0000-7000-8000-0000000000a1")
    /// Five entries of the audit log, 1 to 5, are north's.
    package static let auditLog = fixedID("0a000000-0000-7000-8000-000000000051")
    package static let southernAuditLog = fixedID("0b000000-0000-7000-8000-000000000050")
    package static let profile = fixedID("0a000000-0000-7000-8000-000000000031")
    /// No device has it.
    package static let unusedProfile = fixedID("0a000000-0000-7000-8000-000000000032")
    package static let southernStore = fixedID("0b000000-0000-7000-8000-000000000011")
    package static let southernSpace = fixedID("0b000000-0000-7000-8000-000000000021")
    package static let southernProfile = fixedID("0b000000-0000-7000-8000-000000000031")

    /// Both tenants have it.
    package static let bayEUI = "70b3d57ed0000001"
    package static let roomEUI = "70b3d57ed0000002"
    package static let looseEUI = "70b3d57ed0000003"
    package static let southernEUI = "70b3d57ed00000ff"
    package static let orphanEUI = "70b3d57ed0000099"
    package static let southernOrphanEUI = "70b3d57ed000009f"

    /// 2026-01-05T00:00:00Z: when the fixed samples and readings begin, in microseconds.
    package static let start: Int64 = 1_767_571_200_000_000

    package static func email(_ user: String) -> String { "\(user)@example.com" }

    /// Makes a database with all of this for the time of `body`.
    package static func withDatabase<Value: Sendable>(
        _ body: @Sendable (MigratedDatabase) async throws -> Value
    ) async throws -> Value {
        try await MigratedDatabase.withClone(of: template.value, body)
    }

    /// Filled by the first who asks.
    private static let template = Task {
        let database = MigratedDatabase(name: try await MigratedDatabase.clone())
        try await settle(in: database)
        return database.name
    }

    /// Fills a migrated database, as its superuser.
    private static func settle(in database: MigratedDatabase) async throws {
        let hash = try await PasswordHasher(threads: 1).hash(password)
        try await database.asSuperuser { connection in
            try await connection.execute(script: script)
            try await connection.execute(script: goodsScript)
            try await connection.run("UPDATE users SET password_hash = \(hash)")
        }
    }

    private static let script = """
        INSERT INTO tenants (uuid, slug, name, plan) VALUES
            ('0a000000-0000-4000-8000-000000000001', 'north', 'North Ltd', 'premium'),
            ('0b000000-0000-4000-8000-000000000001', 'south', 'South Ltd', 'basic');
        CREATE FUNCTION n() RETURNS int LANGUAGE sql AS $$ SELECT id FROM tenants WHERE slug = 'north' $$;
        CREATE FUNCTION s() RETURNS int LANGUAGE sql AS $$ SELECT id FROM tenants WHERE slug = 'south' $$;

        INSERT INTO users (id, email, name) 
        SELECT gen_random_uuid(), name || '@example.com', initcap(name)
          FROM unnest(ARRAY['owner', 'viewer', 'limited', 'southern', 'both', 'guest', 'nobody']) AS name;
        INSERT INTO roles (tenant_id, id, name, scopes) VALUES
            (n(), '0a000000-0000-7000-8000-000000000071', 'guest', '{}'),
            (n(), '0a000000-0000-7000-8000-000000000072', 'unused', '{}'),
            (s(), '0b000000-0000-7000-8000-000000000071', 'guest', '{}');
        INSERT INTO invitations (tenant_id, id, email, name, role, sha256, expires_at) VALUES
            (n(), '0a000000-0000-7000-8000-000000000081', 'newcomer@example.com', 'Newcomer', 'viewer',
             sha256('northern invitation'), now() + interval '1 day'),
            (n(), '0a000000-0000-7000-8000-000000000082', 'second@example.com', 'Second', 'viewer',
             sha256('second invitation'), now() + interval '1 day'),
            (s(), '0b000000-0000-7000-8000-000000000081', 'newcomer@example.com', 'Newcomer', 'viewer',
             sha256('southern invitation'), now() + interval '1 day');
        INSERT INTO memberships (tenant_id, user_id, role, site_ids)
        SELECT CASE t WHEN 'north' THEN n() ELSE s() END, u.id, m.role, m.site_ids::uuid[]
          FROM (VALUES ('north', 'owner', 'owner', '{}'), ('north', 'viewer', 'viewer', '{}'),
                       ('north', 'limited', 'viewer', '{0a000000-0000-7000-8000-000000000012}'),
                       ('north', 'guest', 'guest', '{}'), ('south', 'southern', 'owner', '{}'),
                       ('north', 'both', 'operator', '{}'),
                       ('south', 'both', 'viewer', '{}')) AS m (t, who, role, site_ids)
          JOIN users u ON u.email = m.who || '@example.com';

        INSERT INTO sites (tenant_id, id, owner_id, code, name, kind, timezone) VALUES
            (n(), '0a000000-0000-7000-8000-000000000011', 101, 'T01', 'High Street', 'store', 'Europe/Madrid'),
            (n(), '0a000000-0000-7000-8000-000000000012', 102, 'T02', 'Station', 'store', 'Europe/Madrid'),
            (n(), '0a000000-0000-7000-8000-000000000013', 103, 'W01', 'Depot', 'warehouse', 'UTC'),
            (n(), '0a000000-0000-7000-8000-000000000014', 104, 'P01', 'Car park', 'parking', 'UTC'),
            (s(), '0b000000-0000-7000-8000-000000000011', 201, 'T01', 'Harbour', 'store', 'UTC');
        INSERT INTO sites (tenant_id, id, owner_id, code, name, deleted_at) VALUES
            (n(), '0a000000-0000-7000-8000-000000000019', 109, 'T09', 'Closed', now());
        INSERT INTO spaces (tenant_id, id, site_id, code, name, kind, is_bookable) VALUES
            (n(), '0a000000-0000-7000-8000-000000000021', '0a000000-0000-7000-8000-000000000014', 'B1', 'Bay 1', 'bay', true),
            (n(), '0a000000-0000-7000-8000-000000000022', '0a000000-0000-7000-8000-000000000012', 'R1', 'Room 1',
             'room', true),
            (n(), '0a000000-0000-7000-8000-000000000023', '0a000000-0000-7000-8000-000000000014', 'B2', 'Bay 2', 'bay', false),
            (s(), '0b000000-0000-7000-8000-000000000021', '0b000000-0000-7000-8000-000000000011', 'B1', 'Bay 1', 'bay', true);
        INSERT INTO reservations (tenant_id, id, space_id, starts_at, ends_at, status, holder_name, expires_at) VALUES
            (n(), '0a000000-0000-7000-8000-0000000000b1', '0a000000-0000-7000-8000-000000000021', '2031-01-06T12:00:00Z',
             '2031-01-06T13:00:00Z', 'pending', 'Northern', now() + interval '1 hour'),
            (n(), '0a000000-0000-7000-8000-0000000000b2', '0a000000-0000-7000-8000-000000000021', now() - interval '10 minutes',
             now() + interval '2 hours', 'confirmed', 'Northern', NULL),
            (s(), '0b000000-0000-7000-8000-0000000000b1', '0b000000-0000-7000-8000-000000000021', '2031-01-06T12:00:00Z',
             '2031-01-06T13:00:00Z', 'confirmed', 'South Ltd', NULL);
        INSERT INTO calendar_feeds (tenant_id, id, user_id, name, sha256)
        SELECT n(), '0a000000-0000-7000-8000-0000000000c1'::uuid, id, 'Mine', sha256('northern feed') FROM users WHERE email = 'owner@example.com'
        UNION ALL
        SELECT s(), '0b000000-0000-7000-8000-0000000000c1', id, 'South', sha256('southern feed') FROM users
         WHERE email = 'southern@example.com';
        INSERT INTO device_profiles (tenant_id, id, name) VALUES
            (n(), '0a000000-0000-7000-8000-000000000031', 'Bay sensor'),
            (n(), '0a000000-0000-7000-8000-000000000032', 'Unused'),
            (s(), '0b000000-0000-7000-8000-000000000031', 'Bay sensor');
        INSERT INTO devices (tenant_id, id, owner_id, device_eui, name, profile_id, site_id, space_id) VALUES
            (n(), '0a000000-0000-7000-8000-000000000041', 111, '70b3d57ed0000001', 'Bay 1',
             '0a000000-0000-7000-8000-000000000031', NULL, '0a000000-0000-7000-8000-000000000021'),
            (n(), '0a000000-0000-7000-8000-000000000042', 112, '70b3d57ed0000002', 'Room 1',
             NULL, '0a000000-0000-7000-8000-000000000012', '0a000000-0000-7000-8000-000000000022'),
            (n(), '0a000000-0000-7000-8000-000000000043', 113, '70b3d57ed0000003', 'In a drawer', NULL, NULL, NULL),
            (s(), '0b000000-0000-7000-8000-000000000041', 211, '70b3d57ed0000001', 'Bay 1',
             '0b000000-0000-7000-8000-000000000031', NULL, '0b000000-0000-7000-8000-000000000021'),
            (s(), '0b000000-0000-7000-8000-000000000042', 212, '70b3d57ed00000ff', 'Gate', NULL, NULL, NULL);
        INSERT INTO device_states (tenant_id, owner_id, newest_at, battery, rssi, snr, occupied, occupied_at, occupied_since) VALUES
            (n(), 111, now() - interval '1 minute', 3.6, -97, 8.5, true, now() - interval '1 minute', now() - interval '1 hour'),
            (n(), 112, now() - interval '1 day', 3.1, -110, 1, false, now() - interval '1 day', now() - interval '2 days');
        INSERT INTO uplinks (tenant_id, owner_id, received_at, epoch, fcnt, arrived_at, clock_used, f_port, rssi, snr,
                             gateway_id, payload, data, integration_id)
        SELECT t, o, to_timestamp(1767571200 + 60 * i), 1, i, now(), false, 2, -97, 8.5, 'gw-1',
               jsonb_build_object('occupied', i % 2 = 0, 'who', o), '\\x0102ff', gen_random_uuid()
          FROM (VALUES (n(), 111), (s(), 211)) AS d (t, o), generate_series(1, 5) AS i;
        INSERT INTO orphan_devices (tenant_id, id, device_eui, integration_id, first_seen_at, last_seen_at,
                                    uplink_count, last_payload) VALUES
            (n(), gen_random_uuid(), '70b3d57ed0000099', gen_random_uuid(), now(), now(), 3, '{"a": 1.50}'),
            (s(), gen_random_uuid(), '70b3d57ed000009f', gen_random_uuid(), now(), now(), 1, NULL);

        INSERT INTO series (tenant_id, id, owner_id, metric, labels, identity) OVERRIDING SYSTEM VALUE VALUES
            (n(), 1, 101, 'pos.sales', '{"till": "1"}', gen_random_uuid()),
            (n(), 2, 101, 'pos.sales', '{"till": "2"}', gen_random_uuid()),
            (n(), 3, 101, 'pos.returns', '{}', gen_random_uuid()),
            (n(), 4, 102, 'pos.sales', '{"till": "1"}', gen_random_uuid()),
            (n(), 5, 111, 'temperature', '{}', gen_random_uuid()),
            (n(), 6, 113, 'temperature', '{}', gen_random_uuid()),
            (s(), 7, 201, 'pos.sales', '{"till": "1"}', gen_random_uuid()),
            (s(), 8, 211, 'temperature', '{}', gen_random_uuid());
        ALTER TABLE series ALTER COLUMN id RESTART WITH 100;
        ALTER SEQUENCE owner_ids RESTART WITH 10000;
        INSERT INTO series_labels (tenant_id, key, value, series_id)
        SELECT tenant_id, key, value, id FROM series, jsonb_each_text(labels);
        -- Series 1: a sample each minute, 0 to 9 in a chunk, 8 to 11 in the log, where 8 and 9 come too late to count.
        INSERT INTO sample_chunks (tenant_id, series_id, starts_at, ends_at, unit, steps, value, samples)
        SELECT n(), 1, 1767571200000000, 1767571740000000, 1000, '{60000}', array_agg(i::float8), 10
          FROM generate_series(0, 9) AS i;
        INSERT INTO sample_log (tenant_id, owner_id, series, ts, value)
        SELECT n(), 101, array_agg(1), array_agg(1767571200000000 + i * 60000000), array_agg(i * 100::float8)
          FROM generate_series(8::bigint, 11) AS i;
        INSERT INTO sample_log (tenant_id, owner_id, series, ts, value) VALUES
            (n(), 101, '{1,2,2}', '{1767571860000000,1767571200000000,1767571200000000}', '{-1,20,21}'),
            (n(), 102, '{4}', '{1767571200000000}', '{40}'),
            (n(), 111, '{5}', '{1767571200000500}', '{21.5}'),
            (n(), 113, '{6}', '{1767571200000000}', '{6}'),
            (s(), 201, '{7}', '{1767571200000000}', '{7}'),
            (s(), 211, '{8}', '{1767571200000000}', '{8}');
        INSERT INTO integrations (tenant_id, id, name, dialect, auth, header_name) VALUES
            (n(), '0a000000-0000-7000-8000-000000000091', 'Network server', 'generic', 'header', 'X-Token'),
            (s(), '0b000000-0000-7000-8000-000000000091', 'Network server', 'generic', 'header', 'X-Token');
        INSERT INTO integration_secrets (tenant_id, id, integration_id, master_key_id, sealed) VALUES
            (n(), '0a000000-0000-7000-8000-000000000092', '0a000000-0000-7000-8000-000000000091', 'k0', ('\\x' || repeat('00', 40))::bytea),
            (s(), '0b000000-0000-7000-8000-000000000092', '0b000000-0000-7000-8000-000000000091', 'k0', ('\\x' || repeat('00', 40))::bytea);
        INSERT INTO events (tenant_id, id, type, data, position) VALUES
            (n(), '0a000000-0000-7000-8000-0000000000d2', 'site.changed', '{"name": "North"}', 1),
            (s(), '0b000000-0000-7000-8000-0000000000d2', 'site.changed', '{"name": "South"}', 1);
        INSERT INTO event_positions (tenant_id, last) VALUES (n(), 1), (s(), 1);
        INSERT INTO webhook_endpoints (tenant_id, id, url) VALUES
            (n(), '0a000000-0000-7000-8000-0000000000d1', 'https://hooks.example.com/north'),
            (s(), '0b000000-0000-7000-8000-0000000000d1', 'https://hooks.example.com/south');
        INSERT INTO webhook_secrets (tenant_id, id, endpoint_id, master_key_id, sealed)
        SELECT tenant_id, gen_random_uuid(), id, 'k0', ('\\x' || repeat('00', 40))::bytea FROM webhook_endpoints;
        INSERT INTO webhook_deliveries (tenant_id, id, endpoint_id, event_id, status, attempts, last_error) VALUES
            (n(), '0a000000-0000-7000-8000-0000000000d3', '0a000000-0000-7000-8000-0000000000d1',
             '0a000000-0000-7000-8000-0000000000d2', 'dead', 14, 'time-out'),
            (s(), '0b000000-0000-7000-8000-0000000000d3', '0b000000-0000-7000-8000-0000000000d1',
             '0b000000-0000-7000-8000-0000000000d2', 'dead', 14, 'time-out');
        INSERT INTO alerts (tenant_id, id, kind, severity, subject_type, subject_id, subject_name, raised_at) VALUES
            (n(), '0a000000-0000-7000-8000-0000000000d1', 'silence', 'warning', 'integration', '0a000000-0000-7000-8000-000000000091',
             'Network server', '2026-01-05T00:00:00Z'),
            (s(), '0b000000-0000-7000-8000-0000000000d1', 'silence', 'warning', 'integration', '0b000000-0000-7000-8000-000000000091',
             'Network server', '2026-01-05T00:00:00Z');
        INSERT INTO exports (tenant_id, id, status, bytes, expires_at) VALUES
            (n(), '0a000000-0000-7000-8000-0000000000a1', 'finished', 3, now() + interval '1 day'),
            (s(), '0b000000-0000-7000-8000-0000000000a1', 'finished', 3, now() + interval '1 day');
        INSERT INTO export_parts (tenant_id, export_id, position, bytes)
        SELECT tenant_id, id, 0, 'abc' FROM exports;
        INSERT INTO api_keys (tenant_id, id, kind, site_id, name, prefix, sha256, scopes) VALUES
            (n(), '0a000000-0000-7000-8000-000000000061', 'store', '0a000000-0000-7000-8000-000000000011', 'Gateway',
             'store_north_T01_abcd', sha256('north gateway'), '{}'),
            (n(), '0a000000-0000-7000-8000-000000000062', 'service', NULL, 'Reports', 'svc_north_abcd',
             sha256('north reports'), '{sites:read}'),
            (s(), '0b000000-0000-7000-8000-000000000061', 'service', NULL, 'Reports', 'svc_south_abcd',
             sha256('south reports'), '{sites:read}');
        INSERT INTO audit_logs (tenant_id, id, at, actor_kind, actor_id, actor_name, action, resource_type, resource_id,
                                before, after)
        SELECT CASE WHEN i = 0 THEN s() ELSE n() END,
               ((CASE WHEN i = 0 THEN '0b' ELSE '0a' END) || '000000-0000-7000-8000-00000000005' || i)::uuid,
               to_timestamp(1767571200 + 60 * (i / 2)), 'user', u.id, u.email, CASE i % 2 WHEN 1 THEN 'site.created' ELSE 'site.changed' END,
               'site', 'r' || i, '{"name": "old"}', '{"name": "new"}'
          FROM generate_series(0, 5) AS i
          JOIN users u ON u.email = CASE i WHEN 0 THEN 'southern' WHEN 5 THEN 'limited' ELSE 'owner' END || '@example.com';
        DROP FUNCTION n();
        DROP FUNCTION s();
        """
}

/// An id that is the same in every run.
private func fixedID(_ text: String) -> UUID {
    guard let id = UUID(uuidString: text) else { preconditionFailure("\(text) is no UUID") }
    return id
}
