import ArgumentParser
import Foundation
import Shared

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "A demo tenant with live traffic, as `make run` has it.",
        subcommands: [Setup.self, Feed.self, Guide.self])

    struct Files: ParsableArguments {
        @Option(help: "Directory of demo.json and feed.json.")
        var directory = ".local"
    }

    struct Setup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes the tenant `demo`, or finds it again, and writes demo.json and feed.json.")

        @OptionGroup var files: Files
        @Option(help: "Where ingest is reached.") var ingestURL = "http://127.0.0.1:8080"
        @Option(help: "Where query is reached.") var queryURL = "http://127.0.0.1:8081"

        func run() async throws {
            let setup = DemoSetup(
                directory: DemoDirectory(path: files.directory), ingestURL: ingestURL, queryURL: queryURL,
                secretBox: try SecretBox.fromEnvironment())
            let isNew = try await SystemDatabase.with { try await setup.run(in: $0) }
            Console.show(isNew ? "made the tenant demo" : "the tenant demo is there")
        }
    }

    struct Feed: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends live traffic of the demo tenant until SIGINT or SIGTERM.")

        @OptionGroup var files: Files

        func run() async throws {
            let (demo, feed) = try DemoDirectory(path: files.directory).existing()
            Console.complain("feeding \(demo.ingestURL): \(feed.stores.count) stores, \(demo.deviceEUIs.count) sensors")
            await TerminationSignal.cancelling { await DemoFeed(demo: demo, feed: feed).run() }
            Console.complain("stopped")
        }
    }

    struct Guide: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Prints what to open and type next.")

        @OptionGroup var files: Files

        func run() throws {
            Console.show(DemoGuide.text(try DemoDirectory(path: files.directory).existing().demo))
        }
    }
}
