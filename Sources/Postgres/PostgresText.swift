import FoundationEssentials

extension String: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    package static var oid: UInt32 { TypeOID.text }
    package static var arrayOID: UInt32 { 1009 }

    package func encode(into buffer: inout [UInt8]) {
        buffer.append(contentsOf: utf8)
    }

    /// Reads every type whose binary format is its text, enums and citext included, and also json, jsonb, uuid
    /// (lower case) and numeric (as the server prints it).
    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> String {
        switch oid {
        case TypeOID.text, TypeOID.varchar, TypeOID.bpchar, TypeOID.name, TypeOID.char, TypeOID.json, TypeOID.xml,
            TypeOID.unknown, TypeOID.cstring, TypeOID.firstOfUsers...:
            return String(decoding: bytes, as: UTF8.self)
        case TypeOID.jsonb: return try JSONB.decode(bytes, oid: oid).text
        case TypeOID.uuid: return try UUID.decode(bytes, oid: oid).uuidString.lowercased()
        case TypeOID.numeric: return try NumericText.decode(bytes)
        case TypeOID.void: return ""
        default: throw PostgresError.decoding("type \(oid) is not text")
        }
    }
}

/// A JSON text bound as `jsonb`; reads `json` too. Its text isn't checked here: the server does.
package struct JSONB: Hashable, Sendable {
    package var text: String

    package init(_ text: String) {
        self.text = text
    }
}

extension JSONB: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    package static var oid: UInt32 { TypeOID.jsonb }
    package static var arrayOID: UInt32 { 3807 }
    /// `jsonb_send` puts a version before the text.
    private static let version: UInt8 = 1

    package func encode(into buffer: inout [UInt8]) {
        buffer.reserveCapacity(buffer.count + text.utf8.count + 1)
        buffer.append(Self.version)
        buffer.append(contentsOf: text.utf8)
    }

    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> JSONB {
        switch oid {
        case TypeOID.jsonb:
            guard bytes.first == version else { throw PostgresError.decoding("unknown version of jsonb") }
            return JSONB(String(decoding: bytes.dropFirst(), as: UTF8.self))
        case TypeOID.json, TypeOID.text: return JSONB(String(decoding: bytes, as: UTF8.self))
        default: throw PostgresError.decoding("type \(oid) is not json")
        }
    }
}

extension UUID: PostgresEncodable, PostgresDecodable, PostgresArrayElement {
    package static var oid: UInt32 { TypeOID.uuid }
    package static var arrayOID: UInt32 { 2951 }

    package func encode(into buffer: inout [UInt8]) {
        withUnsafeBytes(of: uuid) { buffer.append(contentsOf: $0) }
    }

    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> UUID {
        guard oid == TypeOID.uuid, bytes.count == 16 else { throw PostgresError.decoding("type \(oid) is not uuid") }
        return UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}
