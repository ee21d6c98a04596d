import Foundation
import Postgres
import Shared

/// Registers or changes the devices of a file, set-wise in chunks, each chunk in a transaction of its own. The same file
/// again changes nothing.
struct DeviceImport: Sendable {
    /// What became of one line.
    struct Outcome: Sendable, Equatable {
        enum Result: Sendable, Equatable {
            case created
            /// Created from an orphan; so many uplinks became readings.
            case adopted(Int)
            case updated
            case unchanged
            case failed(String)
        }

        let number: Int
        let deviceEUI: String
        let result: Result
    }

    static let chunkSize = 1_000

    let database: Database
    let tenant: Tenant
    let createSpaces: Bool

    /// - Returns: an outcome for each line, in the file's order.
    func run(_ file: DeviceFile) async throws -> [Outcome] {
        var outcomes = file.bad.map { bad in
            Outcome(number: bad.number, deviceEUI: bad.deviceEUI, result: .failed(bad.reason))
        }
        var rest = file.lines[...]
        while !rest.isEmpty {
            outcomes += try await store(Array(rest.prefix(Self.chunkSize)), file.columns)
            rest = rest.dropFirst(Self.chunkSize)
        }
        return outcomes.sorted { $0.number < $1.number }
    }

    /// A line that the database refuses, mostly because another session was quicker, must not take its neighbours along:
    /// its chunk is halved until it stands alone.
    private func store(_ lines: [DeviceFile.Line], _ columns: Set<DeviceFile.Column>) async throws -> [Outcome] {
        do {
            return try await database.withTenant(tenant) { tx in
                try await DeviceChunk(lines, columns, createSpaces: createSpaces, tenant: tenant, in: tx).store(in: tx)
            }
        } catch let error where Self.refusesRow(error) {
            if lines.count == 1 {
                let reason = Refusal(error)?.description ?? "the database refused it"
                return [Outcome(lines[0], .failed(reason))]
            }
            let half = lines.count / 2
            return try await store(Array(lines[..<half]), columns) + store(Array(lines[half...]), columns)
        }
    }

    /// Integrity violations and bad values: classes 23 and 22 of SQLSTATE.
    private static func refusesRow(_ error: any Error) -> Bool {
        let state = error.postgresError?.sqlState ?? ""
        return state.hasPrefix("23") || state.hasPrefix("22")
    }
}

extension DeviceImport.Outcome {
    init(_ line: DeviceFile.Line, _ result: Result) {
        self.init(number: line.number, deviceEUI: line.deviceEUI.rawValue, result: result)
    }

    /// As it stands in the report.
    var words: (result: String, detail: String) {
        switch result {
        case .created: ("created", "")
        case .adopted(let uplinks): ("created", "\(uplinks) kept uplinks adopted")
        case .updated: ("updated", "")
        case .unchanged: ("unchanged", "")
        case .failed(let reason): ("failed", reason)
        }
    }

    var isFailure: Bool {
        if case .failed = result { true } else { false }
    }
}
