/// Which passwords may be chosen. Length counts Unicode code points (NIST SP 800-63B §3.1.1.2).
package enum PasswordPolicy {
    package static let length = 12...128

    /// - Returns: what is wrong, in the form of a field's error; nil when the password will do.
    package static func fault(of password: String, field: String = "password") -> Problem.FieldError? {
        let count = password.unicodeScalars.count
        if count < length.lowerBound {
            return .init(
                field: field, code: "too_short", detail: "A password has at least \(length.lowerBound) characters.")
        }
        if count > length.upperBound {
            return .init(
                field: field, code: "too_long", detail: "A password has at most \(length.upperBound) characters.")
        }
        if CommonPasswords.contain(password) {
            return .init(
                field: field, code: "too_common", detail: "Others use this password too, and guessers know it.")
        }
        return nil
    }
}
