/// What an `Array` of this type is in PostgreSQL. One-dimensional arrays only.
package protocol PostgresArrayElement: Sendable {
    static var arrayOID: UInt32 { get }
    static func encodeArray(_ elements: [Self]) -> [UInt8]
    static func decodeArray(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> [Self]
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    package static var oid: UInt32 { Element.arrayOID }

    package func encode(into buffer: inout [UInt8]) {
        buffer.append(contentsOf: Element.encodeArray(self))
    }

    package var parameter: Parameter {
        Parameter(oid: Element.arrayOID, bytes: Element.encodeArray(self))
    }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> [Element] {
        try Element.decodeArray(bytes, oid: oid)
    }
}

/// An array's header: number of dimensions, NULL flag, the element's type, then length and lower bound of each
/// dimension (`array_send` in src/backend/utils/adt/arrayfuncs.c).
struct ArrayHeader {
    static let emptySize = 12
    static let size = 20
    let elementOID: UInt32
    let count: Int

    init(reading bytes: UnsafeRawBufferPointer) throws {
        let dimensions = try bytes.bigEndian(at: 0, as: Int32.self)
        elementOID = try bytes.bigEndian(at: 8, as: UInt32.self)
        switch dimensions {
        case 0: count = 0
        case 1:
            count = Int(try bytes.bigEndian(at: 12, as: Int32.self))
            // Each element has at least a length, so a count beyond that is a lie that would reserve memory.
            guard count >= 0, count <= (bytes.count - Self.size) / 4 else {
                throw PostgresError.decoding("array of impossible length")
            }
        default: throw PostgresError.decoding("array of \(dimensions) dimensions")
        }
    }

    static func bytes(elementOID: UInt32, count: Int, hasNull: Bool) -> [UInt8] {
        var header: [UInt8] = []
        header.appendBigEndian(Int32(count == 0 ? 0 : 1))
        header.appendBigEndian(Int32(hasNull ? 1 : 0))
        header.appendBigEndian(elementOID)
        guard count > 0 else { return header }
        header.appendBigEndian(Int32(count))
        header.appendBigEndian(Int32(1))
        return header
    }
}

extension PostgresArrayElement where Self: PostgresEncodable & PostgresDecodable {
    package static func encodeArray(_ elements: [Self]) -> [UInt8] {
        var buffer = ArrayHeader.bytes(
            elementOID: oid, count: elements.count, hasNull: elements.contains { $0.isNull })
        buffer.reserveCapacity(buffer.count + elements.count * 24)
        for element in elements { buffer.appendField(element) }
        return buffer
    }

    package static func decodeArray(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> [Self] {
        let header = try ArrayHeader(reading: bytes)
        var elements: [Self] = []
        elements.reserveCapacity(header.count)
        var offset = ArrayHeader.size
        for _ in 0..<header.count {
            let length = Int(try bytes.bigEndian(at: offset, as: Int32.self))
            offset += 4
            if length < 0 {
                elements.append(try decodeNull())
            } else {
                elements.append(try decode(try bytes.slice(offset, length), oid: header.elementOID))
                offset += length
            }
        }
        return elements
    }
}

extension [UInt8] {
    /// A length (-1 for NULL) and the value's bytes: an array's element and a binary COPY's field alike.
    mutating func appendField(_ value: some PostgresEncodable) {
        let start = count
        appendBigEndian(Int32(-1))
        guard !value.isNull else { return }
        value.encode(into: &self)
        putBigEndian(Int32(count - start - 4), at: start)
    }
}

extension FixedWidthValue {
    package static func encodeArray(_ elements: [Self]) -> [UInt8] {
        guard !elements.isEmpty else { return ArrayHeader.bytes(elementOID: oid, count: 0, hasNull: false) }
        let header = ArrayHeader.bytes(elementOID: oid, count: elements.count, hasNull: false)
        let width = MemoryLayout<Bits>.size
        let total = header.count + elements.count * (4 + width)
        let length = Int32(width).bigEndian
        return [UInt8](unsafeUninitializedCapacity: total) { buffer, initialized in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            bytes.copyBytes(from: header)
            var offset = header.count
            elements.withUnsafeBufferPointer { source in
                for element in source {
                    bytes.storeBytes(of: length, toByteOffset: offset, as: Int32.self)
                    bytes.storeBytes(of: element.wireBits.bigEndian, toByteOffset: offset + 4, as: Bits.self)
                    offset += 4 + width
                }
            }
            initialized = total
        }
    }

    package static func decodeArray(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> [Self] {
        let header = try ArrayHeader(reading: bytes)
        let width = MemoryLayout<Bits>.size
        let uniform = bytes.count == ArrayHeader.size + header.count * (4 + width)
        guard header.count > 0, header.elementOID == Self.oid, uniform else {
            return try decodeElements(bytes, header)
        }
        return try [Self](unsafeUninitializedCapacity: header.count) { buffer, initialized in
            var offset = ArrayHeader.size
            for index in 0..<header.count {
                // The total length can fit by chance while NULLs and other widths are mixed.
                guard Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)) == width else {
                    throw PostgresError.decoding("NULL in an array of \(Self.self)")
                }
                let bits = Bits(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: Bits.self))
                buffer.initializeElement(at: index, to: Self(wireBits: bits))
                initialized = index + 1
                offset += 4 + width
            }
        }
    }

    /// Element types that differ (int4[] read as [Int64]) and NULLs take the careful way.
    private static func decodeElements(_ bytes: UnsafeRawBufferPointer, _ header: ArrayHeader) throws -> [Self] {
        var offset = ArrayHeader.size
        return try (0..<header.count).map { _ in
            let length = Int(try bytes.bigEndian(at: offset, as: Int32.self))
            guard length >= 0 else { return try decodeNull() }
            defer { offset += 4 + length }
            return try decode(try bytes.slice(offset + 4, length), oid: header.elementOID)
        }
    }
}

/// Elements that may be NULL.
extension Optional: PostgresArrayElement
where Wrapped: PostgresArrayElement & PostgresEncodable & PostgresDecodable {
    package static var arrayOID: UInt32 { Wrapped.arrayOID }
}

/// `[UInt8]` is `bytea`, not an array of numbers: its bytes travel as they are, without a copy.
extension UInt8: PostgresArrayElement {
    package static var arrayOID: UInt32 { TypeOID.bytea }
    package static func encodeArray(_ elements: [UInt8]) -> [UInt8] { elements }

    package static func decodeArray(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> [UInt8] {
        guard oid == TypeOID.bytea else { throw PostgresError.decoding("type \(oid) is not bytea") }
        return [UInt8](bytes)
    }
}

/// `[[UInt8]]` is `bytea[]`.
extension Array: PostgresArrayElement where Element == UInt8 {
    package static var arrayOID: UInt32 { 1001 }
}
