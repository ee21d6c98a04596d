import Shared

/// The key that signs access tokens, and those of before that still verify.
struct TokenKeys: Sendable {
    let current: TokenKey
    let previous: [TokenKey]

    init(current: TokenKey, previous: [TokenKey] = []) {
        (self.current, self.previous) = (current, previous)
    }

    /// - Throws: unless exactly one key signs.
    init(_ reader: SettingsReader) throws(SettingsFault) {
        let (secret, key) = (reader[SharedSettings.tokenSecret], reader[SharedSettings.tokenKey])
        guard secret == nil || key == nil else {
            throw SettingsFault([
                SettingFault(name: SharedSettings.tokenKey.name, reason: "and JWT_SECRET are both set")
            ])
        }
        guard let current = secret ?? key else {
            throw SettingsFault([
                SettingFault(name: SharedSettings.tokenSecret.name, reason: "is missing, and so is JWT_KEY")
            ])
        }
        guard current.signs else {
            throw SettingsFault([SettingFault(name: SharedSettings.tokenKey.name, reason: "must be a private key")])
        }
        self.init(
            current: current,
            previous: [reader[SharedSettings.previousTokenSecret], reader[SharedSettings.previousTokenKey]]
                .compactMap(\.self))
    }
}
