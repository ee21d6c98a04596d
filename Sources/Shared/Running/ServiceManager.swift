import Foundation

/// Whoever started this process and wants to know how it is, by the protocol of sd_notify(3): systemd, or a container runtime.
package struct ServiceManager: Sendable {
    private let address: sockaddr_un
    private let length: socklen_t
    /// How often it wants to hear that the process is alive, if at all.
    let watchdogInterval: Duration?

    /// - Returns: nil without `NOTIFY_SOCKET`, or where it is an address of another kind.
    package init?(environment: [String: String] = ProcessInfo.processInfo.environment) {
        guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") || path.hasPrefix("@") else { return nil }
        var bytes = Array(path.utf8)
        // An abstract address begins with a zero byte, and no zero byte ends it (unix(7)).
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        self.address = address
        length = socklen_t((MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2) + bytes.count)
        watchdogInterval = Self.watchdogInterval(environment)
    }

    private static func watchdogInterval(_ environment: [String: String]) -> Duration? {
        guard let microseconds = environment["WATCHDOG_USEC"].flatMap({ Int64($0) }), microseconds > 0 else {
            return nil
        }
        let isForUs = environment["WATCHDOG_PID"].map { Int32($0) == getpid() } ?? true
        return isForUs ? .microseconds(microseconds) : nil
    }

    /// - Parameter state: `READY=1`, say.
    /// - Returns: whether it was delivered. Nothing depends on it here, and nobody waits.
    @discardableResult
    package func tell(_ state: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let bytes = Array(state.utf8)
        let sent = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), address, length)
            }
        }
        return sent == bytes.count
    }
}
