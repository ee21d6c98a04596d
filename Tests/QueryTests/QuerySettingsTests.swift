import Crypto
import CryptoExtras
import Foundation
import Postgres
import Shared
import Testing

@testable import Query

@Suite struct QuerySettingsTests {
    private static let needed = [
        "QUERY_DATABASE_URL": "postgresql://pulsegate_query@localhost/pulsegate",
        "JWT_SECRET": String(repeating: "s", count: 32),
        "MASTER_KEY": "k1:" + Data(repeating: 7, count: 32).base64EncodedString(),
    ]

    private static func read(_ environment: [String: String], _ flags: [String] = []) throws -> QuerySettings {
        try QuerySettings(
            try SettingsReader(
                QuerySettings.declarations, arguments: ["pulsegate-query"] + flags, environment: environment))
    }

    @Test func defaultsAreThoseOfTheContract() throws {
        let settings = try Self.read(Self.needed)
        #expect(settings.host == "127.0.0.1" && settings.port == 8_081 && settings.adminPort == 9_081)
        #expect(settings.connection.applicationName == "pulsegate-query")
    }

    @Test func flagsWinOverTheEnvironment() throws {
        let environment = Self.needed.merging(["QUERY_PORT": "1"]) { $1 }
        #expect(try Self.read(environment, ["--query-port", "2"]).port == 2)
    }

    @Test func everyFaultIsNamedAtOnce() throws {
        let error = #expect(throws: SettingsFault.self) { try Self.read(["JWT_SECRET": "short", "QUERY_PORT": "x"]) }
        #expect(error?.faults.map(\.name).sorted() == ["JWT_SECRET", "MASTER_KEY", "QUERY_DATABASE_URL", "QUERY_PORT"])
    }

    @Test func oneKeySignsTokensAndOneMoreVerifies() throws {
        let database = Self.needed.filter { $0.key != "JWT_SECRET" }
        let pem = P256.Signing.PrivateKey().pemRepresentation
        let publicPEM = Curve25519.Signing.PrivateKey().publicKey.pemRepresentation
        let error = #expect(throws: SettingsFault.self) { try Self.read(database) }
        #expect(error?.faults.map(\.name) == ["JWT_SECRET"])
        for wrong in [
            ["JWT_SECRET": Self.needed["JWT_SECRET"] ?? "", "JWT_KEY": pem], ["JWT_KEY": publicPEM], ["JWT_KEY": "x"],
            ["JWT_KEY": pem, "JWT_PREVIOUS_SECRET": "short"],
        ] {
            #expect(throws: SettingsFault.self) { try Self.read(database.merging(wrong) { $1 }) }
        }
        let right = try Self.read(database.merging(["JWT_KEY": pem, "JWT_PREVIOUS_KEY": publicPEM]) { $1 }).tokenKeys
        #expect(right.current.algorithm == .es256 && right.previous.map(\.algorithm) == [.edDSA])
    }

    @Test func whatsAppNeedsATokenAndANumber() throws {
        let read = { (given: [String: String]) in try Self.read(Self.needed.merging(given) { $1 }) }
        #expect(try read([:]).services.whatsApp == nil)
        for (half, missing) in [
            (["WHATSAPP_TOKEN": "t"], ["WHATSAPP_PHONE_NUMBER_ID"]),
            (["WHATSAPP_PHONE_NUMBER_ID": "1"], ["WHATSAPP_TOKEN"]),
            (["WHATSAPP_TEMPLATE": "news"], ["WHATSAPP_TOKEN", "WHATSAPP_PHONE_NUMBER_ID"]),
        ] {
            let error = #expect(throws: SettingsFault.self) { try read(half) }
            #expect(error?.faults.map(\.name) == missing)
        }
        let whole = ["WHATSAPP_TOKEN": "t", "WHATSAPP_PHONE_NUMBER_ID": "1", "WHATSAPP_TEMPLATE": "news"]
        let notifier = try #require(try read(whole).services.whatsApp as? WhatsAppNotifier)
        #expect(notifier.baseURL == "https://graph.facebook.com/v21.0" && notifier.template?.language == "en")
    }

    @Test func privateNetworksAreNetworks() throws {
        let read = { (text: String) in try Self.read(Self.needed.merging(["WEBHOOK_PRIVATE_NETWORKS": text]) { $1 }) }
        #expect(try read("10.0.0.0/8, ::1").services.privateNetworks.count == 2)
        #expect(throws: SettingsFault.self) { try read("10.0.0.0/33") }
        #expect(try Self.read(Self.needed).services.privateNetworks.isEmpty)
    }

    @Test func mailNeedsASenderAndGoesOneWay() throws {
        let resend = Self.needed.merging(["RESEND_API_KEY": "re_1"]) { $1 }
        #expect(throws: SettingsFault.self) { try Self.read(resend) }
        let complete = try Self.read(resend.merging(["MAIL_FROM": "a@example.com"]) { $1 })
        #expect(complete.services.notifier is ResendNotifier)
        let folder = resend.merging(["MAIL_FOLDER": "/tmp/mail", "MAIL_FROM": "a@example.com"]) { $1 }
        #expect(throws: SettingsFault.self) { try Self.read(folder) }
        #expect(try Self.read(Self.needed.merging(["MAIL_FOLDER": "/tmp"]) { $1 }).services.notifier is MailFolder)
        #expect(try Self.read(Self.needed).services.notifier == nil)
    }
}
