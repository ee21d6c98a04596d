extension [UInt8] {
    /// Network byte order, as every number on PostgreSQL's wire.
    mutating func appendBigEndian<Value: FixedWidthInteger>(_ value: Value) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    /// Overwrites, for lengths known only after what they count was written.
    mutating func putBigEndian<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
        withUnsafeMutableBytes { $0.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Value.self) }
    }
}

extension UnsafeRawBufferPointer {
    func bigEndian<Value: FixedWidthInteger>(at offset: Int = 0, as type: Value.Type) throws -> Value {
        guard offset >= 0, offset + MemoryLayout<Value>.size <= count else {
            throw PostgresError.decoding("\(count) bytes are too few for \(type) at \(offset)")
        }
        return Value(bigEndian: loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    func slice(_ offset: Int, _ length: Int) throws -> UnsafeRawBufferPointer {
        guard offset >= 0, length >= 0, offset + length <= count else {
            throw PostgresError.decoding("\(count) bytes are too few for \(length) at \(offset)")
        }
        return UnsafeRawBufferPointer(rebasing: self[offset..<offset + length])
    }
}
