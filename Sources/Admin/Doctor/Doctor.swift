import Logging
import Postgres
import Shared

/// Examines an installation. Reads only; what it cannot reach it says, and goes on.
struct Doctor: Sendable {
    struct Login: Sendable {
        let setting: String
        let role: String
        let url: String?
    }

    let urls: [Login]
    let secretBox: SecretBox?

    func examine() async -> [Finding] {
        var findings: [Finding] = []
        for login in urls {
            findings += await examine(login)
        }
        guard let url = urls.first(where: { $0.role == "pulsegate_system" })?.url else { return findings }
        do {
            findings += try await SystemDatabase.with(url: url) { system in
                var found: [Finding] = []
                for check in checks { found += await check.run(on: system.database) }
                return found
            }
        } catch {
            findings.append(.fail("database", Self.words(error)))
        }
        return findings
    }

    private var checks: [any DoctorCheck] {
        [
            SchemaCheck(), FenceCheck(), PartitionGrantCheck(), PartitionCheck(), RingCheck(), DurabilityCheck(),
            VacuumCheck(), ClockCheck(), BacklogCheck(), ReservationCheck(), LedgerCheck(), OutboxCheck(), JobCheck(),
            SecretCheck(secretBox: secretBox),
        ]
    }

    /// Whether the URL signs in as the role it should, and whether that role is as weak as it should be.
    private func examine(_ login: Login) async -> [Finding] {
        let check = "login of \(login.role)"
        guard let url = login.url else { return [.warn(check, "\(login.setting) is not set")] }
        do {
            let connection = try await PostgresConnection.connect(
                ConnectionConfiguration(url: url, applicationName: "pulsegate doctor"),
                logger: Logger(label: "postgres") { _ in SwiftLogNoOpLogHandler() })
            let found = try await connection.all(
                """
                SELECT rolname, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user
                """ as Statement<LoginRole>)
            await connection.close()
            guard let role = found.first else { return [.fail(check, "the server does not say who signed in")] }
            guard role.name == login.role else { return [.fail(check, "\(login.setting) signs in as \(role.name)")] }
            let powers = role.powers
            return powers.isEmpty ? [.ok(check, "signs in")] : [.fail(check, "is \(powers.joined(separator: ", "))")]
        } catch {
            return [.fail(check, Self.words(error))]
        }
    }

    static func words(_ error: any Error) -> String {
        Refusal(error)?.description ?? String(describing: error)
    }
}

/// Something to be found out about the database.
protocol DoctorCheck: Sendable {
    var name: String { get }
    func examine(_ database: Database) async throws -> [Finding]
}

extension DoctorCheck {
    func run(on database: Database) async -> [Finding] {
        do {
            return try await examine(database)
        } catch {
            return [.fail(name, Doctor.words(error))]
        }
    }
}

private struct LoginRole: RowDecodable {
    let name: String
    let powers: [String]

    init(_ row: Row) throws {
        name = try row["rolname"]
        let powers: [(Bool, String)] = [
            (try row["rolsuper"], "a superuser"), (try row["rolbypassrls"], "above row-level security (BYPASSRLS)"),
            (try row["rolcreaterole"], "able to make roles"),
        ]
        self.powers = powers.filter(\.0).map(\.1)
    }
}
