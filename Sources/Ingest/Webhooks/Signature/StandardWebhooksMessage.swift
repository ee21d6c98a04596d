import Crypto
import Postgres

/// The headers of Standard Webhooks (specification, "Verifying webhook authenticity"): HMAC-SHA256 over
/// `id.timestamp.body`, in base64 after `v1,`; other versions are passed over.
///
/// An id may hold a `.`: moving the borders of `id.timestamp.body` to gain another id leaves a body that begins with
/// digits and a point, which no dialect reads.
struct StandardWebhooksMessage {
    static let toleranceSeconds: Int64 = 300

    /// 1 to 256 visible ASCII characters.
    let id: String?
    private let givenID: String
    private let timestamp: String
    private let signatures: [String]

    init(headers: SignatureVerifier.Headers) {
        givenID = Self.single(headers("webhook-id"))
        timestamp = Self.single(headers("webhook-timestamp"))
        signatures = headers("webhook-signature").flatMap { $0.split(separator: " ") }.map(String.init)
        let isValid = (1...256).contains(givenID.utf8.count) && givenID.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        id = isValid ? givenID : nil
    }

    func refusal(_ body: [UInt8], secrets: [SecretMaterial], now: Timestamp) -> RefusalReason? {
        guard !signatures.isEmpty else { return .signatureMissing }
        let looked = signatures.prefix(SignatureVerifier.maxSignatures).compactMap(Self.decode)
        var matches = false
        for secret in secrets {
            var code = HMAC<SHA256>(key: SymmetricKey(data: secret.key))
            code.update(data: Array("\(givenID).\(timestamp).".utf8))
            code.update(data: body)
            let expected = Array(code.finalize())
            for signature in looked where ConstantTime.equal(expected, signature) { matches = true }
        }
        guard id != nil else { return .messageIDInvalid }
        guard let seconds = Self.seconds(timestamp) else { return .timestampInvalid }
        let age = now.microseconds / 1_000_000 - seconds
        if age > Self.toleranceSeconds { return .timestampTooOld }
        if age < -Self.toleranceSeconds { return .timestampTooNew }
        if matches { return nil }
        return looked.isEmpty ? .signatureMalformed : .signatureMismatch
    }

    /// A header that may come once: twice, nobody knows which one was signed.
    private static func single(_ values: [String]) -> String { values.count == 1 ? values[0] : "" }

    private static func decode(_ signature: String) -> [UInt8]? {
        let version = "v1,"
        guard signature.utf8.starts(with: version.utf8),
            let bytes = Base64.decode(signature.utf8.dropFirst(version.utf8.count)), bytes.count == SHA256.byteCount
        else { return nil }
        return bytes
    }

    /// Digits alone: no sign, no white space, no fraction.
    private static func seconds(_ text: String) -> Int64? {
        guard (1...12).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(text)
    }
}
