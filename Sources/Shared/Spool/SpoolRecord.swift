import Foundation
import Postgres

/// A request that was acknowledged before it was in the database, as it came: what it says is read again when it is stored, with
/// its time of arrival for now.
package struct SpoolRecord: Sendable {
    /// Who sent it, proven on arrival.
    package enum Sender: Codable, Hashable, Sendable {
        /// A store; the key is for a batch that has none of its own.
        case store(owner: Int32, key: UUID)
        /// The key is for a body that goes to the quarantine.
        case integration(UUID, dialect: String, messageID: String?, contentType: String?, key: UUID)
    }

    /// What `pulsegate spool inspect` shows of a record.
    package struct Header: Codable, Hashable, Sendable {
        package let tenant: Int32
        /// Of the tenant.
        package let slug: String
        /// Microseconds since the Unix epoch.
        package let arrivedAt: Int64
        package let sender: Sender

        package init(tenant: Tenant, arrivedAt: Timestamp, sender: Sender) {
            self.tenant = tenant.id.rawValue
            slug = tenant.slug
            self.arrivedAt = arrivedAt.microseconds
            self.sender = sender
        }
    }

    package struct Malformed: Error {}

    package let header: Header
    /// Decompressed.
    package let body: [UInt8]

    package init(header: Header, body: [UInt8]) {
        (self.header, self.body) = (header, body)
    }

    package var arrivedAt: Timestamp { Timestamp(microseconds: header.arrivedAt) }

    /// The header as JSON with its length (4 bytes, little-endian) before it, then the body.
    package func encoded() throws -> [UInt8] {
        let header = try JSONEncoder().encode(header)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 + header.count + body.count)
        withUnsafeBytes(of: UInt32(header.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes += header
        bytes += body
        return bytes
    }

    /// - Throws: ``Malformed``.
    package init(decoding bytes: some Collection<UInt8>) throws(Malformed) {
        let length = bytes.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        let rest = bytes.dropFirst(4)
        guard bytes.count >= 4, rest.count >= length,
            let header = try? JSONDecoder().decode(Header.self, from: Data(rest.prefix(length)))
        else { throw Malformed() }
        self.init(header: header, body: Array(rest.dropFirst(length)))
    }
}
