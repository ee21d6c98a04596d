import Foundation
import Synchronization
import Testing

/// A gateway's key replaced over the API while the gateway sends.
@Suite(.timeLimit(.minutes(5)))
struct KeyRotationTests {
    @Test func aRotationIsNotNoticedAndARevocationActs() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let (ingest, query) = (try await installation.startIngest(), try await installation.startQuery())
            let api = API(installation: installation, token: try await installation.signIn(tenant))
            let first = try #require(tenant.storeKeys["T01"])
            let key = Mutex(first)
            let (answers, answered) = AsyncStream.makeStream(of: Int.self)
            let isOver = Flag()
            let sending = Task {
                var number = 0
                while !isOver.isRaised {
                    answered.yield(try await installation.post(batch: number, key: key.withLock { $0 }))
                    number += 1
                }
                answered.finish()
            }
            var told = answers.makeAsyncIterator()
            for _ in 0..<20 { #expect(await told.next() == 200) }
            let id = try #require(try await api.get("/api-keys?store=T01").first)
            let rotated = try await api.send(.post, "/api-keys/\(id)/rotate", "{}")
            for _ in 0..<20 { #expect(await told.next() == 200, "the old one goes on") }
            let next = try #require(rotated.json["key"] as? String)
            key.withLock { $0 = next }
            for _ in 0..<40 { #expect(await told.next() == 200) }
            isOver.raise()
            try await sending.value

            let revoked = try await api.send(.delete, "/api-keys/\(rotated.json["id"] as? String ?? "")", nil)
            #expect(revoked.status == 204)
            try await eventually("ingest has heard of it", within: .seconds(20)) {
                try await installation.post(batch: -1, key: next) == 401
            }
            #expect(try await installation.post(batch: -2, key: first) == 200, "within its overlap")
            for process in [ingest, query] {
                process.send(SIGTERM)
                #expect(await process.waitForExit() == 0, "\(process.output)")
            }
            for secret in [first, next] {
                #expect(!ingest.output.contains(secret) && !query.output.contains(secret))
            }
        }
    }
}

extension Installation {
    /// - Returns: the answer's status.
    func post(batch number: Int, key: String) async throws -> Int {
        let batch: [String: Any] = ["batch_id": "b\(number)", "metrics": [["name": "n", "value": number]]]
        return try await client.post(
            ingestURL + "/v1/metrics/batch", json: batch, headers: ["Authorization": "Bearer \(key)"]
        ).status
    }
}
