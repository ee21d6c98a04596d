import Foundation

/// A listening socket that whoever started this process opened before and keeps open after it, by the protocol of
/// sd_listen_fds(3). Between two processes connections wait in its queue instead of being refused.
struct HandedOverSocket: Sendable {
    /// Owned by whoever listens on it.
    let descriptor: Int32

    /// The first descriptor of the protocol.
    private static let first: Int32 = 3
    /// Which socket is meant where there are several; else it is the first one.
    private static let name = "public"

    /// Takes the socket, if there is one. Once, before there are threads: the environment is changed, so that no child takes it
    /// for its own.
    /// - Throws: `SettingsFault` when what was handed over is no listening TCP socket.
    static func take() throws(SettingsFault) -> HandedOverSocket? {
        let environment = ProcessInfo.processInfo.environment
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
        guard let descriptors = descriptors(in: environment, processID: getpid()) else { return nil }
        for descriptor in descriptors.all { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        guard isListening(descriptors.chosen) else {
            throw SettingsFault([
                SettingFault(
                    name: "LISTEN_FDS", reason: "hands over descriptor \(descriptors.chosen), no listening TCP socket")
            ])
        }
        return HandedOverSocket(descriptor: descriptors.chosen)
    }

    /// Nil when nothing is meant for this process.
    static func descriptors(
        in environment: [String: String], processID: Int32
    ) -> (all: Range<Int32>, chosen: Int32)? {
        guard environment["LISTEN_PID"].flatMap({ Int32($0) }) == processID,
            let count = environment["LISTEN_FDS"].flatMap({ Int32($0) }), (1...1_024).contains(count)
        else { return nil }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
        let place = names.prefix(Int(count)).firstIndex { $0 == name } ?? 0
        return (first..<first + count, first + Int32(place))
    }

    private static func isListening(_ descriptor: Int32) -> Bool {
        option(SO_ACCEPTCONN, of: descriptor) == 1 && option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue)
            && option(SO_PROTOCOL, of: descriptor) == Int32(IPPROTO_TCP)
    }

    private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }
}
