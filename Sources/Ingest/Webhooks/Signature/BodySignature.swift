import Crypto

/// `X-Webhook-Signature`: HMAC-SHA256 over the raw body, as `sha256=<hex>` or bare hex, in any case. Several may stand
/// in one header, separated by commas, or in several.
enum BodySignature {
    static let header = "x-webhook-signature"

    static func refusal(
        _ body: [UInt8], headers: SignatureVerifier.Headers, secrets: [SecretMaterial]
    ) -> RefusalReason? {
        let given = headers(header).flatMap { $0.split(separator: ",") }.map(trimmed).filter { !$0.isEmpty }
            .prefix(SignatureVerifier.maxSignatures)
        guard !given.isEmpty else { return .signatureMissing }
        let signatures = given.compactMap(decode)
        var matches = false
        for secret in secrets {
            let expected = HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: secret.key))
            for signature in signatures where ConstantTime.equal(Array(expected), signature) { matches = true }
        }
        if matches { return nil }
        return signatures.isEmpty ? .signatureMalformed : .signatureMismatch
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }

    /// 32 bytes from 64 hex digits.
    private static func decode(_ text: Substring) -> [UInt8]? {
        var digits = text.utf8[...]
        let prefix = "sha256="
        if text.lowercased().hasPrefix(prefix) { digits = digits.dropFirst(prefix.utf8.count) }
        guard digits.count == SHA256.byteCount * 2 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in digits {
            guard let digit = hexDigit(character) else { return nil }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }

    private static func hexDigit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// Comparisons whose time tells nothing of where the texts differ.
enum ConstantTime {
    /// Lengths are no secret here: both sides are digests or MACs.
    static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for (x, y) in zip(a, b) { difference |= x ^ y }
        return difference == 0
    }

    /// For secrets of any length: their digests are compared, so not even the length shows.
    static func equalSecrets(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
        equal(Array(SHA256.hash(data: Array(a))), Array(SHA256.hash(data: Array(b))))
    }
}
