import Foundation
import Logging
import Postgres
import Shared

/// Writes a group of submissions, of any tenants, in one transaction: lock and look; look further where an uplink does not
/// simply continue its device's epoch; then, decided here in order of arrival, write and commit. Mostly two round trips.
struct UplinkGroupWriter: Sendable {
    typealias Outcomes = Result<[UplinkOutcome], any Error>

    private let pool: PostgresPool
    private let logger: Logger

    init(pool: PostgresPool, logger: Logger) {
        self.pool = pool
        self.logger = logger
    }

    /// An answer for each submission, in order. One that PostgreSQL refuses does not fail its neighbours: the group is
    /// halved until it stands alone.
    func write(_ group: [UplinkSubmission]) async -> [Outcomes] {
        await write(group, searchesAll: false)
    }

    /// - Parameter searchesAll: whether keys and epochs are looked up of each uplink.
    private func write(_ group: [UplinkSubmission], searchesAll: Bool) async -> [Outcomes] {
        do {
            return try await writeTogether(group, searchesAll: searchesAll)
        } catch let error as PostgresError where error.sqlState == "23505" && !searchesAll {
            // A state that is behind its device's keys: an earlier release still writes, or wrote after a later one.
            return await write(group, searchesAll: true)
        } catch let error as PostgresError where error.isRefusal {
            guard group.count > 1 else { return await writeApart(group, error) }
            let middle = group.count / 2
            return await write(Array(group[..<middle]), searchesAll: searchesAll)
                + write(Array(group[middle...]), searchesAll: searchesAll)
        } catch {
            return group.map { _ in .failure(error) }
        }
    }

    /// A refused submission of several uplinks is written uplink by uplink, unless a message's id holds them together.
    private func writeApart(_ group: [UplinkSubmission], _ error: PostgresError) async -> [Outcomes] {
        guard let submission = group.first, submission.uplinks.count > 1, submission.messageHash == nil else {
            // Not PostgreSQL's text: it may quote the row.
            logger.warning("uplinks refused", metadata: ["sqlstate": "\(error.sqlState ?? "")"])
            return group.map { .success($0.uplinks.map { _ in .refused }) }
        }
        let parts = await write(submission.uplinks.map { submission.with([$0]) }, searchesAll: true)
        return [Result { try parts.flatMap { try $0.get() } }]
    }

    private func writeTogether(_ group: [UplinkSubmission], searchesAll: Bool) async throws -> [Outcomes] {
        let shares = Dictionary(grouping: group.indices, by: { group[$0].tenant.id })
            .sorted { $0.key < $1.key }
            .map {
                TenantShare(
                    tenant: $0.key, submissions: $0.value.map { (index: $0, submission: group[$0]) },
                    searchesAll: searchesAll)
            }
        do {
            return try await pool.withConnection { connection in
                for attempt in 1... {
                    do {
                        return try await attemptWrite(shares, count: group.count, on: connection)
                    } catch let error as PostgresError where error.isTransient && attempt < 3 {
                        continue
                    }
                }
                return []
            }
        } catch let unknown as UnknownCommit {
            for (tenant, writes) in unknown.writes where try await !areStored(writes.new, of: tenant) {
                throw unknown.reason
            }
            return unknown.outcomes
        }
    }

    /// The connection broke after COMMIT was sent; if it was heard, this is what became of the group.
    private struct UnknownCommit: Error {
        let writes: [(tenant: TenantID, writes: UplinkWrites)]
        let outcomes: [Outcomes]
        let reason: PostgresError
    }

    /// Whether these very uplinks are there. Waits by the devices' locks for a server that is still busy with the group. Of a
    /// group without new uplinks it says nothing: then a count of repetitions may be lost.
    private func areStored(_ new: [UplinkWrites.NewUplink], of tenant: TenantID) async throws -> Bool {
        let owners = Array(Set(new.map(\.owner))).sorted()
        let results = try await pool.transaction(pipeline: [
            GroupTransaction.set(tenant), UplinkLookups.lock(owners, of: tenant).erased,
            UplinkLookups.count(of: new, tenant).erased,
        ])
        return try results[2].rows(as: Int64.self) == [Int64(new.count)]
    }

    private func attemptWrite(
        _ shares: [TenantShare], count: Int, on connection: PostgresConnection
    ) async throws -> [Outcomes] {
        do {
            var found = try await ask(shares.map { $0.lookUps() }, after: [GroupTransaction.begin], on: connection)
                .enumerated().map { try shares[$0].read($1) }
            let searched = try await ask(zip(shares, found).map { $0.searches($1) }, on: connection)
            for (index, results) in searched.enumerated() { try shares[index].read(results, into: &found[index]) }
            var outcomes = [Outcomes](repeating: .success([]), count: count)
            var writes: [(tenant: TenantID, writes: UplinkWrites)] = []
            for (share, found) in zip(shares, found) {
                let decided = share.decide(found, into: &outcomes)
                if !decided.isEmpty { writes.append((share.tenant, decided)) }
            }
            let statements = writes.flatMap { tenant, writes in
                // Of the group's only tenant the looks were already.
                (shares.count > 1 ? [GroupTransaction.set(tenant)] : []) + writes.statements(for: tenant)
            }
            do {
                try await connection.commit(after: statements)
            } catch let reason as PostgresError where reason.commitUnknown {
                throw UnknownCommit(writes: writes, outcomes: outcomes, reason: reason)
            }
            return outcomes
        } catch {
            let error = (error as? PipelineError)?.underlying ?? error
            await connection.rollBack()
            throw error
        }
    }

    /// Each share's results, all of one round trip; none when nothing is asked.
    private func ask(
        _ statements: [[AnyStatement]], after first: [AnyStatement] = [], on connection: PostgresConnection
    ) async throws -> [ArraySlice<ResultSet>] {
        let all = first + statements.joined()
        var results = all.isEmpty ? [] : try await connection.pipeline(all)[first.count...]
        return statements.map { part in
            defer { results = results.dropFirst(part.count) }
            return results.prefix(part.count)
        }
    }
}
