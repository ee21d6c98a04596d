import Foundation
import Logging
import Postgres
import Shared

/// Writes a group of submissions, of any tenants, in one transaction of two round trips: lock and look; then, decided
/// here in order of arrival, write and commit.
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
        do {
            return try await writeTogether(group)
        } catch let error as PostgresError where error.isRefusal {
            guard group.count > 1 else { return await writeApart(group, error) }
            let middle = group.count / 2
            return await write(Array(group[..<middle])) + write(Array(group[middle...]))
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
        let parts = await write(submission.uplinks.map { submission.with(only: $0) })
        return [Result { try parts.flatMap { try $0.get() } }]
    }

    private func writeTogether(_ group: [UplinkSubmission]) async throws -> [Outcomes] {
        let shares = Dictionary(grouping: group.indices, by: { group[$0].tenant.id })
            .sorted { $0.key < $1.key }
            .map { TenantShare(tenant: $0.key, submissions: $0.value.map { (index: $0, submission: group[$0]) }) }
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
    }

    private func attemptWrite(
        _ shares: [TenantShare], count: Int, on connection: PostgresConnection
    ) async throws -> [Outcomes] {
        do {
            let lookUps = shares.map { $0.lookUps() }
            let results = try await connection.pipeline([GroupTransaction.begin] + lookUps.joined())
            var outcomes = [Outcomes](repeating: .success([]), count: count)
            var writes: [AnyStatement] = []
            var offset = 1
            for (share, statements) in zip(shares, lookUps) {
                let found = try share.read(results[offset..<offset + statements.count])
                offset += statements.count
                let decided = share.decide(found, into: &outcomes)
                if !decided.isEmpty {
                    // Of the group's only tenant the look was already.
                    if shares.count > 1 { writes.append(GroupTransaction.set(share.tenant)) }
                    writes += decided.statements(for: share.tenant)
                }
            }
            _ = try await connection.pipeline(writes + [GroupTransaction.commit])
            return outcomes
        } catch {
            let error = (error as? PipelineError)?.underlying ?? error
            await connection.rollBack()
            throw error
        }
    }
}
