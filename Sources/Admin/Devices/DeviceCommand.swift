import ArgumentParser
import Foundation
import Shared

struct DeviceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "Registers devices.", subcommands: [Import.self])

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Registers or changes the devices of a CSV file, and reports line by line.",
            discussion: """
                The first line names the columns: device_eui, and any of name, profile, site, space and metadata. Good lines are \
                stored although others are bad; then the exit status is 65. The same file again changes nothing. A device \
                that was heard before it was registered takes over what was kept of it.
                """)

        @Argument(help: "The file; - reads standard input.")
        var file: String

        @OptionGroup var owner: TenantOption

        @Flag(help: "Make the spaces that the file names and the sites don't have.")
        var createSpaces = false

        @Flag(help: "Report bad lines alone.")
        var quiet = false

        func run() async throws {
            let devices = try parsed(read())
            let outcomes = try await SystemDatabase.with { system in
                let tenant = try await system.tenant(owner.tenant)
                let terms = DeviceImport.Terms(createsSpaces: createSpaces, record: SystemAudit.devices(of: tenant.id))
                return try await DeviceImport(database: system.database, tenant: tenant, terms).run(devices)
            }
            report(outcomes)
            if outcomes.contains(where: \.isFailure) { throw ExitCode(Refusal.Reason.data.rawValue) }
        }

        private func parsed(_ bytes: [UInt8]) throws -> DeviceFile {
            do {
                return try DeviceFile(bytes)
            } catch {
                throw Refusal(.data, error.reason)
            }
        }

        private func read() throws -> [UInt8] {
            if file == "-" { return Array(FileHandle.standardInput.readDataToEndOfFile()) }
            guard let data = FileManager.default.contents(atPath: file) else {
                throw Refusal(.data, "cannot read \(file)")
            }
            return Array(data)
        }

        private func report(_ outcomes: [DeviceImport.Outcome]) {
            let shown = outcomes.filter { !quiet || $0.isFailure }
            if !shown.isEmpty {
                Console.showTable(
                    ["line", "device_eui", "result", ""],
                    shown.map { [String($0.number), $0.deviceEUI, $0.words.result, $0.words.detail] })
            }
            let counts = Dictionary(grouping: outcomes, by: \.words.result).mapValues(\.count)
            let summary = ["created", "updated", "unchanged", "failed"].map { "\(counts[$0] ?? 0) \($0)" }
            Console.complain(summary.joined(separator: ", "))
        }
    }
}
