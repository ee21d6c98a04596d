import ArgumentParser
import Foundation

/// `make bench`: Pulsegate beside other ways to do the same work, on one machine and in one run. Absolute figures depend on the
/// machine and its neighbours; read the ratios.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures Pulsegate beside its peers.")

    @Option(help: "Seconds of load for each figure.")
    var seconds = 10

    @Option(help: "Connections of the load generator.")
    var connections = 32

    @Flag(help: "Measure uplinks alone.")
    var uplinksOnly = false

    func run() async throws {
        let laboratory = try await Laboratory.open()
        do {
            try await measure(laboratory)
        } catch {
            await laboratory.close()
            throw error
        }
        await laboratory.close()
    }

    private func measure(_ laboratory: Laboratory) async throws {
        let load = Load(seconds: seconds, connections: connections)
        var table = Table()
        if !uplinksOnly { try await measureBatches(laboratory, load, &table) }
        try await measureUplinks(laboratory, load, &table)
        print(table.text)
    }

    private func measureBatches(_ laboratory: Laboratory, _ load: Load, _ table: inout Table) async throws {
        let copied = try await CopyPeer(url: laboratory.databaseURL).samplesPerSecond(seconds: seconds)
        table.add("binary COPY, a row per sample with a primary key", perSecond: copied, unit: "samples")
        for samples in [100, 500] {
            let run = try await laboratory.metricBatches(samplesEach: samples, load)
            table.add(
                "HTTP, \(samples) samples a request", perSecond: run.perSecond * Double(samples), unit: "samples",
                against: copied, "COPY", run)
        }
        let resent = try await laboratory.resentBatches(samplesEach: 100, load)
        table.add(
            "HTTP, 100 samples a request, all resent", perSecond: resent.perSecond * 100, unit: "samples",
            against: copied, "COPY", resent)
    }

    private func measureUplinks(_ laboratory: Laboratory, _ load: Load, _ table: inout Table) async throws {
        let inserted = try await laboratory.pgbenchInsertsPerSecond(load)
        table.add("pgbench, one uplink's row a transaction", perSecond: inserted, unit: "uplinks")
        let uplinks = try await laboratory.signedUplinks(load)
        table.add(
            "HTTP, one signed uplink a request", perSecond: uplinks.perSecond, unit: "uplinks", against: inserted,
            "pgbench",
            uplinks)
    }
}
