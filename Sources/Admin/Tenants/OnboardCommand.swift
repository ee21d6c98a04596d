import ArgumentParser
import Foundation
import Shared

struct OnboardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "onboard",
        abstract: "Makes a tenant with its stores, a key for each, its first user and an integration.",
        discussion: "All or nothing. Keys, password and secret are shown once and can't be read again.")

    @Option(help: "Names the tenant in URLs and keys: a-z, 0-9 and -.")
    var slug: String

    @Option(help: "The tenant's name for people.")
    var name: String

    @Option(help: "What it bought: \(Plan.allCases.map(\.rawValue).joined(separator: ", ")).")
    var plan: Plan = .basic

    @Option(help: "How many stores to make; their codes are T01, T02, …")
    var stores = 0

    @Option(help: "IANA time zone of the stores.")
    var timezone = "UTC"

    @Option(help: "E-mail of the first user, who becomes an owner. One that is known already just becomes a member.")
    var email: String

    @Option(help: "Name of the first user.")
    var userName: String

    @Option(help: "Password of the first user, 12 to 128 characters; generated when left out.")
    var password: String?

    @Option(help: "Name of the integration that is made for a network server.")
    var integrationName = "default"

    @Flag(help: "Make no integration.")
    var withoutIntegration = false

    @OptionGroup var kind: IntegrationKind

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let onboarding = try Onboarding(
            slug: slug, name: name, plan: plan, stores: stores, timezone: timezone, email: email, userName: userName,
            password: password,
            integration: withoutIntegration ? nil : try NewIntegration(name: integrationName, kind: kind))
        let secretBox = withoutIntegration ? nil : try SecretBox.fromEnvironment()
        let report = try await SystemDatabase.with { try await onboarding.run(in: $0, secretBox: secretBox) }
        if json { return try Console.showJSON(report) }
        report.show()
    }
}

extension OnboardingReport {
    fileprivate func show() {
        Console.show("tenant \(tenant.slug) (\(tenant.uuid))\n")
        Console.showTable(["user", "password"], [[user.email, user.password ?? "(known already, unchanged)"]])
        if !stores.isEmpty {
            Console.show("")
            Console.showTable(["store", "key"], stores.map { [$0.code, $0.key] })
        }
        if let integration {
            Console.show("")
            Console.showTable(
                ["integration", "auth", "secret"], [[integration.url, integration.auth, integration.secret]])
        }
        Console.show("\nThese secrets are not shown again.")
    }
}
