import ArgumentParser
import Foundation
import Shared

struct IntegrationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "integration", abstract: "Makes and lists the sources of uplinks.",
        subcommands: [Create.self, Rotate.self, List.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes an integration and shows its secret once.")

        @OptionGroup var owner: TenantOption
        @Option(help: "A name for people.") var name: String
        @OptionGroup var kind: IntegrationKind
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let (integration, secretBox) = (try NewIntegration(name: name, kind: kind), try SecretBox.fromEnvironment())
            let issued = try await IntegrationCommand.withIntegrations(of: owner.tenant) {
                try await $0.create(integration, secretBox: secretBox)
            }
            try IntegrationCommand.show(issued, json: json)
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives an integration a new secret and lets the present ones expire.")

        @OptionGroup var owner: TenantOption
        @Option(help: "The integration's id.") var id: String
        @Option(help: "For how long the present secrets still count.") var overlapSeconds = 86_400
        @Option(help: "Where ingest is reached, for the URL that is shown.") var ingestURL = ""
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            guard let id = UUID(uuidString: id) else { throw ValidationError("--id is a UUID") }
            guard (0...31_536_000).contains(overlapSeconds) else {
                throw ValidationError("--overlap-seconds is from 0 to a year")
            }
            let secretBox = try SecretBox.fromEnvironment()
            let issued = try await IntegrationCommand.withIntegrations(of: owner.tenant) {
                try await $0.rotate(id, overlapSeconds: overlapSeconds, ingestURL: ingestURL, secretBox: secretBox)
            }
            try IntegrationCommand.show(issued, json: json)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists a tenant's integrations.")

        @OptionGroup var owner: TenantOption
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let integrations = try await IntegrationCommand.withIntegrations(of: owner.tenant) { try await $0.list() }
            if json { return try Console.showJSON(integrations) }
            Console.showTable(
                ["id", "dialect", "auth", "active", "secrets", "name"],
                integrations.map {
                    [$0.id, $0.dialect, $0.auth, $0.isActive ? "yes" : "no", String($0.secrets), $0.name]
                })
        }
    }

    private static func withIntegrations<Value: Sendable>(
        of slug: String, _ body: @Sendable (Integrations) async throws -> Value
    ) async throws -> Value {
        try await SystemDatabase.with { system in
            try await body(Integrations(database: system.database, tenant: try await system.tenant(slug)))
        }
    }

    private static func show(_ issued: IssuedIntegration, json: Bool) throws {
        if json { return try Console.showJSON(issued) }
        Console.showTable(["integration", "auth", "secret"], [[issued.url, issued.auth, issued.secret]])
        Console.complain("The secret is not shown again.")
    }
}
