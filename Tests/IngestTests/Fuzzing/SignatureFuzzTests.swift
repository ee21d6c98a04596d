import Crypto
import Foundation
import Postgres
import Support
import Testing

@testable import Ingest

/// Signatures that were tampered with: whoever is let in has sent the right one, in a form that the specification has.
struct SignatureFuzzTests {
    private static let body = Array(#"{"device_eui":"70B3D57ED0000001"}"#.utf8)
    private static let pieces = ["sha256=", "SHA256=", "sha1=", "v1,", "v2,", ",", "00", " ", "ſha256=", "："]

    private func mac(_ key: String, _ bytes: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: Array(key.utf8))))
    }

    @Test func hexadecimal() throws {
        let hex = mac("secret", Self.body).map { String(format: "%02x", $0) }.joined()
        let corpus = [hex, "sha256=\(hex)", "SHA256=\(hex.uppercased())", "sha256=00, \(hex)"]
        var fuzzer = Fuzzer("hex signature", corpus: corpus, mutations: .text(Self.pieces), iterations: 1_500)
        let secret = try #require(SecretMaterial(shown: "secret", for: .hmac))
        try fuzzer.run { bytes in
            let header = String(decoding: bytes, as: UTF8.self)
            let verified = SignatureVerifier(authentication: .hmac).verify(
                Self.body, headers: { $0 == BodySignature.header ? [header] : [] }, secrets: [secret], now: arrival)
            let items = header.utf8.split(separator: UInt8(ascii: ","))
                .map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: CharacterSet(charactersIn: " \t")) }
                .filter { !$0.isEmpty }.prefix(8)
            let isSigned = items.contains { ["\(hex)", "sha256=\(hex)"].contains($0.lowercased()) }
            try agree(verified.isVerified, isSigned, header.debugDescription)
            return isSigned
        }
        #expect(fuzzer.hasReached(10))
    }

    /// The id and the time are signed too.
    @Test func standardWebhooks() throws {
        let key = (0..<32).map { UInt8($0) }
        let secret = try #require(
            SecretMaterial(shown: "whsec_" + Data(key).base64EncodedString(), for: .standardWebhooks))
        let time = "\(arrival.seconds)"
        let signed = Array("msg_1.\(time).".utf8) + Self.body
        let mac = Array(HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: key)))
        let signature = "v1," + Data(mac).base64EncodedString()
        // Three headers in one input, a line each.
        let corpus = ["msg_1\n\(time)\n\(signature)", "msg_1\n\(time)\nv1a,AAAA v1,AAAA \(signature)"]
        var fuzzer = Fuzzer(
            "standard webhooks", corpus: corpus, mutations: .text(Self.pieces + ["\n", "."]), iterations: 1_500)
        try fuzzer.run { bytes in
            let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
            let values = Dictionary(
                zip(["webhook-id", "webhook-timestamp", "webhook-signature"], lines),
                uniquingKeysWith: { first, _ in first })
            let verified = SignatureVerifier(authentication: .standardWebhooks).verify(
                Self.body, headers: { values[$0].map { [$0] } ?? [] }, secrets: [secret], now: arrival)
            let tried = (values["webhook-signature"] ?? "").utf8.split(separator: 0x20).prefix(8)
            let isSigned = tried.contains { item in
                item.starts(with: "v1,".utf8) && Base64.decode(item.dropFirst(3)) == mac
            }
            try agree(verified.isVerified, isSigned && lines.starts(with: ["msg_1", time]), lines.debugDescription)
            return verified.isVerified
        }
        #expect(fuzzer.hasReached(5))
    }

    @Test func basicCredentials() throws {
        let secret = try #require(SecretMaterial(shown: "pass:word", for: .basic(username: "user")))
        let corpus = ["Basic dXNlcjpwYXNzOndvcmQ=", "bASIC   dXNlcjpwYXNzOndvcmQ", "Bearer x"]
        var fuzzer = Fuzzer("basic credentials", corpus: corpus, mutations: .text(["Basic ", "Og", "=", "dXNlcg"]))
        try fuzzer.run { bytes in
            let header = String(decoding: bytes, as: UTF8.self)
            let verified = SignatureVerifier(authentication: .basic(username: "user")).verify(
                Self.body, headers: { $0 == "authorization" ? [header] : [] }, secrets: [secret], now: arrival)
            let credentials = header.utf8.dropFirst(6).drop { $0 == 0x20 }
            let isSigned =
                header.prefix(6).lowercased() == "basic "
                && Base64.decode(credentials).map { String(decoding: $0, as: UTF8.self) } == "user:pass:word"
            try agree(verified.isVerified, isSigned, header.debugDescription)
            return isSigned
        }
        #expect(fuzzer.hasReached(5))
    }

    /// Base64 against Foundation's, which wants its padding.
    @Test func base64() throws {
        let corpus = ["", "AQ==", "AQI=", "AQID", "AQ", "AQI", "+/+/", "c3RvcmUgYm94"]
        var fuzzer = Fuzzer(
            "base64", corpus: corpus, mutations: .text(["A", "=", "==", "+", "/", "-", "_", "\n"]), iterations: 3_000)
        try fuzzer.run { bytes in
            let isAlphabet = String(decoding: bytes, as: UTF8.self).wholeMatch(of: /[A-Za-z0-9+\/]*={0,2}/) != nil
            let isPadded = bytes.last == UInt8(ascii: "=")
            let filled =
                isPadded ? bytes : bytes + Array(repeating: UInt8(ascii: "="), count: (4 - bytes.count % 4) % 4)
            // Foundation passes over padding that is too much.
            let isWhole = isPadded ? bytes.count % 4 == 0 : bytes.count % 4 != 1
            let expected = isAlphabet && isWhole ? Data(base64Encoded: Data(filled)).map(Array.init) : nil
            let decoded = Base64.decode(bytes)
            try agree(decoded, expected, "bytes")
            return decoded != nil
        }
        #expect(fuzzer.hasReached(200))
    }
}
