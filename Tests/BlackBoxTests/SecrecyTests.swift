import Foundation
import Support
import Testing

/// Everything that is secret in a full run, looked for in everything that comes out of it.
@Suite(.timeLimit(.minutes(5)))
struct SecrecyTests {
    /// Secrets by what they are, so that a leak can be named without being repeated.
    private struct Secrets {
        private(set) var known: [(what: String, text: String)] = []

        mutating func note(_ what: String, _ text: String?) throws {
            let text = try #require(text, "\(what) was not made")
            try #require(text.count >= 12, "\(what) is too short to be looked for")
            known.append((what, text))
        }

        func found(in text: String) -> [String] {
            known.filter { text.contains($0.text) }.map(\.what)
        }
    }

    @Test func nothingSecretComesOut() async throws {
        try await RedisServer.run { redis in
            try await Installation.run { installation in
                let folder = FileManager.default.temporaryDirectory.appending(path: "mail-\(installation.database)")
                defer { try? FileManager.default.removeItem(at: folder) }
                var secrets = Secrets()
                let bootstrap = "bootstrap-\(UUID())"
                for name in ["JWT_SECRET", "MASTER_KEY"] {
                    try secrets.note(
                        name,
                        installation.environment[name].map { String($0.drop { $0 == "k" || $0 == "1" || $0 == ":" }) })
                }
                try secrets.note("REDIS_URL's password", RedisServer.password)
                try secrets.note("BOOTSTRAP_TOKEN", bootstrap)
                let tenant = try await installation.onboard("acme")
                try secrets.note("the owner's password", tenant.password)
                try secrets.note("a store's key", tenant.storeKeys["T01"])
                try secrets.note("an integration's secret", tenant.secret)
                let settings = [
                    "LOG_LEVEL": "trace", "REDIS_URL": redis.url, "BOOTSTRAP_TOKEN": bootstrap,
                    "MAIL_FOLDER": folder.path, "REGISTRATION": "open",
                ]
                let ingest = try await installation.startIngest(settings.filter { $0.key != "MAIL_FOLDER" })
                let query = try await installation.startQuery(settings)
                var outputs = try await Self.live(in: installation, tenant, bootstrap, folder, &secrets)
                outputs["query's metrics"] = try await installation.client.send(.get, installation.queryMetricsURL).text
                outputs["ingest's metrics"] = try await installation.client.send(.get, installation.ingestMetricsURL)
                    .text
                for process in [ingest, query] {
                    process.send(SIGTERM)
                    #expect(await process.waitForExit() == 0)
                    outputs["\(process.name)'s log"] = process.output
                }
                #expect(outputs.values.allSatisfy { !$0.isEmpty })
                outputs["the database"] = try await Self.dump(of: installation)
                #expect(outputs["the database"]?.contains("ana@acme.example") == true, "the dump holds what there is")
                #expect(secrets.known.count > 18)
                for (place, text) in outputs {
                    #expect(secrets.found(in: text) == [], "\(place)")
                }
            }
        }
    }

    /// Uses all that makes secrets, rightly and wrongly.
    /// - Returns: what came out on the way that must hold none: errors, and answers that are asked for later.
    private static func live(
        in installation: Installation, _ tenant: Installation.Tenant, _ bootstrap: String, _ folder: URL,
        _ secrets: inout Secrets
    ) async throws -> [String: String] {
        let client = installation.client
        let base = installation.queryURL + "/api/v1"
        var outputs: [String: String] = [:]
        func note(_ answer: TestClient.Answer, as what: String, status: Int) {
            #expect(answer.status == status, "\(what): \(answer.text)")
            outputs[what] = answer.text.isEmpty ? "nothing" : answer.text
        }
        func letter(after known: Set<String>) async throws -> String {
            var name: String?
            try await eventually("a letter") {
                name = try? FileManager.default.contentsOfDirectory(atPath: folder.path).first {
                    !known.contains($0) && !$0.hasPrefix(".")
                }
                return name != nil
            }
            let text = try String(contentsOf: folder.appending(path: try #require(name)), encoding: .utf8)
            return try String(#require(text.firstMatch(of: /token=([A-Za-z0-9_-]+)/)).1)
        }

        let login = try await client.post(
            base + "/auth/login", json: ["email": tenant.email, "password": tenant.password])
        let token = try #require(login.json["access_token"] as? String)
        try secrets.note("an access token", token)
        try secrets.note("a refresh token", login.json["refresh_token"] as? String)
        let api = API(installation: installation, token: token)
        let refreshed = try await client.post(
            base + "/auth/refresh", json: ["refresh_token": login.json["refresh_token"] as? String ?? ""])
        try secrets.note("the next refresh token", refreshed.json["refresh_token"] as? String)

        let service = try await api.send(.post, "/api-keys", #"{"name":"BI","kind":"service","scopes":["sites:read"]}"#)
        let serviceKey = try #require(service.json["key"] as? String)
        try secrets.note("a service's key", serviceKey)
        let rotated = try await api.send(.post, "/api-keys/\(service.json["id"] as? String ?? "")/rotate", "{}")
        try secrets.note("a rotated key", rotated.json["key"] as? String)
        #expect(try await API(installation: installation, token: serviceKey).send(.get, "/sites", nil).status == 200)
        for auth in ["hmac", "standard-webhooks"] {
            let made = try await api.send(
                .post, "/integrations", "{\"name\":\"N\",\"dialect\":\"generic\",\"auth\":\"\(auth)\"}")
            try secrets.note("an integration's secret by the API", made.json["secret"] as? String)
            let more = try await api.send(.post, "/integrations/\(made.json["id"] as? String ?? "")/secrets", "{}")
            try secrets.note("a rotated secret", more.json["secret"] as? String)
        }
        let chosen = "chosen by an admin \(UUID())"
        try secrets.note("a password that an admin chose", chosen)
        note(
            try await api.send(
                .post, "/users",
                "{\"email\":\"ana@acme.example\",\"name\":\"Ana\",\"role\":\"viewer\",\"password\":\"\(chosen)\"}"),
            as: "a new user", status: 201)
        note(
            try await api.send(.post, "/users", #"{"email":"eva@acme.example","name":"Eva","role":"viewer"}"#),
            as: "an invitation", status: 201)
        let invitation = try await letter(after: [])
        try secrets.note("an invitation's token", invitation)
        let joined = "chosen by Eva \(UUID())"
        try secrets.note("a password at joining", joined)
        let accepted = try await client.post(
            base + "/auth/invitations/accept", json: ["token": invitation, "name": "Eva", "password": joined])
        #expect(accepted.status == 201, "\(accepted.text)")
        let read = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
        note(
            try await client.post(base + "/auth/forgot", json: ["email": "eva@acme.example"]), as: "forgot", status: 202
        )
        let reset = try await letter(after: read)
        try secrets.note("a reset's token", reset)
        let new = "another one \(UUID())"
        try secrets.note("a password by reset", new)
        note(
            try await client.post(base + "/auth/reset", json: ["token": reset, "password": new]), as: "reset",
            status: 204)
        let own = "of the first owner \(UUID())"
        try secrets.note("the first owner's password", own)
        let first = try await client.post(
            base + "/auth/bootstrap",
            json: ["token": bootstrap, "user": ["email": "first@example.com", "name": "First", "password": own]])
        #expect(first.status == 201, "\(first.text)")

        // Secrets where they do not belong: in paths, queries, headers and fields.
        let key = tenant.storeKeys["T01"] ?? ""
        let misplaced = try await client.send(
            .get, base + "/api-keys/\(serviceKey)", headers: ["Authorization": "Bearer \(token)"])
        note(misplaced, as: "a key in a path", status: 404)
        note(
            try await client.send(.get, base + "/sites?access_token=\(token)&key=\(serviceKey)"),
            as: "a token in a query",
            status: 401)
        note(
            try await client.send(
                .get, base + "/sites", headers: ["Authorization": "Bearer \(serviceKey)x", "User-Agent": "t"]),
            as: "a wrong key", status: 401)
        note(
            try await client.post(base + "/auth/login", json: ["email": "ana@acme.example", "password": [chosen]]),
            as: "a password of another type", status: 422)
        note(
            try await client.post(base + "/auth/login", json: ["email": "ana@acme.example", "password": joined]),
            as: "a wrong password", status: 401)
        note(try await api.send(.post, "/users", "{\"password\":\"\(chosen)\""), as: "broken JSON", status: 400)
        note(
            try await client.send(
                .post, installation.ingestURL + "/v1/metrics/batch", headers: ["Authorization": "Bearer \(key)"],
                body: Data("{\"metrics\":[{\"name\":\"\(key)\"".utf8)), as: "a broken batch", status: 400)
        #expect(try await installation.post(batch: 1, key: key) == 200)
        let webhook = try await client.postSigned(
            installation.ingestURL + "/v1/webhooks/\(tenant.integrationID)",
            json: ["device_eui": "70b3d57ed0000001", "fcnt": 1, "dev_addr": "26011bda", "payload": ["t": 1]],
            secret: tenant.secret)
        #expect(webhook.status == 200, "\(webhook.text)")
        for path in ["/audit-logs?limit=200", "/api-keys", "/integrations", "/users", "/tenants/current", "/users/me"] {
            note(try await api.send(.get, path, nil), as: "GET \(path)", status: 200)
        }
        return outputs
    }

    /// Every row of every table, as a backup has it.
    private static func dump(of installation: Installation) async throws -> String {
        let folders = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql").sorted()
        let program = "/usr/lib/postgresql/\(try #require(folders.last))/bin/pg_dump"
        let process = try ServerProcess(
            executable: program, name: "pg_dump",
            arguments: ["--data-only", installation.environment["DATABASE_URL"] ?? ""])
        #expect(await process.waitForExit() == 0)
        return process.output
    }
}
