import Foundation
import Support
import Testing

extension Installation {
    func startIngest(
        through proxy: StallingProxy, _ more: [String: String] = [:], after setUp: String? = nil
    ) async throws -> ServerProcess {
        let urls = try databaseURLs(through: proxy)
        return try await startIngest(urls.merging(more) { _, own in own }, after: setUp)
    }

    func databaseURLs(through proxy: StallingProxy) throws -> [String: String] {
        try databaseURLs(through: "127.0.0.1:\(proxy.port)")
    }

    /// The spool's files that hold records, oldest first.
    func segments() throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: spoolFolder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "segment" }.sorted { $0.lastPathComponent < $1.lastPathComponent }
    }
}

extension Senders {
    /// An ingest behind a proxy, and senders that it knows. `body` returns the process that then runs; in the end what the ledger has
    /// is there once.
    static func behindProxy(
        _ count: Int = 4, settings: [String: String] = [:], after setUp: String? = nil,
        _ body: @Sendable (Senders, StallingProxy, ServerProcess) async throws -> ServerProcess
    ) async throws {
        try await Installation.run { installation in
            let senders = try await Senders(count, in: installation)
            try await StallingProxy.withServer { proxy, _ in
                let ingest = try await installation.startIngest(through: proxy, settings, after: setUp)
                try await senders.introduce()
                let last = try await body(senders, proxy, ingest)
                proxy.mend()
                try await installation.spoolIsEmpty()
                try await senders.ledger.check(installation)
                await last.killAndWait()
            }
        }
    }

    /// A batch without time, key or place in the ledger: sent twice, it would be stored twice.
    func sendOther(_ metric: String, value: Int = 1, padding: String = "") async throws -> TestClient.Answer {
        try await installation.client.post(
            installation.ingestURL + "/v1/metrics/batch",
            json: ["metrics": [["name": metric, "value": value]], "padding": padding],
            headers: ["Authorization": "Bearer \(tenant.storeKeys["T01"] ?? "")"])
    }
}
