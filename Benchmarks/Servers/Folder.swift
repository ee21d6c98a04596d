import Foundation
import Synchronization

/// Directories of the benchmarks' servers, on the disk that the temporary directory is on.
enum Folder {
    static func make(_ name: String) throws -> URL {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("pulsegate-bench-\(name)-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}

/// The most memory that any ingest process took, bytes.
final class PeakMemory: Sendable {
    private let peak = Mutex(0)

    var bytes: Int { peak.withLock { $0 } }

    func note(_ bytes: Int) {
        peak.withLock { $0 = max($0, bytes) }
    }
}
