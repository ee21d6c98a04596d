import Foundation

/// What a process tells of itself, by `/proc` and by its metrics.
extension ServerProcess {
    /// A figure of `/proc/…/status`, such as `VmRSS`, in bytes.
    func memory(_ name: String) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1_024
    }
}

extension Installation {
    /// A metric without labels.
    func ingestMetric(_ name: String) async throws -> Double? {
        try await client.send(.get, ingestMetricsURL).text.split(separator: "\n")
            .first { $0.hasPrefix(name + " ") }?.split(separator: " ").last.flatMap { Double($0) }
    }

    /// Waits until nothing of any request is held any more. Across processes there is no signal of it.
    func ingestIsAtRest() async throws -> Bool {
        for _ in 0..<600 {
            let held = try await ingestMetric("pulsegate_ingest_body_bytes")
            let inFlight = try await ingestMetric("pulsegate_http_requests_in_flight")
            if held == 0, inFlight == 0 { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }
}
