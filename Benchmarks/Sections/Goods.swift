import Foundation
import Postgres
import Shared
import Support

extension Suite {
    /// (p) New vales of three lines over 1,000 products of one tenant, beside pgbench running the very statements that the query process
    /// sends for one, with as random products, over as many connections. A tenant's vales are numbered without gaps, so they commit one after
    /// the other, for both.
    func goods() async throws -> [Row] {
        let laboratory = try await Laboratory.open(memory)
        try await laboratory.stockUp()
        let settings = ["QUERY_DATABASE_POOL_SIZE": "\(connections)"]
        let (made, statements) = try await laboratory.withQuery(settings) {
            let token = try await laboratory.accessToken()
            let made = try await LoadGenerator(try await laboratory.vales(token)).run(
                plan(laboratory.queryPort, expecting: "\"status\":\"issued\""))
            let body = try await laboratory.valeBody([1, 334, 667])
            let statements = try await StatementLog(laboratory: laboratory).statements(holding: "") {
                let url = "http://127.0.0.1:\(laboratory.queryPort)/api/v1/vales"
                let one = try await Web.post(
                    url, body, contentType: "application/json", headers: ["Authorization": "Bearer \(token)"])
                guard one.isGood else { throw BenchFailure(description: "a vale was refused: \(one.text)") }
            }
            return (made, statements.filter(Self.isOfAVale))
        }
        let script = try await laboratory.script(statements)
        let own = try await PgbenchPeer(laboratory: laboratory).rate(
            ofScript: script, as: "pulsegate_query", clients: connections, seconds: seconds, isPrepared: false)
        let broken: Int64? = try await laboratory.withConnection { connection in
            try await connection.first(
                "SELECT (SELECT count(*) FROM stock_differences) + (SELECT count(*) FROM vale_number_gaps)")
        }
        guard broken == 0 else { throw BenchFailure(description: "the ledger's laws are broken: \(broken ?? -1)") }
        try await laboratory.close()
        var row = Row("Pulsegate, new vales of three lines", made, of: "vales", durable: "yes")
        row.ratio = Figure.ratio(made.perSecond, own, "its own SQL")
        return [
            row,
            Row(what: "pgbench, its \(statements.count) statements", figure: "\(Figure.short(own)) transactions/s"),
        ]
    }

    /// Not of what else a query process does meanwhile.
    private static func isOfAVale(_ statement: String) -> Bool {
        let tables = ["sites", "products", "stock_levels", "vales", "vale_lines", "stock_movements", "audit_logs"]
        let others = [
            "place_events", "MATERIALIZED", "job_runs", "tenants_with_outbox", "reservations", "memberships",
            "min_stock > 0",
        ]
        return tables.contains { statement.contains(" \($0)") } && !others.contains { statement.contains($0) }
    }
}

extension Laboratory {
    /// As pgbench can write it: its variables are numbers.
    private static func product(_ number: Int) -> String { "0a000000-0000-7000-8000-\(100_000_000_000 + number)" }

    /// A thousand products, of each of which there is enough.
    fileprivate func stockUp() async throws {
        _ = try await withConnection { connection in
            try await connection.execute(
                script: """
                    INSERT INTO products (tenant_id, id, sku, name, unit, price, currency)
                    SELECT t.tenant_id, ('0a000000-0000-7000-8000-' || 100000000000 + i)::uuid, 'SKU-' || i, 'Product ' || i, 'piece', 1, 'EUR'
                      FROM (SELECT tenant_id FROM memberships LIMIT 1) t, generate_series(1, 1000) AS i;
                    INSERT INTO stock_movements (tenant_id, id, product_id, site_id, quantity, kind, actor_kind, actor_name)
                    SELECT p.tenant_id, gen_random_uuid(), p.id, s.id, 10000000, 'receipt', 'system', 'bench'
                      FROM products p JOIN LATERAL (SELECT id FROM sites WHERE tenant_id = p.tenant_id ORDER BY code LIMIT 1) s ON true;
                    """)
            try await connection.run("VACUUM ANALYZE")
        }
    }

    fileprivate func valeBody(_ products: [Int]) async throws -> String {
        let site: UUID? = try await withConnection { connection in
            try await connection.first("SELECT site_id FROM stock_levels LIMIT 1")
        }
        let lines = products.map { "{\"product_id\":\"\(Self.product($0))\",\"quantity\":1}" }
        return "{\"site_id\":\"\(site?.lowercaseString ?? "")\",\"lines\":[\(lines.joined(separator: ","))]}"
    }

    fileprivate func vales(_ token: String) async throws -> PreparedRequests {
        var (requests, random) = (PreparedRequests(repeats: true), SplitMix(state: 7))
        let template = try await valeBody([1, 334, 667])
        for _ in 0..<4_000 {
            var body = template
            for (first, range) in [(1, 1...333), (334, 334...666), (667, 667...1_000)] {
                body = body.replacing(Self.product(first), with: Self.product(Int.random(in: range, using: &random)))
            }
            requests.append(
                """
                POST /api/v1/vales HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer \(token)\r\n\
                Content-Length: \(body.utf8.count)\r\n\r\n\(body)
                """.utf8)
        }
        return requests
    }

    /// What one vale ran, with other products and ids each time.
    fileprivate func script(_ statements: [String]) async throws -> String {
        let known: [UUID] = try await withConnection { connection in
            try await connection.all(
                "SELECT id FROM sites UNION ALL SELECT id FROM users UNION ALL SELECT id FROM products")
        }
        let fixed = Set(known.map(\.lowercaseString))
        var text = statements.map { "\($0);\n" }.joined()
        let ids = Set(text.matches(of: /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/).map { String($0.output) })
        var variables = [
            "\\set p1 random(100000000001, 100000000333)", "\\set p2 random(100000000334, 100000000666)",
            "\\set p3 random(100000000667, 100000001000)",
        ]
        for (variable, number) in [("p1", 1), ("p2", 334), ("p3", 667)] {
            let id = Self.product(number)
            text = text.replacing(id, with: id.dropLast(12) + ":" + variable)
        }
        for (index, id) in ids.subtracting(fixed).sorted().enumerated() {
            // Both groups, so that none comes twice in a run.
            variables.append("\\set a\(index) random(1000, 9999)")
            variables.append("\\set b\(index) random(100000000000, 999999999999)")
            text = text.replacing(id, with: "\(id.prefix(19)):a\(index)-:b\(index)")
        }
        let tenant: Int32? = try await withConnection {
            try await $0.first("SELECT tenant_id FROM memberships LIMIT 1")
        }
        return variables.joined(separator: "\n")
            + "\nBEGIN;\nSELECT set_config('app.tenant_id', '\(tenant ?? 0)', true);\n" + text + "COMMIT;\n"
    }
}
