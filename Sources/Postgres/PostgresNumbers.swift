/// A value of fixed width: its bits in network byte order are its binary format. Arrays of these are written and read
/// in one loop without an allocation per element.
protocol FixedWidthValue: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    associatedtype Bits: FixedWidthInteger & Sendable
    var wireBits: Bits { get }
    init(wireBits: Bits)
}

extension FixedWidthValue {
    package func encode(into buffer: inout [UInt8]) {
        buffer.appendBigEndian(wireBits)
    }
}

/// Reads int2, int4, int8 and oid into any integer that can hold the value.
private func integer<Value: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, _ oid: UInt32, as type: Value.Type
) throws -> Value {
    let value: Value? =
        switch oid {
        case TypeOID.int4: Value(exactly: try bytes.bigEndian(as: Int32.self))
        case TypeOID.int8: Value(exactly: try bytes.bigEndian(as: Int64.self))
        case TypeOID.int2: Value(exactly: try bytes.bigEndian(as: Int16.self))
        case TypeOID.oid: Value(exactly: try bytes.bigEndian(as: UInt32.self))
        default: throw PostgresError.decoding("type \(oid) is not an integer")
        }
    guard let value else { throw PostgresError.decoding("integer out of range of \(type)") }
    return value
}

private func floatingPoint(_ bytes: UnsafeRawBufferPointer, _ oid: UInt32) throws -> Double {
    switch oid {
    case TypeOID.float8: Double(bitPattern: try bytes.bigEndian(as: UInt64.self))
    case TypeOID.float4: Double(Float(bitPattern: try bytes.bigEndian(as: UInt32.self)))
    default: throw PostgresError.decoding("type \(oid) is not a floating-point number")
    }
}

extension Int16: FixedWidthValue {
    package static var oid: UInt32 { TypeOID.int2 }
    package static var arrayOID: UInt32 { 1005 }
    var wireBits: Int16 { self }
    init(wireBits: Int16) { self = wireBits }

    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> Int16 {
        try integer(bytes, oid, as: Int16.self)
    }
}

extension Int32: FixedWidthValue {
    package static var oid: UInt32 { TypeOID.int4 }
    package static var arrayOID: UInt32 { 1007 }
    var wireBits: Int32 { self }
    init(wireBits: Int32) { self = wireBits }

    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> Int32 {
        try integer(bytes, oid, as: Int32.self)
    }
}

extension Int64: FixedWidthValue {
    package static var oid: UInt32 { TypeOID.int8 }
    package static var arrayOID: UInt32 { 1016 }
    var wireBits: Int64 { self }
    init(wireBits: Int64) { self = wireBits }

    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> Int64 {
        try integer(bytes, oid, as: Int64.self)
    }
}

/// `Int` is int8.
extension Int: FixedWidthValue {
    package static var oid: UInt32 { TypeOID.int8 }
    package static var arrayOID: UInt32 { 1016 }
    var wireBits: Int64 { Int64(self) }
    init(wireBits: Int64) { self = Int(wireBits) }

    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> Int {
        try integer(bytes, oid, as: Int.self)
    }
}

extension Float: FixedWidthValue {
    package static var oid: UInt32 { TypeOID.float4 }
    package static var arrayOID: UInt32 { 1021 }
    var wireBits: UInt32 { bitPattern }
    init(wireBits: UInt32) { self.init(bitPattern: wireBits) }

    /// float4 alone: a float8 would lose digits silently.
    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> Float {
        guard oid == TypeOID.float4 else { throw PostgresError.decoding("type \(oid) is not float4") }
        return Float(bitPattern: try bytes.bigEndian(as: UInt32.self))
    }
}

extension Double: FixedWidthValue {
    package static var oid: UInt32 { TypeOID.float8 }
    package static var arrayOID: UInt32 { 1022 }
    var wireBits: UInt64 { bitPattern }
    init(wireBits: UInt64) { self.init(bitPattern: wireBits) }

    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> Double {
        try floatingPoint(bytes, oid)
    }
}

extension Bool: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    package static var oid: UInt32 { TypeOID.bool }
    package static var arrayOID: UInt32 { 1000 }

    package func encode(into buffer: inout [UInt8]) {
        buffer.append(self ? 1 : 0)
    }

    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> Bool {
        guard oid == TypeOID.bool else { throw PostgresError.decoding("type \(oid) is not boolean") }
        return try bytes.bigEndian(as: UInt8.self) != 0
    }
}
