import Foundation
import Synchronization

/// Ports of the loopback interface for the processes that tests and benchmarks start.
///
/// Below those that the kernel gives to whoever asks for any, and none twice: a process that is killed and started again must
/// find its ports free, and nobody else's process may answer on them meanwhile.
package enum FreePorts {
    package struct NoneLeft: Error {}

    private static let range = 12_000..<32_000
    /// Where test runs on one machine begin differs, so that they rarely meet.
    private static let next = Mutex(range.lowerBound + Int(getpid()) * 64 % range.count)

    /// - Throws: ``NoneLeft``.
    package static func take(_ count: Int) throws -> [Int] {
        try next.withLock { next in
            var ports: [Int] = []
            for _ in range where ports.count < count {
                if isFree(next) { ports.append(next) }
                next = next + 1 < range.upperBound ? next + 1 : range.lowerBound
            }
            guard ports.count == count else { throw NoneLeft() }
            return ports
        }
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in.loopback(port: UInt16(port))
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
