import Logging

/// The settings that more than one process has.
package enum SharedSettings {
    package static let logLevel = SettingKey<Logger.Level>.choice(
        "LOG_LEVEL", default: .info, meaning: "Least severe level that is logged.")

    package static let masterKey = SettingKey<MasterKeys>(
        "MASTER_KEY", default: nil, defaultText: nil,
        meaning: "Keys that seal secrets at rest, `id:base64 of 32 bytes`, separated by commas; the first one seals.",
        isSecret: true
    ) { text throws(SettingValueFault) in
        do {
            return try MasterKeys(text)
        } catch {
            throw SettingValueFault("id:base64(32 bytes), separated by commas: \(error)")
        }
    }

    package static let tokenKey = SettingKey<TokenKey>(
        "JWT_SECRET", default: nil, defaultText: nil, unit: "",
        meaning: "Signs access tokens (HS256). At least \(TokenKey.minBytes) bytes.", isSecret: true
    ) { text throws(SettingValueFault) in
        guard let key = TokenKey(secret: text) else {
            throw SettingValueFault("at least \(TokenKey.minBytes) bytes long")
        }
        return key
    }

    package static let headTimeout = SettingKey<Duration>.seconds(
        "REQUEST_HEAD_TIMEOUT", default: 10, in: 0.1...600,
        meaning: "Time for a request's head, from its first byte; then 408.")

    package static let bodyTimeout = SettingKey<Duration>.seconds(
        "REQUEST_BODY_TIMEOUT", default: 60, in: 0.1...3_600,
        meaning: "Time for a request's body, from the end of its head; then 408.")

    package static let answerTimeout = SettingKey<Duration>.seconds(
        "ANSWER_TIMEOUT", default: 60, in: 0.1...3_600,
        meaning: "Time in which a client must take each 64 KiB of an answer; then the connection is closed.")

    package static let shutdownGrace = SettingKey<Duration>.seconds(
        "SHUTDOWN_GRACE", default: 6, in: 0...10,
        meaning:
            "How long new connections are still accepted after SIGTERM, while /ready says 503: longer than the balancer takes to notice."
    )

    /// - Parameter name: of the setting, each process having its own.
    package static func maxConnections(_ name: String) -> SettingKey<Int> {
        .integer(
            name, default: 10_000, in: 1...1_000_000, unit: "connections",
            meaning:
                "Connections to the public port at once; fewer where the hard limit on open files is too low. Beyond that: 503."
        )
    }

    package static let deadlines: [any SettingDeclaration] = [headTimeout, bodyTimeout, answerTimeout]
}

extension RequestDeadlines.Limits {
    package init(_ reader: SettingsReader) {
        self.init(
            head: reader[SharedSettings.headTimeout], body: reader[SharedSettings.bodyTimeout],
            answer: reader[SharedSettings.answerTimeout])
    }
}
