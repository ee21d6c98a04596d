import Foundation
import Postgres
import Shared
import Support

extension Suite {
    /// (o) What people look at all day, beside pgbench running the very statements that the query process sends for it, over as many
    /// connections: a page of a site's 5,000 spaces with their states, a week's availability of 200 spaces (a page of a site's 500), and
    /// the occupancy of 500 spaces in 30 days.
    func places() async throws -> [Row] {
        let laboratory = try await Laboratory.open(memory)
        try await laboratory.furnish()
        let settings = ["QUERY_DATABASE_POOL_SIZE": "\(Self.lookers)"]
        let rows = try await laboratory.withQuery(settings) {
            let token = try await laboratory.accessToken()
            let day: Int64 = 86_400
            let (now, today) = (Timestamp.now(), Timestamp(secondsSinceEpoch: Timestamp.now().seconds / day * day))
            let week = "from=\(now.rfc3339)&to=\(today.adding(seconds: 7 * day).rfc3339)"
            let month = "from=\(today.adding(seconds: -30 * day).rfc3339)&to=\(today.rfc3339)&step=1d"
            return [
                try await look(
                    "a page of 5,000 spaces with states", "/spaces?site=C1&limit=200", "v_spaces", token, laboratory),
                try await look(
                    "a week's availability of 200 spaces", "/sites/C2/availability?limit=200&duration=1h&\(week)",
                    "open_windows",
                    token, laboratory),
                try await look(
                    "30 days' occupancy of 500 spaces", "/sites/C2/occupancy?\(month)", "space_devices", token,
                    laboratory),
            ]
        }
        try await laboratory.close()
        return rows.flatMap(\.self)
    }

    /// People who look at once.
    private static let lookers = 8

    /// - Parameter mark: what the statements in question hold.
    private func look(
        _ what: String, _ path: String, _ mark: String, _ token: String, _ laboratory: Laboratory
    ) async throws -> [Row] {
        let request =
            "GET /api/v1\(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(token)\r\n\r\n"
        var asking = PreparedRequests(repeats: true)
        asking.append(request.utf8)
        var plan = plan(laboratory.queryPort, expecting: "\"data\":[{")
        plan.connections = Self.lookers
        let asked = try await LoadGenerator(asking).run(plan)
        let statements = try await StatementLog(laboratory: laboratory).statements(holding: mark) {
            let url = "http://127.0.0.1:\(laboratory.queryPort)/api/v1\(path)"
            _ = try await Web.get(url, headers: ["Authorization": "Bearer \(token)", "Accept-Encoding": "identity"])
        }
        let tenant: Int32? = try await laboratory.withConnection {
            try await $0.first("SELECT tenant_id FROM memberships LIMIT 1")
        }
        let script = statements.map { statement in
            "BEGIN READ ONLY; SELECT set_config('app.tenant_id', '\(tenant ?? 0)', true); \(statement); COMMIT;\n"
        }.joined()
        let own = try await PgbenchPeer(laboratory: laboratory).rate(
            ofScript: script, as: "pulsegate_query", clients: Self.lookers, seconds: seconds, isPrepared: false)
        var row = Row("Pulsegate, \(what)", asked, of: "requests", durable: "")
        row.ratio = Figure.ratio(asked.perSecond, own, "its own SQL")
        return [
            row,
            Row(what: "pgbench, its \(statements.count) statements", figure: "\(Figure.short(own)) transactions/s"),
        ]
    }
}

extension Laboratory {
    /// A site of 5,000 spaces, and one of 500 with reservations for two weeks and readings each ten minutes for 60 days.
    fileprivate func furnish() async throws {
        _ = try await withConnection { connection in
            try await connection.execute(
                script: """
                    INSERT INTO sites (tenant_id, id, code, name, kind, timezone)
                    SELECT t.tenant_id, gen_random_uuid(), code, code, 'office', 'Europe/Madrid'
                      FROM (SELECT tenant_id FROM memberships LIMIT 1) t, unnest('{C1,C2}'::text[]) AS code;
                    INSERT INTO spaces (tenant_id, id, site_id, code, name, kind, is_bookable, opening_hours)
                    SELECT tenant_id, gen_random_uuid(), id, 'S' || i, 'Space ' || i, 'desk', true,
                           '{"mon":[["08:00","20:00"]],"tue":[["08:00","20:00"]],"wed":[["08:00","20:00"]],"thu":[["08:00","20:00"]],"fri":[["08:00","20:00"]]}'
                      FROM sites, generate_series(1, 5000) AS i WHERE code = 'C1' OR code = 'C2' AND i <= 500;
                    INSERT INTO devices (tenant_id, id, device_eui, name, site_id, space_id)
                    SELECT tenant_id, id, substr(md5(id::text), 1, 16), name, site_id, id FROM spaces;
                    INSERT INTO device_states (tenant_id, owner_id, newest_at, occupied, occupied_at, occupied_since)
                    SELECT tenant_id, owner_id, now(), owner_id % 2 = 0, now() + interval '1 hour', now() FROM devices;
                    INSERT INTO reservations (tenant_id, id, space_id, starts_at, ends_at, status, holder_name)
                    SELECT sp.tenant_id, gen_random_uuid(), sp.id, date_trunc('day', now()) + make_interval(days => d, hours => h),
                           date_trunc('day', now()) + make_interval(days => d, hours => h + 1), CASE WHEN d < 0 THEN 'completed' ELSE 'confirmed' END, 'X'
                      FROM spaces sp JOIN sites si ON si.id = sp.site_id AND si.code = 'C2', generate_series(-60, 14) AS d,
                           unnest('{9,11,15}'::int[]) AS h;
                    INSERT INTO series (tenant_id, owner_id, metric, identity)
                    SELECT d.tenant_id, d.owner_id, 'occupied', md5('occupied')::uuid
                      FROM devices d JOIN sites si ON si.id = d.site_id AND si.code = 'C2';
                    INSERT INTO sample_chunks (tenant_id, series_id, starts_at, ends_at, unit, steps, value, samples)
                    SELECT s.tenant_id, s.id, p.starts_at, p.starts_at + 431 * 600000000::bigint, 1000, '{600000}',
                           (SELECT array_agg(((n + s.id) / 50 % 2)::float8) FROM generate_series(1, 432) AS n), 432
                      FROM series s,
                           (SELECT (extract(epoch FROM now())::bigint / 259200 + k) * 259200 * 1000000 AS starts_at
                              FROM generate_series(-20, -1) AS k) AS p;
                    """)
            try await connection.run("VACUUM ANALYZE")
        }
    }
}
