import Foundation
import Logging
import Postgres
import Support
import Testing

@testable import Shared

/// Paths and ids of requests get into the log: whatever they hold, a line is one line, is JSON, and says just that.
struct LogFuzzTests {
    @Test func linesAreJSON() throws {
        let corpus = [
            "/v1/metrics/batch", "/api/v1/sites?x=é😀", "a\"b\\c\n\r\t\u{1}\u{7F}\u{85}\u{1B}[31m", "\u{2028}\u{0}",
        ]
        var fuzzer = Fuzzer("log line", corpus: corpus, mutations: .json, iterations: 1_500)
        try fuzzer.run { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            let metadata: Logger.Metadata = [
                "path": .string(text), text: .array([.string(text), .dictionary([text: .string(text)])]),
            ]
            let line = LogLine.json(Timestamp(microseconds: 0), .info, "test", text, metadata)
            try holds(line.last == 0x0A && !line.dropLast().contains { $0 < 0x20 || $0 == 0x7F }, "control characters")
            guard let json = ReferenceJSON(line) else {
                throw Violation("no JSON: \(String(decoding: line, as: UTF8.self))")
            }
            try agree(json["message"], .string(text), "message")
            if text != "path" { try agree(json["path"], .string(text), "metadata") }
            let pretty = LogLine.pretty(Timestamp(microseconds: 0), .info, "test", text, metadata)
            try holds(!pretty.dropLast().contains(0x0A) && pretty.last == 0x0A, "more than one line")
            return true
        }
    }

    @Test func secretsStayOutOfPaths() throws {
        let secret = "store_acme_T01_0123456789abcdefghijABCDEFGHIJ0123456789"
        let corpus = ["/v1/\(secret)/x", "/api/v1/token123/telemetry", "//\(secret)"]
        var fuzzer = Fuzzer(
            "redacted path", corpus: corpus, mutations: .text(["/", "store_", "svc_", "telemetry", "%2F"]))
        try fuzzer.run { bytes in
            let path = String(decoding: bytes, as: UTF8.self)
            let shown = redactedPath(path)
            try holds(!shown.split(separator: "/").contains { $0.hasPrefix("store_") || $0.hasPrefix("svc_") }, shown)
            try agree(
                shown.split(separator: "/", omittingEmptySubsequences: false).count,
                path.split(separator: "/", omittingEmptySubsequences: false).count, "parts")
            return shown != path
        }
        #expect(fuzzer.hasReached(100))
    }
}
