import ArgumentParser
import Foundation
import Shared

struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Onboards, changes and lists tenants.",
        subcommands: [OnboardCommand.self, SetCommand.self, List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists every tenant.")

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let tenants = try await SystemDatabase.with { try await $0.database.lookUp(TenantSummary.all()) }
            if json { return try Console.showJSON(tenants) }
            Console.showTable(
                ["slug", "plan", "active", "stores", "created", "name"],
                tenants.map {
                    [$0.slug, $0.plan, $0.isActive ? "yes" : "no", "\($0.maxStores) at most", $0.createdAt, $0.name]
                })
        }
    }
}

extension Plan: ExpressibleByArgument {}

/// Tenants are named by slug.
struct TenantOption: ParsableArguments {
    @Option(help: "The tenant's slug.")
    var tenant: String
}
