import Foundation
import Logging
import Testing

@testable import Shared

struct SettingsReaderTests {
    private enum Mode: String, CaseIterable { case fast, safe }

    private let port = SettingKey<Int>.port("INGEST_PORT", default: 8080, meaning: "Public port.")
    private let url = SettingKey<String>.databaseURL("DATABASE_URL", meaning: "The database.")
    private let secret = SettingKey<String>.secret("API_SECRET", minBytes: 8, meaning: "A | secret.")
    private let wait = SettingKey<Duration>.seconds("LINGER", default: 0.5, in: 0...10, meaning: "How long to wait.")
    private let proxies = SettingKey<Bool>.switch("TRUST_PROXY", default: false, meaning: "Whether to trust.")
    private let mode = SettingKey<Mode>.choice("MODE", default: .safe, meaning: "How to work.")
    private let redis = SettingKey<String?>.optionalText("REDIS_URL", meaning: "Shared limits.", isSecret: true)

    private var all: [any SettingDeclaration] { [port, url, secret, wait, proxies, mode, redis] }
    private let sound = ["DATABASE_URL": "postgresql://x", "API_SECRET": "12345678"]

    private func read(_ flags: [String] = [], _ environment: [String: String] = [:]) throws -> SettingsReader {
        try SettingsReader(
            all, arguments: ["program"] + flags, environment: sound.merging(environment) { $1 })
    }

    private func faults(_ flags: [String] = [], _ environment: [String: String]) throws -> [SettingFault] {
        try #require(throws: SettingsFault.self) {
            try SettingsReader(all, arguments: ["program"] + flags, environment: environment)
        }.faults
    }

    private func withFile<Value>(_ text: String, _ body: (String) throws -> Value) throws -> Value {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("setting-\(UUID().uuidString)")
        try Data(text.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(url.path)
    }

    @Test func defaults() throws {
        let settings = try read()
        #expect(settings[port] == 8080)
        #expect(settings[wait] == .milliseconds(500))
        #expect(settings[proxies] == false)
        #expect(settings[mode] == .safe)
        #expect(settings[redis] == nil)
        #expect(settings[url] == "postgresql://x")
    }

    @Test func flagsWinOverTheEnvironment() throws {
        let environment = ["INGEST_PORT": "1", "MODE": "fast", "TRUST_PROXY": "", "REDIS_URL": "redis://a,b"]
        let settings = try read(["--ingest-port", "2", "--linger=0.25", "--trust-proxy", "yes"], environment)
        #expect(settings[port] == 2)
        #expect(settings[wait] == .milliseconds(250))
        #expect(settings[mode] == .fast)
        #expect(settings[proxies])
        #expect(settings[redis] == "redis://a,b")
        let flagged = try read(["--redis-url", "redis://c,d", "--api-secret=a=b,c=d!"], environment)
        #expect(flagged[redis] == "redis://c,d")
        #expect(flagged[secret] == "a=b,c=d!")
    }

    @Test func filesHoldSecrets() throws {
        try withFile("from a file\r\n") { path in
            var environment = sound
            environment["API_SECRET"] = nil
            environment["API_SECRET_FILE"] = path
            let settings = try SettingsReader(all, arguments: ["program"], environment: environment)
            #expect(settings[secret] == "from a file")
            let flagged = try SettingsReader(
                all, arguments: ["program", "--api-secret-file", path], environment: sound)
            #expect(flagged[secret] == "from a file", "a flag wins over the environment")
            let both = try faults(
                [], ["DATABASE_URL": "postgresql://x", "API_SECRET": "12345678", "API_SECRET_FILE": path])
            #expect(both.map(\.description) == ["API_SECRET and API_SECRET_FILE are both set"])
        }
        let missing = try faults([], ["DATABASE_URL": "postgresql://x", "API_SECRET_FILE": "/nowhere/at/all"])
        #expect(missing.map(\.name) == ["API_SECRET_FILE"])
        let empty = try withFile("\n") { path in try faults([], sound.merging(["REDIS_URL_FILE": path]) { $1 }) }
        #expect(empty.map(\.name) == ["REDIS_URL_FILE"])
    }

    @Test func everyFaultIsToldAtOnce() throws {
        let faults = try faults(
            ["--nonsense", "7", "stray", "--mode", "--linger=11", "--linger=1"],
            ["INGEST_PORT": "many", "API_SECRET": "hidden", "TRUST_PROXY": "perhaps"])
        let text = SettingsFault(faults).description
        for line in [
            "--nonsense is not a flag of this program", "stray is not a flag", "--mode needs a value",
            "--linger is given twice", "INGEST_PORT must be a whole number from 0 to 65535, not \"many\"",
            "API_SECRET must be at least 8 bytes long", "TRUST_PROXY must be on or off, not \"perhaps\"",
            "DATABASE_URL is missing",
        ] {
            #expect(text.contains(line), "\(line) in \(text)")
        }
        #expect(!text.contains("hidden"))
    }

    @Test func rangesAndChoices() throws {
        for (name, value) in [
            ("INGEST_PORT", "65536"), ("INGEST_PORT", "-1"), ("INGEST_PORT", "80 "), ("LINGER", "10.1"),
            ("LINGER", "nan"),
            ("MODE", "Fast"), ("DATABASE_URL", "mysql//x"),
        ] {
            #expect(try faults([], sound.merging([name: value]) { $1 }).map(\.name) == [name], "\(name)=\(value)")
        }
    }

    @Test func sharedSettingsReadTheirTexts() throws {
        let declared: [any SettingDeclaration] = [
            SharedSettings.logLevel, SharedSettings.masterKey, SharedSettings.tokenSecret,
        ]
        let key = "k1:" + Data(count: 32).base64EncodedString()
        let settings = try SettingsReader(
            declared, arguments: ["program"],
            environment: ["LOG_LEVEL": "debug", "MASTER_KEY": key, "JWT_SECRET": String(repeating: "s", count: 32)])
        #expect(settings[SharedSettings.logLevel] == .debug)
        #expect(SecretBox(settings[SharedSettings.masterKey]).currentKeyID == "k1")
        let faults = try #require(throws: SettingsFault.self) {
            try SettingsReader(
                declared, arguments: ["program"],
                environment: ["LOG_LEVEL": "loud", "MASTER_KEY": "geheim", "JWT_SECRET": "kurz"])
        }
        #expect(faults.faults.map(\.name) == ["LOG_LEVEL", "MASTER_KEY", "JWT_SECRET"])
        #expect(!faults.description.contains("geheim") && !faults.description.contains("kurz"))
    }

    @Test func theReferenceComesFromTheDeclarations() {
        let markdown = SettingsReference.markdown("Ingest", all)
        #expect(
            markdown.contains("| `INGEST_PORT` | `--ingest-port` | `8080` |  | Public port. 0 takes any free one. |"))
        #expect(markdown.contains("| `LINGER` | `--linger` | `0.5` | seconds | How long to wait. |"))
        #expect(markdown.contains(#"| `API_SECRET` | `--api-secret` | **required** |  | A \| secret. Secret. |"#))
        #expect(markdown.contains("| `REDIS_URL` | `--redis-url` | none |"))
        let help = SettingsReference.help("pulsegate-ingest", all)
        for declaration in all { #expect(help.contains(declaration.flag) && help.contains(declaration.meaning)) }
        #expect(help.contains("Default: 0.5 seconds."))
    }
}
