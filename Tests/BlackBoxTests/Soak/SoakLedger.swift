import Foundation
import Postgres
import Synchronization

/// What was sent and what of it was acknowledged, to be held against the database while nothing is under way.
final class SoakLedger: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    enum Event: String, CaseIterable {
        case stored, spooled, duplicate, unanswered, forged
    }

    private struct State {
        var acknowledged: [SoakRequest.Kind: Set<Int>] = [:]
        /// Sent, perhaps stored, and not to be sent again.
        var unknown: Set<Int> = []
        var next: [Int: Int] = [:]
        var counts: [Event: Int] = [:]
    }

    /// Numbers that a sender has to itself.
    private static let numbersOfASender = 1_000_000
    private let state = Mutex(State())

    func nextNumber(of sender: Int) -> Int {
        state.withLock { state in
            defer { state.next[sender, default: 0] += 1 }
            return sender * Self.numbersOfASender + state.next[sender, default: 0]
        }
    }

    func acknowledge(_ request: SoakRequest) {
        _ = state.withLock { $0.acknowledged[request.kind, default: []].insert(request.number) }
    }

    /// It can't be sent again, and nobody knows whether it arrived.
    func giveUp(_ request: SoakRequest) {
        _ = state.withLock { $0.unknown.insert(request.number) }
    }

    func count(_ event: Event) {
        state.withLock { $0.counts[event, default: 0] += 1 }
    }

    subscript(event: Event) -> Int { state.withLock { $0.counts[event] ?? 0 } }

    var text: String { Event.allCases.map { "\($0.rawValue) \(self[$0])" }.joined(separator: ", ") }

    private struct Found: RowDecodable {
        let number: Int
        let rows: Int

        init(_ row: Row) throws {
            number = Int(try row["number"] as Int64)
            rows = Int(try row["rows"] as Int64)
        }
    }

    /// - Throws: ``Failure``, when something acknowledged is not there just once, or something is there that was not sent.
    func check(_ installation: Installation) async throws {
        let state = state.withLock { $0 }
        for kind in SoakRequest.Kind.allCases {
            let acknowledged = state.acknowledged[kind] ?? []
            var missing = acknowledged
            for found in try await installation.rows(Self.rows(of: kind)) as [Found] {
                guard found.rows == kind.rows else {
                    throw Failure(
                        description: "\(kind) \(found.number) is there with \(found.rows) rows of \(kind.rows)")
                }
                guard acknowledged.contains(found.number) || state.unknown.contains(found.number) else {
                    throw Failure(description: "\(kind) \(found.number) is there and was not acknowledged")
                }
                missing.remove(found.number)
            }
            guard missing.isEmpty else {
                let some = missing.sorted().prefix(10)
                throw Failure(description: "\(missing.count) of \(kind) acknowledged and not there: \(some)")
            }
        }
        try await checkBehindTheView(installation)
    }

    private static func rows(of kind: SoakRequest.Kind) -> Statement<Found> {
        switch kind {
        case .timed:
            """
            SELECT (ts / 1000 - \(SoakRequest.start)) / \(Int64(kind.rows)) AS number, count(*) AS rows
              FROM samples p JOIN series s ON s.tenant_id = p.tenant_id AND s.id = p.series_id
             WHERE s.metric = 'soak.timed' GROUP BY 1
            """
        case .arriving, .plain:
            """
            SELECT value::int8 AS number, count(*) AS rows
              FROM samples p JOIN series s ON s.tenant_id = p.tenant_id AND s.id = p.series_id
             WHERE s.metric = \("soak." + kind.rawValue) GROUP BY 1
            """
        case .uplink: "SELECT fcnt AS number, count(*) AS rows FROM uplinks GROUP BY 1"
        case .orphan: "SELECT fcnt AS number, count(*) AS rows FROM orphan_uplinks GROUP BY 1"
        }
    }

    /// The view shows each (series, time) once; here nothing is kept twice either.
    private func checkBehindTheView(_ installation: Installation) async throws {
        let surplus: [Int64] = try await installation.rows(
            """
            SELECT coalesce((SELECT sum(samples) FROM sample_chunks), 0)::int8
                   + coalesce((SELECT sum(cardinality(ts)) FROM sample_log), 0)::int8 - (SELECT count(*) FROM samples)
            """)
        guard surplus == [0] else { throw Failure(description: "\(surplus) samples are kept twice") }
    }
}
