import Foundation
import Testing

/// What ends rights on one process acts on every other, and on ingest.
@Suite(.timeLimit(.minutes(5)))
struct RevocationTests {
    @Test func everyReplicaHearsOfIt() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let (ingest, query) = (try await installation.startIngest(), try await installation.startQuery())
            let replica = try await installation.startReplica()
            let owner = API(installation: installation, token: try await installation.signIn(tenant))
            let body = """
                {"email":"ana@acme.example","name":"Ana","role":"operator","password":"chosen by somebody"}
                """
            let made = try await owner.send(.post, "/users", body)
            let id = try #require(made.json["id"] as? String, "\(made.text)")
            // Who was given a password chooses another first.
            let login = try await installation.client.post(
                installation.queryURL + "/api/v1/auth/login",
                json: ["email": "ana@acme.example", "password": "chosen by somebody"])
            let first = API(installation: installation, token: try #require(login.json["access_token"] as? String))
            let changed = try await first.send(
                .post, "/auth/password",
                "{\"old_password\":\"chosen by somebody\",\"new_password\":\"chosen by Ana herself\"}")
            let token = try #require(changed.json["access_token"] as? String, "\(changed.text)")
            let elsewhere = API(installation: installation, token: token, url: replica.url)
            #expect(try await elsewhere.send(.get, "/sites", nil).status == 200)

            func onReplica(_ what: String, _ api: API, becomes status: Int) async throws {
                // Within five seconds, says the contract; a busy machine may take longer to get around to asking.
                try await eventually(what, within: .seconds(20)) {
                    try await api.send(.get, "/sites", nil).status == status
                }
            }
            let roleless = try await owner.send(.post, "/roles", "{\"name\":\"Nothing\",\"scopes\":[]}")
            #expect(roleless.status == 201)
            #expect(try await owner.send(.put, "/users/\(id)", "{\"role\":\"Nothing\"}").status == 200)
            try await onReplica("another role", elsewhere, becomes: 403)
            #expect(try await owner.send(.put, "/users/\(id)", "{\"role\":\"viewer\"}").status == 200)
            try await onReplica("the role back", elsewhere, becomes: 200)
            #expect(try await owner.send(.delete, "/users/\(id)", nil).status == 204)
            try await onReplica("a membership's end", elsewhere, becomes: 401)

            let second = try await installation.signIn(tenant)
            let signedIn = API(installation: installation, token: second, url: replica.url)
            #expect(try await signedIn.send(.get, "/sites", nil).status == 200)
            let here = API(installation: installation, token: second)
            #expect(try await here.send(.post, "/auth/logout", nil).status == 204)
            try await onReplica("a logout", signedIn, becomes: 401)

            let key = try #require(tenant.storeKeys["T01"])
            #expect(try await installation.post(batch: 1, key: key) == 200)
            let ownersElsewhere = API(installation: installation, token: owner.token, url: replica.url)
            #expect(try await ownersElsewhere.send(.get, "/sites", nil).status == 200)
            #expect(try await owner.send(.delete, "/tenants/current", nil).status == 204)
            try await onReplica("a tenant's end", ownersElsewhere, becomes: 401)
            try await eventually("ingest refuses the tenant's keys", within: .seconds(20)) {
                try await installation.post(batch: 2, key: key) == 401
            }
            try await installation.pulsegate(["tenant", "set", "--tenant", "acme", "--active", "true"])
            try await eventually("the tenant is let in again", within: .seconds(20)) {
                try await installation.post(batch: 3, key: key) == 200
            }
            for process in [ingest, query, replica.process] {
                process.send(SIGTERM)
                #expect(await process.waitForExit() == 0, "\(process.output)")
            }
        }
    }

    /// A network server's secret made, replaced and withdrawn over the API, as ingest sees it.
    @Test func secretsOfIntegrationsActOnIngest() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let (ingest, query) = (
                try await installation.startIngest(),
                try await installation.startQuery(["INGEST_URL": installation.ingestURL])
            )
            let owner = API(installation: installation, token: try await installation.signIn(tenant))
            let made = try await owner.send(.post, "/integrations", #"{"name":"N","dialect":"generic","auth":"hmac"}"#)
            let (id, url) = (try #require(made.json["id"] as? String), try #require(made.json["url"] as? String))
            let first = try #require(made.json["secret"] as? String)
            func send(_ number: Int, _ secret: String) async throws -> Int {
                try await installation.client.postSigned(
                    url,
                    json: [
                        "device_eui": "70b3d57ed0000001", "fcnt": number, "dev_addr": "26011bda",
                        "payload": ["t": number],
                    ],
                    secret: secret
                ).status
            }
            try await eventually("ingest knows it", within: .seconds(20)) { try await send(1, first) == 200 }
            let rotated = try await owner.send(.post, "/integrations/\(id)/secrets", "{}")
            let second = try #require(rotated.json["secret"] as? String)
            #expect(try await send(2, first) == 200, "within its overlap")
            try await eventually("ingest knows the new one", within: .seconds(20)) { try await send(3, second) == 200 }
            let secret = try #require(rotated.json["id"] as? String)
            #expect(try await owner.send(.delete, "/integrations/\(id)/secrets/\(secret)", nil).status == 204)
            try await eventually("the new one is withdrawn", within: .seconds(20)) { try await send(4, second) == 401 }
            #expect(try await send(5, first) == 200)
            try await installation.pulsegate(["secrets", "rewrap"])
            #expect(try await owner.send(.delete, "/integrations/\(id)", nil).status == 204)
            try await eventually("the integration is gone", within: .seconds(20)) { try await send(6, first) == 401 }
            for process in [ingest, query] {
                process.send(SIGTERM)
                #expect(await process.waitForExit() == 0, "\(process.output)")
            }
        }
    }
}
