import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// One thing without which a process can't do its work.
package struct ReadinessCheck: Sendable {
    package let name: String
    /// Must answer within a few seconds.
    package let isReady: @Sendable () async -> Bool

    package init(_ name: String, isReady: @escaping @Sendable () async -> Bool) {
        self.name = name
        self.isReady = isReady
    }

    /// Names of the checks that say no, in order.
    package static func failing(_ checks: [ReadinessCheck]) async -> [String] {
        await withTaskGroup(of: String?.self) { group in
            for check in checks {
                group.addTask { await check.isReady() ? nil : check.name }
            }
            var names: [String] = []
            for await case let name? in group { names.append(name) }
            return names.sorted()
        }
    }
}

/// The second port of a process, for operators and never for the public: `/live`, `/ready`, `/metrics`.
package struct AdminServer: Sendable {
    private let checks: [ReadinessCheck]
    private let metrics: MetricRegistry

    package init(checks: [ReadinessCheck], metrics: MetricRegistry) {
        self.checks = checks
        self.metrics = metrics
    }

    package func application(
        host: String, port: Int, logger: Logger
    ) -> Application<HTTPEdgeResponder<AnonymousRequestContext>> {
        // A registry of its own: what scrapes and probes do is no traffic.
        let edge = HTTPEdge(router, metrics: MetricRegistry(), accessLevel: .debug)
        return Application(
            router: edge, configuration: .init(address: .hostname(host, port: port), serverName: "pulsegate"),
            logger: logger)
    }

    private var router: Router<AnonymousRequestContext> {
        let router = Router(context: AnonymousRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.get("/live") { _, _ in try JSONResponse.make(["status": "ok"]) }
        router.get("/ready") { [checks] _, _ in
            let failing = await ReadinessCheck.failing(checks)
            guard failing.isEmpty else {
                throw Problem.unavailable(
                    retryAfter: 1, code: "not_ready", detail: "Not ready: \(failing.joined(separator: ", ")).")
            }
            return try JSONResponse.make(["status": "ok"])
        }
        router.get("/metrics") { [metrics] _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.exposition())))
        }
        return router
    }
}
