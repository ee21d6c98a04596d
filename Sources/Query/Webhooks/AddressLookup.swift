import Foundation
import Shared
import Synchronization

/// Finds the addresses of a name, all of which must be such as we connect to.
final class AddressLookup: Sendable {
    /// The addresses of a name as text; empty where it has none.
    typealias Resolve = @Sendable (String) -> [String]

    enum Fault: Error {
        /// The name has no address, or nobody said in time.
        case unresolved
        /// At least one of its addresses is refused by the ``AddressGuard``.
        case refused
    }

    private let rules: AddressGuard
    private let resolve: Resolve
    /// A name server that does not answer holds one for as long as the C library asks it, which may be longer than anybody waits: so twice as
    /// many as attempts at once. Made when the first name is asked for.
    private let threads = Mutex<BlockingThreads?>(nil)

    init(_ rules: AddressGuard, resolve: @escaping Resolve = AddressLookup.ask) {
        self.rules = rules
        self.resolve = resolve
    }

    /// In the order in which they are best tried.
    func addresses(of host: String, within limit: Duration) async throws(Fault) -> [String] {
        let found: [String]
        do {
            let threads = threads.withLock { threads in
                let made = threads ?? BlockingThreads(name: "names", count: 2 * SendingLanes.most, maxWaiting: 256)
                threads = made
                return made
            }
            found = try await limit.orOverdue { [resolve] in try await threads.run { resolve(host) } }
        } catch {
            throw .unresolved
        }
        guard !found.isEmpty else { throw .unresolved }
        guard found.allSatisfy(rules.permits) else { throw .refused }
        return found
    }

    /// By the C library, which also reads what else people write for an address, such as `2130706433` and `0x7f.1`.
    @Sendable static func ask(_ host: String) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &first) == 0 else { return [] }
        defer { freeaddrinfo(first) }
        return sequence(first: first, next: { $0?.pointee.ai_next }).compactMap { $0.flatMap(text) }
    }

    private static func text(of entry: UnsafeMutablePointer<addrinfo>) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let info = entry.pointee
        let status = getnameinfo(
            info.ai_addr, info.ai_addrlen, &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
        guard status == 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
