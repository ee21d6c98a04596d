import Foundation
import Testing

/// Many who sign in at once, by right and by guessing.
@Suite(.timeLimit(.minutes(5)))
struct SignInFloodTests {
    @Test func neitherOthersNorMemorySuffer() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let process = try await installation.startQuery([
                "SIGN_INS_PER_SECOND": "1000000", "TRUSTED_PROXIES": "127.0.0.1", "QUERY_PASSWORD_THREADS": "2",
            ])
            let api = API(installation: installation, token: try await installation.signIn(tenant))
            let before = try process.memory("VmRSS")
            let isOver = Flag()
            let crowd = TestClient(connections: 256)
            // Each guess comes from an address and for an account of its own, so nothing slows it down but the pool of hashers.
            let flood = Task {
                try await withThrowingTaskGroup(of: [Int].self) { group in
                    for guesser in 0..<200 {
                        group.addTask {
                            var statuses: [Int] = []
                            while !isOver.isRaised {
                                let address = "10.\(guesser).\(statuses.count / 250 % 250).\(statuses.count % 250)"
                                let answer = try await crowd.post(
                                    installation.queryURL + "/api/v1/auth/login",
                                    json: [
                                        "email": "g\(guesser)-\(statuses.count)@example.com", "password": "guessed",
                                    ],
                                    headers: ["X-Forwarded-For": address])
                                statuses.append(answer.status)
                            }
                            return statuses
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
            }
            for _ in 0..<40 { #expect(try await api.send(.get, "/users/me", nil).status == 200) }
            isOver.raise()
            let statuses = try await flood.value
            try await crowd.shutDown()
            #expect(Set(statuses).isSubset(of: [401, 503]), "\(Set(statuses))")
            #expect(statuses.contains(401) && statuses.contains(503), "the pool was full, and went on")
            // 200 hashes at once would be 3.8 GiB; two, and all else that the requests hold, are far below this.
            #expect(try process.memory("VmHWM") - before < 300 << 20)
            #expect(try await api.send(.get, "/users/me", nil).status == 200)
            process.send(SIGTERM)
            #expect(await process.waitForExit() == 0, "\(process.output)")
        }
    }
}
