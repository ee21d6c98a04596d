import ArgumentParser
import Postgres
import Shared

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Checks the database and the settings, and says what is wrong.",
        discussion: """
            Uses what is set of INGEST_, QUERY_ and SYSTEM_DATABASE_URL and MASTER_KEY. The exit status is 1 when a check \
            fails; warnings leave it at 0.
            """)

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let findings = await Doctor(
            urls: try RoleLogin.roles.map { setting, role in
                Doctor.Login(setting: setting.rawValue, role: role, url: try setting.optional())
            },
            secretBox: try EnvironmentSetting.masterKey.optional() == nil ? nil : try SecretBox.fromEnvironment()
        ).examine()
        if json {
            try Console.showJSON(findings)
        } else {
            Console.showTable(["", "check", ""], findings.map { [$0.level.rawValue, $0.check, $0.detail] })
        }
        if findings.contains(where: { $0.level == .fail }) { throw ExitCode(Refusal.Reason.conflict.rawValue) }
    }
}
