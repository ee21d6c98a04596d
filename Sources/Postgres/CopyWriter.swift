/// Takes the rows of a binary COPY. Rows go out in chunks while they are being made.
package struct CopyWriter {
    private let session: Session
    private var buffer: [UInt8] = []
    private static let chunk = 64 * 1024

    init(_ session: Session) {
        self.session = session
        buffer.reserveCapacity(Self.chunk + 4_096)
        buffer += CopyFormat.header
    }

    /// One row, with as many values as the COPY has columns and exactly of their types: binary COPY converts nothing,
    /// so an int4 column takes `Int32`, an int8 column `Int64`.
    package mutating func row<each Value: PostgresEncodable>(_ value: repeat each Value) throws {
        let start = buffer.count
        buffer.appendBigEndian(Int16(0))
        var count: Int16 = 0
        for value in repeat each value {
            buffer.appendField(value)
            count += 1
        }
        buffer.putBigEndian(count, at: start)
        if buffer.count >= Self.chunk { try send() }
    }

    mutating func finish() throws {
        buffer.appendBigEndian(CopyFormat.trailer)
        try send()
    }

    private mutating func send() throws {
        try session.putCopyData(buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}

/// "Binary Format" in PostgreSQL's documentation of COPY.
enum CopyFormat {
    static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]
    /// No flags, no extension.
    static let header = signature + [UInt8](repeating: 0, count: 8)
    static let trailer = Int16(-1)
}
