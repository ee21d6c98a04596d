import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Support
import Testing

@testable import Shared

/// The short texts by which senders name themselves and things, each against its grammar as a regular expression.
struct CredentialFuzzTests {
    private static let pieces = ["store_", "_", "-", ":", ".", "A", "z", "0", "Bearer ", "bearer", " ", "ſ", "K", "０"]

    private func check(
        _ name: String, _ corpus: [String], _ parse: (String) throws -> (read: String?, expected: String?)
    ) throws {
        var fuzzer = Fuzzer(name, corpus: corpus, mutations: .text(Self.pieces), iterations: 1_500)
        try fuzzer.run { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            let (read, expected) = try parse(text)
            try agree(read.map { Array($0.utf8) }, expected.map { Array($0.utf8) }, "\(text.debugDescription)")
            return read != nil
        }
        #expect(fuzzer.hasReached(20))
    }

    @Test func storeKeys() throws {
        let random = "0123456789abcdefghijABCDEFGHIJ0123456789"
        let form = /store_([a-z0-9][a-z0-9-]{1,48})_([A-Za-z0-9][A-Za-z0-9-]{0,31})_([A-Za-z0-9]{32,128})/.asciiOnly()
        try check("store key", ["store_acme_T01_\(random)", "store_a-1_x_\(String(random.prefix(32)))"]) { text in
            let key = StoreKey(parsing: text)
            let found = text.wholeMatch(of: form)?.output
            try agree(key?.tenantSlug, found.map { String($0.1) }, "tenant")
            try agree(key?.storeCode, found.map { String($0.2) }, "store")
            if let key, let found { try holds(!key.prefix.contains(found.3), "the prefix holds the secret") }
            return (key?.secret, found.map { String($0.0) })
        }
    }

    @Test func deviceEUIs() throws {
        let form = /[0-9a-f]{2}(-?[0-9a-f]{2}){7}|[0-9a-f]{2}(:?[0-9a-f]{2}){7}/.asciiOnly().ignoresCase()
        try check(
            "device EUI",
            ["70B3D57ED0000001", "70-b3-d5-7e-d0-00-00-01", "70:B3:d5:7E:D0:00:00:01", "70-b3-d5:7e:d0:00-0001"]
        ) { text in
            let isForm = text.utf8.allSatisfy { $0 < 0x80 } && text.wholeMatch(of: form) != nil
            return (DeviceEUI(text)?.rawValue, isForm ? text.lowercased().filter { $0 != "-" && $0 != ":" } : nil)
        }
    }

    @Test func slugsAndCodes() throws {
        try check("slug", ["acme", "a1-b-2", String(repeating: "x", count: 49)]) { text in
            (Slug(text)?.rawValue, text.wholeMatch(of: /[a-z0-9][a-z0-9-]{1,48}/.asciiOnly()).map { String($0.output) })
        }
        try check("code", ["T01", "P-2-b", String(repeating: "Z", count: 32)]) { text in
            (
                Code(text)?.rawValue,
                text.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9-]{0,31}/.asciiOnly()).map { String($0.output) }
            )
        }
    }

    @Test func refreshTokens() throws {
        let token = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ"
        try check("refresh token", [token, String(repeating: "A", count: 64)]) { text in
            (
                OpaqueToken(parsing: text)?.secret,
                text.wholeMatch(of: /[A-Za-z0-9_-]{64}/.asciiOnly()).map { String($0.output) }
            )
        }
    }

    @Test func bearerTokens() throws {
        try check("bearer token", ["Bearer abc", "bEARER   a.b-c_d", "Basic abc"]) { text in
            guard let field = HTTPField.Name("Authorization").map({ HTTPField(name: $0, value: text) }) else {
                return (nil, nil)
            }
            let head = HTTPRequest(
                method: .get, scheme: "http", authority: "a", path: "/", headerFields: HTTPFields([field]))
            let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
            // The header's own value: surrounding spaces are not of it.
            let value = Array(field.value.utf8)
            let isScheme = value.prefix(7).map { $0 | 0x20 } == Array("bearer ".utf8)
            let token = value.dropFirst(7).drop { $0 == 0x20 }
            let isToken = isScheme && !token.isEmpty && token.allSatisfy { (0x21...0x7E).contains($0) }
            return (request.bearerToken, isToken ? String(decoding: token, as: UTF8.self) : nil)
        }
    }

    @Test func requestIDs() throws {
        try check("request id", ["abc-123_x.y", String(repeating: "a", count: 128)]) { text in
            let isSane = text.wholeMatch(of: /[A-Za-z0-9._-]{1,128}/.asciiOnly()) != nil
            let taken = SaneRequestID.from(text)
            if !isSane {
                try holds(taken != text && taken.wholeMatch(of: /[0-9a-f-]{36}/) != nil, "a fresh id instead")
            }
            return (taken == text ? taken : nil, isSane ? text : nil)
        }
    }

    @Test func traceParents() throws {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736"
        try check("traceparent", ["00-\(id)-00f067aa0ba902b7-01", "01-\(id)-00f067aa0ba902b7-00-more"]) { text in
            let found = text.wholeMatch(of: /[^-]*-([0-9a-f]{32})-([^-]*)-.*/.asciiOnly().dotMatchesNewlines())?.output
            let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map(\.count)
            let isForm = found.map { $0.1.contains { $0 != "0" } && parts[0] == 2 && parts[2] == 16 } ?? false
            return (traceID(ofTraceParent: text), isForm ? found.map { String($0.1) } : nil)
        }
    }

    @Test func contentEncodings() throws {
        try check("content encoding", ["gzip", "x-gzip", "deflate", "identity", "deflate, identity", " GZip\t,"]) {
            text in
            let names = text.split(separator: ",", omittingEmptySubsequences: true)
                .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " \t")).lowercased() }
                .filter { !$0.isEmpty && $0 != "identity" }
            let expected: ContentEncoding? =
                names.isEmpty
                ? .identity : ["gzip": .gzip, "x-gzip": .gzip, "deflate": .deflate][names.joined(separator: ",")]
            return ((try? ContentEncoding([text])).map { "\($0)" }, expected.map { "\($0)" })
        }
    }
}

extension Regex {
    /// Classes of ASCII characters alone, and each scalar for itself: combining marks belong to nothing before them.
    fileprivate func asciiOnly() -> Regex<RegexOutput> {
        asciiOnlyDigits().asciiOnlyWordCharacters().matchingSemantics(.unicodeScalar)
    }
}
