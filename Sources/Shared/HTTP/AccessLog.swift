import HTTPTypes
import Hummingbird
import Logging

/// One line for each request. Query strings are left out, paths are redacted: both may hold what is nobody's business.
struct AccessLog: Sendable {
    let level: Logger.Level

    func write(_ request: Request, _ response: Response, _ duration: Duration, _ context: some PulsegateRequestContext)
    {
        let level = response.status.code >= 500 ? max(level, .warning) : level
        guard context.logger.logLevel <= level else { return }
        let (seconds, attoseconds) = duration.components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        var metadata: Logger.Metadata = [
            "method": .string(request.method.rawValue),
            "path": .string(redactedPath(request.uri.path)),
            "status": .stringConvertible(response.status.code),
            "duration_ms": .stringConvertible(Double(microseconds) / 1_000),
        ]
        if let route = context.routeTemplate { metadata["route"] = .string(route) }
        if let tenant = context.notes.tenantSlug { metadata["tenant"] = .string(tenant) }
        if let address = context.client { metadata["remote"] = .string(address.description) }
        context.logger.log(level: level, "request", metadata: metadata)
    }
}

/// A path as a log may show it: the token of `/api/v1/{token}/telemetry`, and whatever looks like a key of ours, is
/// left out.
package func redactedPath(_ path: String) -> String {
    var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    for index in parts.indices where isSecret(index, of: parts) {
        parts[index] = "[redacted]"
    }
    return parts.joined(separator: "/")
}

private func isSecret(_ index: Int, of parts: [String]) -> Bool {
    let part = parts[index]
    if part.hasPrefix("store_") || part.hasPrefix("svc_") { return true }
    // Device tokens in paths, as ThingsBoard's HTTP API has them.
    return index == 3 && parts.count > 4 && parts[1] == "api" && parts[2] == "v1" && parts[4] == "telemetry"
}
