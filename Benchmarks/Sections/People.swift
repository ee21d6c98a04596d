import Foundation
import Postgres
import Shared
import Support

extension Suite {
    /// (n) `GET /users/me` with an access token, beside pgbench with the same SQL over as many connections; and sign-ins beside the
    /// password's hash alone, on as many threads.
    func people() async throws -> [Row] {
        let laboratory = try await Laboratory.open(memory)
        let settings = [
            "QUERY_DATABASE_POOL_SIZE": "\(connections)", "SIGN_INS_PER_SECOND": "1000000",
            "QUERY_PASSWORD_THREADS": "\(Self.passwordThreads)",
        ]
        let (me, logins) = try await laboratory.withQuery(settings) {
            let token = try await laboratory.accessToken()
            var asking = PreparedRequests(repeats: true)
            asking.append(
                "GET /api/v1/users/me HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(token)\r\n\r\n".utf8)
            let me = try await LoadGenerator(asking).run(plan(laboratory.queryPort, expecting: laboratory.email))
            var signingIn = PreparedRequests(repeats: true)
            let body = laboratory.credentials
            signingIn.append(
                """
                POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
                Content-Length: \(body.utf8.count)\r\n\r\n\(body)
                """.utf8)
            var plan = plan(laboratory.queryPort, expecting: "access_token")
            plan.connections = Self.signingIn
            return (me, try await LoadGenerator(signingIn).run(plan))
        }
        let peer = PgbenchPeer(laboratory: laboratory)
        let pgbench = try await peer.rateOfProfiles(inPipeline: false, clients: connections, seconds: seconds)
        let pipelined = try await peer.rateOfProfiles(inPipeline: true, clients: connections, seconds: seconds)
        let hashes = try await Self.hashesPerSecond(seconds: seconds)
        try await laboratory.close()
        var asked = Row("Pulsegate, GET /users/me", me, of: "requests", durable: "")
        asked.ratio =
            Figure.ratio(me.perSecond, pgbench, "pgbench with the same SQL") + ", "
            + Figure.ratio(me.perSecond, pipelined, "in one pipeline")
        var signedIn = Row("Pulsegate, sign-ins", logins, of: "sign-ins", durable: "yes")
        signedIn.ratio = Figure.ratio(logins.perSecond, hashes, "Argon2id alone")
        return [
            asked, Row(what: "pgbench, the same SQL", figure: "\(Figure.short(pgbench)) transactions/s"),
            Row(what: "pgbench, the same in one pipeline", figure: "\(Figure.short(pipelined)) transactions/s"),
            signedIn,
            Row(what: "Argon2id on as many threads", figure: "\(Figure.short(hashes)) checks/s"),
        ]
    }

    private static let passwordThreads = 2
    /// Fewer than the failures that slow an account down: attempts under way count as such.
    private static let signingIn = 8

    private static func hashesPerSecond(seconds: Double) async throws -> Double {
        let hasher = PasswordHasher(threads: passwordThreads)
        let stored = try await hasher.hash("correct horse battery")
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        let checks = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<signingIn {
                group.addTask {
                    var checks = 0
                    while ContinuousClock.now < end {
                        _ = try await hasher.verify("correct horse battery", against: stored)
                        checks += 1
                    }
                    return checks
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(checks) / ((ContinuousClock.now - start) / .seconds(1))
    }
}

extension Laboratory {
    fileprivate var credentials: String { "{\"email\":\"\(email)\",\"password\":\"\(password)\"}" }

    func accessToken() async throws -> String {
        struct SignedIn: Decodable {
            let access_token: String
        }
        let url = "http://127.0.0.1:\(queryPort)/api/v1/auth/login"
        let login = try await Web.post(url, credentials, contentType: "application/json")
        return try JSONDecoder().decode(SignedIn.self, from: Data(login.text.utf8)).access_token
    }
}

extension PgbenchPeer {
    /// What `GET /users/me` asks, as the same role, a statement after the other or, as there, without waiting in between.
    func rateOfProfiles(inPipeline: Bool, clients: Int, seconds: Double) async throws -> Double {
        let person: UUID? = try await laboratory.withConnection { connection in
            try await connection.first("SELECT user_id FROM memberships LIMIT 1")
        }
        guard let person else { throw BenchFailure(description: "there is no member") }
        let tenant: Int32? = try await laboratory.withConnection { connection in
            try await connection.first("SELECT tenant_id FROM memberships LIMIT 1")
        }
        let script = """
            \(inPipeline ? "\\startpipeline" : "")
            BEGIN READ ONLY;
            SELECT set_config('app.tenant_id', '\(tenant ?? 0)', true);
            SELECT u.id, u.email, u.name, m.role, r.scopes AS own_scopes, m.site_ids, 'active' AS status,
                   u.password_change_required, u.last_login_at, m.created_at,
                   greatest(m.updated_at, u.updated_at) AS updated_at, t.name AS tenant_name
              FROM memberships m JOIN users u ON u.id = m.user_id JOIN tenants t ON t.id = m.tenant_id
              LEFT JOIN roles r ON r.tenant_id = m.tenant_id AND r.name = m.own_role
             WHERE m.tenant_id = \(tenant ?? 0) AND m.user_id = '\(person.uuidString)';
            COMMIT;
            \(inPipeline ? "\\endpipeline" : "")

            """
        return try await rate(ofScript: script, as: "pulsegate_query", clients: clients, seconds: seconds)
    }
}
