/// One row of a binary COPY. Valid only while it is being handed over.
package struct CopyRow {
    private let fields: [UnsafeRawBufferPointer?]

    package var count: Int { fields.count }

    /// Binary COPY doesn't tell types, so the Swift type has to be the column's own.
    package subscript<Value: PostgresEncodable & PostgresDecodable>(_ column: Int) -> Value {
        get throws {
            guard fields.indices.contains(column) else { throw PostgresError.decoding("no column \(column)") }
            return try fields[column].map { try Value.decode($0, oid: Value.oid) } ?? Value.decodeNull()
        }
    }

    /// - Returns: nil at the trailer.
    init?(reading bytes: UnsafeRawBufferPointer, at offset: inout Int) throws {
        let count = try bytes.bigEndian(at: offset, as: Int16.self)
        offset += 2
        guard count != CopyFormat.trailer else { return nil }
        var fields: [UnsafeRawBufferPointer?] = []
        for _ in 0..<max(count, 0) {
            let length = Int(try bytes.bigEndian(at: offset, as: Int32.self))
            offset += 4
            guard length >= 0 else {
                fields.append(nil)
                continue
            }
            fields.append(try bytes.slice(offset, length))
            offset += length
        }
        self.fields = fields
    }

    /// Skips signature, flags and extension.
    static func skipHeader(of bytes: UnsafeRawBufferPointer) throws -> Int {
        guard bytes.starts(with: CopyFormat.signature) else { throw PostgresError.decoding("not a binary COPY") }
        return CopyFormat.header.count + Int(try bytes.bigEndian(at: CopyFormat.signature.count + 4, as: Int32.self))
    }
}
