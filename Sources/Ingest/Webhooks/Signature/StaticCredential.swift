/// Senders that can't sign: a secret in a header, or RFC 7617 credentials.
enum StaticCredential {
    static func refusal(
        headers: SignatureVerifier.Headers, header: String, secrets: [SecretMaterial]
    ) -> RefusalReason? {
        let name = header.lowercased()
        let given = headers(name).prefix(SignatureVerifier.maxSignatures)
        guard !given.isEmpty else { return .signatureMissing }
        var matches = false
        for value in given {
            let bearer = name == "authorization" ? credentials(value, scheme: "bearer") : nil
            for secret in secrets {
                if ConstantTime.equalSecrets(value.utf8, secret.key) { matches = true }
                if let bearer, ConstantTime.equalSecrets(bearer, secret.key) { matches = true }
            }
        }
        return matches ? nil : .signatureMismatch
    }

    static func refusal(
        headers: SignatureVerifier.Headers, username: String, secrets: [SecretMaterial]
    ) -> RefusalReason? {
        let given = headers("authorization").prefix(SignatureVerifier.maxSignatures)
        guard !given.isEmpty else { return .signatureMissing }
        let decoded = given.compactMap { credentials($0, scheme: "basic").flatMap { Base64.decode($0) } }
        var isReadable = false
        var matches = false
        for pair in decoded {
            // A user name can't hold a colon, a password can (RFC 7617 §2).
            guard let colon = pair.firstIndex(of: UInt8(ascii: ":")) else { continue }
            isReadable = true
            let isUser = ConstantTime.equalSecrets(pair[..<colon], Array(username.utf8))
            for secret in secrets {
                let isPassword = ConstantTime.equalSecrets(pair[(colon + 1)...], secret.key)
                if isUser && isPassword { matches = true }
            }
        }
        if matches { return nil }
        return isReadable ? .signatureMismatch : .signatureMalformed
    }

    /// What follows the scheme, whose case doesn't count (RFC 9110 §11.1).
    private static func credentials(_ value: String, scheme: String) -> Substring.UTF8View? {
        guard let space = value.firstIndex(of: " "), value[..<space].lowercased() == scheme else { return nil }
        return value[space...].drop { $0 == " " }.utf8
    }
}
