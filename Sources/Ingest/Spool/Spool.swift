import Foundation
import Logging
import NIOPosix
import Postgres
import ServiceLifecycle
import Shared

/// Keeps requests on the local disk while the database is away. What concurrent requests bring is written together and each returns
/// once all of its bytes have reached the disk.
struct Spool: Service {
    /// Bytes written and synchronized together, and bytes that may wait for that.
    private static let groupBytes = 8 << 20
    private static let queueBytes = 64 << 20

    private struct Entry: Groupable {
        let tenantID: TenantID
        let bytes: [UInt8]
        let arrivedAt: Timestamp

        var cost: Int { bytes.count + SpoolFrames.headerBytes }
        var locks: [Int64] { [] }
    }

    let folder: SpoolFolder
    private let writer: Batcher<Entry, Void>

    init(folder: SpoolFolder, metrics: SpoolMetrics, logger: Logger) {
        self.folder = folder
        writer = Batcher(lanes: 1, limits: .init(groupCost: Self.groupBytes, queueCost: Self.queueBytes)) { group in
            let kept: Result<Int, any Error>
            do {
                let count = try await NIOThreadPool.singleton.runIfActive {
                    let oldest = group.map(\.arrivedAt).min() ?? .now()
                    return try folder.append(group.map(\.bytes), oldest: oldest)
                }
                kept = .success(count)
            } catch SpoolFolder.Failure.full {
                kept = .success(0)
            } catch {
                metrics.writeFailures.increment()
                logger.error("the spool can't be written", metadata: ["reason": "\(error)"])
                kept = .failure(Self.refusal(error))
            }
            return group.indices.map { index in
                kept.flatMap { index < $0 ? .success(()) : .failure(Self.refusal(SpoolFolder.Failure.full)) }
            }
        }
    }

    /// Returns once the record has reached the disk.
    /// - Throws: `Problem` 503 or 429, when it has not.
    func keep(_ record: SpoolRecord) async throws {
        try await writer.submit(
            Entry(
                tenantID: TenantID(record.header.tenant), bytes: try record.encoded(), arrivedAt: record.arrivedAt))
    }

    /// Whether so much more can be kept: within the spool's bound, and on its disk.
    func hasRoom(forBytes bytes: Int) async -> Bool {
        guard folder.state.room > bytes else { return false }
        let free = try? await NIOThreadPool.singleton.runIfActive { folder.freeBytes() }
        return (free ?? 0) > bytes // nil while the process ends
    }

    func run() async throws {
        try await writer.run()
    }

    private static func refusal(_ error: any Error) -> Problem {
        if case SpoolFolder.Failure.full = error {
            return .unavailable(
                retryAfter: 10, code: "spool_full", detail: "The database is away, and the spool is full.")
        }
        return .unavailable(
            retryAfter: 10, code: "spool_failed", detail: "The database is away, and nothing can be kept.")
    }
}
