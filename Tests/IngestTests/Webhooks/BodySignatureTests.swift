import Crypto
import Foundation
import Testing

@testable import Ingest

struct BodySignatureTests {
    /// Published by GitHub for X-Hub-Signature-256, which is the same construction.
    private let secret = "It's a Secret to Everybody"
    private let body = "Hello, World!"
    private let signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    private func verify(_ values: [String], secrets: [String]? = nil, body: String? = nil)
        -> Result<VerifiedBody, RefusalReason>
    {
        IngestTests.verify(
            .hmac, body ?? self.body, ["x-webhook-signature": values], secrets: secrets ?? [secret])
    }

    @Test func takesTheSignatureInEveryForm() throws {
        for value in [
            signature, "sha256=" + signature, signature.uppercased(), "SHA256=" + signature.uppercased(),
            " sha256=\(signature) ", "sha256=\(String(repeating: "0", count: 64)), sha256=\(signature)",
        ] {
            let verified = try verify([value]).get()
            #expect(verified.bytes == Array(body.utf8))
            #expect(verified.messageID == nil)
        }
        #expect(verify(["junk", signature]).isVerified)
    }

    @Test func refusesEveryFlippedBit() throws {
        for place in 0..<signature.utf8.count {
            for bit in 0..<4 {
                var digits = Array(signature.utf8)
                let digit = try #require(Int(String(decoding: [digits[place]], as: UTF8.self), radix: 16))
                digits[place] = Array(String(digit ^ 1 << bit, radix: 16).utf8)[0]
                #expect(verify([String(decoding: digits, as: UTF8.self)]).refusal == .signatureMismatch)
            }
        }
    }

    @Test func refusesAnotherBodyOrSecret() {
        #expect(verify([signature], body: "Hello, World?").refusal == .signatureMismatch)
        #expect(verify([signature], body: "").refusal == .signatureMismatch)
        #expect(verify([signature], secrets: ["another"]).refusal == .signatureMismatch)
        #expect(verify([signature], secrets: ["another", secret]).isVerified)
    }

    @Test func failsClosed() {
        #expect(verify([signature], secrets: []).refusal == .noActiveSecret)
        #expect(verify([signature], secrets: [""]).refusal == .noActiveSecret)
        #expect(verify([]).refusal == .signatureMissing)
        #expect(verify([""]).refusal == .signatureMissing)
        for value in [
            "sha1=" + signature, String(signature.dropLast()), signature + "00", "sha256=",
            "zz" + signature.dropFirst(2),
        ] {
            #expect(verify([value]).refusal == .signatureMalformed)
        }
        let empty = HMAC<SHA256>.authenticationCode(for: Array(body.utf8), using: SymmetricKey(data: [UInt8]()))
        #expect(!verify([empty.map { String(format: "%02x", $0) }.joined()], secrets: [""]).isVerified)
    }

    @Test func looksAtEightSignatures() {
        let wrong = String(repeating: "0", count: 64)
        let seven = Array(repeating: wrong, count: 7)
        #expect(verify(seven + [signature]).isVerified)
        #expect(verify(seven + [wrong, signature]).refusal == .signatureMismatch)
        #expect(verify([(seven + [wrong, signature]).joined(separator: ",")]).refusal == .signatureMismatch)
    }
}
