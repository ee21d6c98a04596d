import Foundation
import Postgres

/// What an import made or changed, as the audit log keeps it.
package struct ImportedChange: Sendable {
    package enum Kind: String, Sendable {
        case device, space
        case profile = "device_profile"
    }

    package let kind: Kind
    package let id: UUID
    /// Nil for a new one.
    package let before: [String: String]?
    package let after: [String: String]

    init(_ kind: Kind, _ id: UUID, before: [String: String]?, after: [String: String]) {
        (self.kind, self.id, self.before, self.after) = (kind, id, before, after)
    }
}

/// Registers or changes the devices of a file, set-wise in chunks, each chunk in a transaction of its own. The same file
/// again changes nothing.
package struct DeviceImport: Sendable {
    /// What became of one line.
    package struct Outcome: Sendable, Equatable {
        package enum Result: Sendable, Equatable {
            case created
            /// Created from an orphan; so many uplinks became readings.
            case adopted(Int)
            case updated
            case unchanged
            case failed(String)
        }

        package let number: Int
        package let deviceEUI: String
        package let result: Result
    }

    /// What an import may do, and on whose word.
    package struct Terms: Sendable {
        /// Writes what was changed into the audit log, in the change's own transaction.
        package typealias Recorder = @Sendable ([ImportedChange], TenantTransaction) async throws -> Void

        /// Whether spaces and profiles that lines name are made where there are none.
        package let createsSpaces, createsProfiles: Bool
        /// The sites whose devices may be touched; nil for all of them.
        package let sites: [UUID]?
        package let record: Recorder

        package init(
            createsSpaces: Bool, createsProfiles: Bool = true, sites: [UUID]? = nil, record: @escaping Recorder
        ) {
            (self.createsSpaces, self.createsProfiles) = (createsSpaces, createsProfiles)
            (self.sites, self.record) = (sites, record)
        }
    }

    private static let chunkSize = 1_000

    private let database: Database
    private let tenant: Tenant
    private let terms: Terms

    package init(database: Database, tenant: Tenant, _ terms: Terms) {
        (self.database, self.tenant, self.terms) = (database, tenant, terms)
    }

    /// - Returns: an outcome for each line, in the file's order.
    package func run(_ file: DeviceFile) async throws -> [Outcome] {
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
            let stored = try await database.withTenant(tenant) { tx in
                try await DeviceChunk(lines, columns, terms, tenant: tenant, in: tx).store(in: tx)
            }
            try await OccupancyRefresh(database: database).refresh(stored.readAnew, of: tenant)
            return stored.outcomes
        } catch let error where Self.refusesRow(error) {
            if lines.count == 1 {
                return [Outcome(lines[0], .failed(Self.reason(error)))]
            }
            let half = lines.count / 2
            return try await store(Array(lines[..<half]), columns) + store(Array(lines[half...]), columns)
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error.postgresError?.constraint {
        case "devices_space": "the space has another device already"
        case "devices_eui": "the device was registered at the same moment"
        default: "the database refused it"
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
    package var words: (result: String, detail: String) {
        switch result {
        case .created: ("created", "")
        case .adopted(let uplinks): ("created", "\(uplinks) kept uplinks adopted")
        case .updated: ("updated", "")
        case .unchanged: ("unchanged", "")
        case .failed(let reason): ("failed", reason)
        }
    }

    package var isFailure: Bool {
        if case .failed = result { true } else { false }
    }
}
