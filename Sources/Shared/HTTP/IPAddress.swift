import Foundation
import NIOCore

/// An address of IPv4 or IPv6. One of IPv4 in the clothes of IPv6 (RFC 4291 §2.5.5.2) is one of IPv4.
package struct IPAddress: Hashable, Sendable {
    /// In the clothes of IPv6.
    fileprivate let high, low: UInt64

    private static let mapped: UInt64 = 0xFFFF << 32

    package var isIPv4: Bool { high == 0 && low >> 32 == Self.mapped >> 32 }
    /// That an address of the kind has.
    fileprivate var bits: Int { isIPv4 ? 32 : 128 }

    private init(high: UInt64, low: UInt64) {
        (self.high, self.low) = (high, low)
    }

    /// - Parameter bytes: 4 in network order.
    private init(v4 bytes: UnsafeRawBufferPointer) {
        self.init(high: 0, low: Self.mapped | UInt64(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))))
    }

    /// - Parameter bytes: 16 in network order.
    private init(v6 bytes: UnsafeRawBufferPointer) {
        self.init(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    package init?(_ text: some StringProtocol) {
        let text = String(text.prefix { $0 != "%" }) // a zone names an interface of this machine
        var bytes = (UInt64(0), UInt64(0))
        if inet_pton(AF_INET, text, &bytes) == 1 {
            self = withUnsafeBytes(of: bytes) { IPAddress(v4: $0) }
        } else if inet_pton(AF_INET6, text, &bytes) == 1 {
            self = withUnsafeBytes(of: bytes) { IPAddress(v6: $0) }
        } else {
            return nil
        }
    }

    /// Nil for what is no address of a network, such as a path.
    package init?(_ address: SocketAddress) {
        switch address {
        // Where the address stands in a sockaddr_in and a sockaddr_in6 (ip(7), ipv6(7)).
        case .v4(let four):
            self = withUnsafeBytes(of: four.address) { IPAddress(v4: UnsafeRawBufferPointer(rebasing: $0[4..<8])) }
        case .v6(let six):
            self = withUnsafeBytes(of: six.address) { IPAddress(v6: UnsafeRawBufferPointer(rebasing: $0[8..<24])) }
        default: return nil
        }
    }

    /// What one subscriber has: the address, or of IPv6 the first 64 bits.
    package var subscriber: IPAddress {
        isIPv4 ? self : IPAddress(high: high, low: 0)
    }
}

extension IPAddress: CustomStringConvertible {
    package var description: String {
        guard !isIPv4 else { return (0..<4).map { String(low >> (24 - 8 * $0) & 0xFF) }.joined(separator: ".") }
        var address = (high.bigEndian, low.bigEndian)
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Addresses that begin alike: `10.0.0.0/8`, or a single one.
package struct IPNetwork: Hashable, Sendable {
    private let base: IPAddress
    /// Of 128, also for IPv4.
    private let prefix: Int

    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = parts.first.flatMap({ IPAddress($0) }) else { return nil }
        guard let length = parts.count == 2 ? Int(parts[1]) : base.bits, (0...base.bits).contains(length) else {
            return nil
        }
        self.base = base
        prefix = 128 - base.bits + length
    }

    package func contains(_ address: IPAddress) -> Bool {
        guard address.isIPv4 == base.isIPv4 else { return false }
        // A shift by all bits or more leaves nothing, which is what a prefix of none asks for.
        let highMask = prefix >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(prefix))
        let lowMask = prefix <= 64 ? 0 : ~(prefix == 128 ? 0 : UInt64.max >> UInt64(prefix - 64))
        return (address.high ^ base.high) & highMask == 0 && (address.low ^ base.low) & lowMask == 0
    }
}
