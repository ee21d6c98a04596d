import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Shared
import Support
import Testing

@testable import Query

/// The API as a whole: whatever stands behind `?`, in a body or in a header, the answer is an answer or a problem that
/// blames the request, never one of ours.
struct QueryFuzzTests {
    private static let uris = [
        "/api/v1/series/query?metric=pos.sales&store=T01&label.till=1&from=2026-01-05T00:00:00Z&to=1767571800000&step=5m&agg=avg",
        "/api/v1/series?metric=pos.*,temp?&device=70-B3-D5-7E-D0-00-00-01&site=T01&limit=2&cursor=AAAA",
        "/api/v1/series/query?metric=temperature&space=P1&max_points=100&from=2026-01-05T00:00:00%2B01:00&step=0.5",
        "/api/v1/devices?limit=10&site=T01", "/api/v1/spaces?site=T01&limit=5", "/api/v1/stores/T01/status",
        "/api/v1/devices/70b3d57ed0000001/readings?limit=1", "/api/v1/sites/019a0000-0000-7000-8000-000000000001",
    ]
    private static let pieces = [
        "%", "%00", "%ff", "%C3%28", "%25", "%2C", "&", "&&", "=", "==", "?", "#", "/", "//", "..", "%2e%2e%2f",
        "http://", "://",
        "*", "%5C", "_", "'", "--", ";", "metric=", "label.=", "label.a=", "step=", "step=1e400", "step=1ms", "from=",
        "to=",
        "from=0x1p40", "from=nan", "from=-62135596800000", "to=253402300799999", "max_points=1", "agg=avg,min",
        "limit=",
        "limit=200", "cursor=", "é", "\u{301}", "+", "%20", "9223372036854775808", "-9223372036854775808",
    ]

    @Test func everyAddressGetsAnAnswer() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            var fuzzer = Fuzzer("address", corpus: Self.uris, mutations: .text(Self.pieces), iterations: 300)
            while let bytes = fuzzer.next() {
                let uri = String(decoding: bytes, as: UTF8.self)
                let answered = try await bed.get(uri, as: token)
                if let fault = Self.fault(answered) { throw fuzzer.failure(Violation(fault)) }
                fuzzer.note(accepted: answered.status == .ok)
            }
            #expect(fuzzer.hasReached(50))
        }
    }

    @Test func everySignInGetsAnAnswer() async throws {
        var limits = FailureThrottle.Limits()
        (limits.freeFailures, limits.shortestWait, limits.longestWait) = (1_000_000_000, .zero, .zero)
        try await Testbed.run(failures: limits) { bed in
            let corpus = [
                #"{"email":"nobody@example.com","password":"x\u00e9","tenant":"acme"}"#,
                #"{"email":"a\u0000b@example.com","password":"x\u0000"}"#,
                #"{"email":"","password":null,"tenant":"","tenant_id":1}"#,
            ]
            var fuzzer = Fuzzer("sign-in", corpus: corpus, mutations: .json, iterations: 200)
            while let bytes = fuzzer.next() {
                let answered = try await bed.send(
                    .post, "/api/v1/auth/login", headers: [.contentType: "application/json"],
                    body: ByteBuffer(bytes: bytes))
                if let fault = Self.fault(answered) { throw fuzzer.failure(Violation(fault)) }
                fuzzer.note(accepted: answered.status != .badRequest)
            }
            #expect(fuzzer.hasReached(30))
        }
    }

    private static func fault(_ answered: Answered) -> String? {
        if answered.status.code >= 500 { return "\(answered.status): \(answered.text)" }
        if ReferenceJSON(Array(answered.text.utf8)) == nil { return "no JSON: \(answered.text)" }
        if answered.status.code >= 400, answered.headers[.contentType] != "application/problem+json" {
            return "no problem: \(answered.status) \(answered.text)"
        }
        return nil
    }
}
