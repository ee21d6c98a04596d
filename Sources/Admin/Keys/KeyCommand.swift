import ArgumentParser
import Foundation
import Postgres
import Shared

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Issues, replaces and withdraws the keys of store gateways.",
        subcommands: [Create.self, Rotate.self, Revoke.self, List.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Issues one more key of a store.")

        @OptionGroup var owner: TenantOption
        @Option(help: "The store's code.") var store: String
        @Option(help: "What the key is for.") var name = "Gateway"
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try KeyCommand.show(
                try await KeyCommand.withKeys(of: owner.tenant) { try await $0.create(store: store, name: name) },
                json: json)
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Issues a new key of a store and lets the present ones expire.")

        @OptionGroup var owner: TenantOption
        @Option(help: "The store's code.") var store: String
        @Option(help: "For how long the present keys still work.") var overlapSeconds = 86_400
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard (0...31_536_000).contains(overlapSeconds) else {
                throw ValidationError("--overlap-seconds is from 0 to a year")
            }
        }

        func run() async throws {
            let issued = try await KeyCommand.withKeys(of: owner.tenant) {
                try await $0.rotate(store: store, overlapSeconds: overlapSeconds)
            }
            try KeyCommand.show(issued, json: json)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Withdraws one key, or all of a store, at once.")

        @OptionGroup var owner: TenantOption
        @Option(help: "The key's id.") var id: String?
        @Option(help: "The key's prefix.") var prefix: String?
        @Option(help: "The code of a store: all of its keys.") var store: String?

        func run() async throws {
            let selection = try selection()
            let prefixes = try await KeyCommand.withKeys(of: owner.tenant) { try await $0.revoke(selection) }
            for prefix in prefixes { Console.show("revoked \(prefix)") }
        }

        private func selection() throws -> StoreKeys.Selection {
            switch (id, prefix, store) {
            case (let id?, nil, nil):
                guard let id = UUID(uuidString: id) else { throw ValidationError("--id is a UUID") }
                return .id(id)
            case (nil, let prefix?, nil): return .prefix(prefix)
            case (nil, nil, let store?): return .store(store)
            default: throw ValidationError("name one of --id, --prefix and --store")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the keys of a tenant's stores.")

        @OptionGroup var owner: TenantOption
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let keys = try await KeyCommand.withKeys(of: owner.tenant) { try await $0.list() }
            if json { return try Console.showJSON(keys) }
            let now = Timestamp.now()
            Console.showTable(
                ["store", "prefix", "state", "last used", "id", "name"],
                keys.map {
                    [$0.store, $0.prefix, $0.state(at: now), $0.lastUsedAt?.rfc3339 ?? "never", $0.id, $0.name]
                })
        }
    }

    private static func withKeys<Value: Sendable>(
        of slug: String, _ body: @Sendable (StoreKeys) async throws -> Value
    ) async throws -> Value {
        try await SystemDatabase.with { system in
            try await body(StoreKeys(database: system.database, tenant: try await system.tenant(slug)))
        }
    }

    private static func show(_ issued: StoreKeys.Issued, json: Bool) throws {
        if json { return try Console.showJSON(issued) }
        Console.showTable(["store", "key"], [[issued.store, issued.key]])
        Console.complain("The key is not shown again.")
    }
}
