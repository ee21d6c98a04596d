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

/// Ports of the loopback interface that nobody listens on at this moment.
enum FreePorts {
    static func take(_ count: Int) throws -> [Int] {
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        return try (0..<count).map { _ in
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            sockets.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let bound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
                }
            }
            guard bound else { throw BenchFailure(description: "no free port") }
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }
}
