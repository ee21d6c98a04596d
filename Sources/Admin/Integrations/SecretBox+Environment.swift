import Shared

extension SecretBox {
    /// Opens and seals with MASTER_KEY.
    static func fromEnvironment() throws -> SecretBox {
        let text = try EnvironmentSetting.masterKey.required()
        do {
            return try SecretBox(masterKey: text)
        } catch {
            throw Refusal(.settings, "MASTER_KEY: \(error.description)")
        }
    }
}
