import Crypto
import Foundation
import Postgres
import Testing

@testable import Ingest

struct StandardWebhooksTests {
    private struct Vector {
        var secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        var id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
        var timestamp = "1614265330"
        var body = #"{"test": 2432232314}"#
        var signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

        func verify(now: Timestamp = webhookNow, secrets: [String]? = nil) -> Result<VerifiedBody, RefusalReason> {
            IngestTests.verify(
                .standardWebhooks, body,
                ["webhook-id": [id], "webhook-timestamp": [timestamp], "webhook-signature": [signature]],
                secrets: secrets ?? [secret], now: now)
        }

        /// The vector with what was changed signed anew.
        func signed() -> Vector {
            var copy = self
            guard let key = SecretMaterial(shown: secret, for: .standardWebhooks)?.key else { return copy }
            let code = HMAC<SHA256>.authenticationCode(
                for: Array("\(id).\(timestamp).\(body)".utf8), using: SymmetricKey(data: key))
            copy.signature = "v1," + Data(code).base64EncodedString()
            return copy
        }
    }

    private let published = Vector()

    @Test func publishedVectors() throws {
        #expect(try published.verify().get().messageID == published.id)
        let second = Vector(
            secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", id: "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            timestamp: "1649367553", body: #"{"email":"test@example.com","username":"test_user"}"#,
            signature: "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=")
        #expect(second.verify(now: Timestamp(microseconds: 1_649_367_553_000_000)).isVerified)
        #expect(second.verify().refusal == .timestampTooNew)
    }

    @Test func refusesEveryFlippedBitOfTheSignature() throws {
        let bytes = try #require(Data(base64Encoded: String(published.signature.dropFirst(3))))
        for bit in 0..<(bytes.count * 8) {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << (bit % 8)
            var vector = published
            vector.signature = "v1," + flipped.base64EncodedString()
            #expect(vector.verify().refusal == .signatureMismatch)
        }
    }

    @Test func idTimestampAndBodyAreSigned() {
        for (part, value) in [
            (\Vector.id, "msg_other"), (\Vector.timestamp, "1614265331"), (\Vector.body, #"{"test": 2432232315}"#),
        ] {
            var vector = published
            vector[keyPath: part] = value
            #expect(vector.verify().refusal == .signatureMismatch)
            #expect(vector.signed().verify().isVerified)
        }
    }

    @Test func readsAListOfSignatures() {
        let wrong = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        // The published asymmetric signature of the same message is passed over.
        let asymmetric =
            "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
        var vector = published
        vector.signature = "\(wrong) \(asymmetric)  \(published.signature)"
        #expect(vector.verify().isVerified)
        vector.signature = asymmetric
        #expect(vector.verify().refusal == .signatureMalformed)
        vector.signature = String(repeating: wrong + " ", count: 7) + published.signature
        #expect(vector.verify().isVerified)
        vector.signature = String(repeating: wrong + " ", count: 8) + published.signature
        #expect(vector.verify().refusal == .signatureMismatch)
        vector.signature = published.signature.replacingOccurrences(of: "v1,", with: "v2,")
        #expect(vector.verify().refusal == .signatureMalformed)
    }

    @Test func toleratesFiveMinutesBothWays() {
        for (offset, expected) in [
            (-300, nil), (300, nil), (-301, RefusalReason.timestampTooOld), (301, .timestampTooNew),
        ] {
            var vector = published
            vector.timestamp = String(1_614_265_330 + offset)
            #expect(vector.signed().verify().refusal == expected)
        }
    }

    @Test func timestampsAreDigits() {
        for timestamp in [
            "", "+1614265330", "-1614265330", " 1614265330", "1614265330.0", "1614265330 ", "0x60", "16142653300000",
        ] {
            var vector = published
            vector.timestamp = timestamp
            #expect(vector.signed().verify().refusal == .timestampInvalid)
        }
    }

    @Test func idsAreVisibleAndShort() {
        for (id, expected) in [
            ("", RefusalReason.messageIDInvalid), ("a b", .messageIDInvalid), ("é", .messageIDInvalid),
            (String(repeating: "x", count: 257), .messageIDInvalid), (String(repeating: "x", count: 256), nil),
            ("a.1614265330", nil),
        ] {
            var vector = published
            vector.id = id
            #expect(vector.signed().verify().refusal == expected)
        }
    }

    @Test func aHeaderGivenTwiceIsRefused() {
        let headers = [
            "webhook-id": [published.id, "other"], "webhook-timestamp": [published.timestamp],
            "webhook-signature": [published.signature],
        ]
        let result = verify(.standardWebhooks, published.body, headers, secrets: [published.secret])
        #expect(result.refusal == .messageIDInvalid)
    }

    @Test func keysAreBase64Of24To64Bytes() {
        for (count, isKey) in [(0, false), (23, false), (24, true), (64, true), (65, false)] {
            let text = Data(repeating: 7, count: count).base64EncodedString()
            #expect((SecretMaterial(shown: "whsec_" + text, for: .standardWebhooks) != nil) == isKey)
            #expect(SecretMaterial(shown: text, for: .standardWebhooks) == nil)
        }
        #expect(SecretMaterial(shown: "whsec_" + String(repeating: "*", count: 32), for: .standardWebhooks) == nil)
        #expect(published.verify(secrets: []).refusal == .noActiveSecret)
        #expect(published.verify(secrets: ["whsec_AAAA", published.secret]).isVerified)
    }
}
