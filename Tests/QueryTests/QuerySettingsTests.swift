import Postgres
import Shared
import Testing

@testable import Query

@Suite struct QuerySettingsTests {
    private static let needed = [
        "QUERY_DATABASE_URL": "postgresql://pulsegate_query@localhost/pulsegate",
        "JWT_SECRET": String(repeating: "s", count: 32),
    ]

    private static func read(_ environment: [String: String], _ flags: [String] = []) throws -> QuerySettings {
        QuerySettings(
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
        #expect(error?.faults.map(\.name).sorted() == ["JWT_SECRET", "QUERY_DATABASE_URL", "QUERY_PORT"])
    }
}
