/// A value that travels to the server in PostgreSQL's binary format (the `typsend`/`typreceive` format of its type).
package protocol PostgresEncodable: Sendable {
    /// The type's OID in `pg_type`, declared when a statement is prepared.
    static var oid: UInt32 { get }
    /// NULL has no bytes; only optionals are ever null.
    var isNull: Bool { get }
    func encode(into buffer: inout [UInt8])
    /// What is bound to `$n`. Types that already hold their bytes hand them over without a copy.
    var parameter: Parameter { get }
}

extension PostgresEncodable {
    package var isNull: Bool { false }

    package var parameter: Parameter {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return Parameter(oid: Self.oid, bytes: bytes)
    }
}

/// A value read from PostgreSQL's binary format.
package protocol PostgresDecodable: Sendable {
    /// - Throws: `PostgresError` of kind `decoding` if the column's type or length doesn't fit.
    static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> Self
    /// What NULL becomes. Throws for everything but optionals.
    static func decodeNull() throws -> Self
}

extension PostgresDecodable {
    package static func decodeNull() throws -> Self {
        throw PostgresError.decoding("NULL where \(Self.self) was expected")
    }
}

/// One bound value: its type and its bytes in binary format, nil for NULL.
package struct Parameter: Sendable, Hashable {
    package let oid: UInt32
    package let bytes: [UInt8]?

    package init(oid: UInt32, bytes: [UInt8]?) {
        self.oid = oid
        self.bytes = bytes
    }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package static var oid: UInt32 { Wrapped.oid }
    package var isNull: Bool { self?.isNull ?? true }

    package func encode(into buffer: inout [UInt8]) {
        self?.encode(into: &buffer)
    }

    package var parameter: Parameter {
        self?.parameter ?? Parameter(oid: Wrapped.oid, bytes: nil)
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> Wrapped? {
        try Wrapped.decode(bytes, oid: oid)
    }

    package static func decodeNull() throws -> Wrapped? { nil }
}

/// `enum Role: String, PostgresEncodable, PostgresDecodable` needs nothing more.
extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    package static var oid: UInt32 { RawValue.oid }
    package func encode(into buffer: inout [UInt8]) { rawValue.encode(into: &buffer) }
    package var parameter: Parameter { rawValue.parameter }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> Self {
        guard let value = Self(rawValue: try RawValue.decode(bytes, oid: oid)) else {
            throw PostgresError.decoding("not a value of \(Self.self)")
        }
        return value
    }
}

extension PostgresArrayElement where Self: RawRepresentable, RawValue: PostgresArrayElement {
    package static var arrayOID: UInt32 { RawValue.arrayOID }
}

/// OIDs of PostgreSQL's built-in types (`pg_type.dat`; they never change).
enum TypeOID {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let char: UInt32 = 18
    static let name: UInt32 = 19
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let json: UInt32 = 114
    static let xml: UInt32 = 142
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let unknown: UInt32 = 705
    static let bpchar: UInt32 = 1042
    static let varchar: UInt32 = 1043
    static let timestamp: UInt32 = 1114
    static let timestamptz: UInt32 = 1184
    static let numeric: UInt32 = 1700
    static let cstring: UInt32 = 2275
    static let void: UInt32 = 2278
    static let uuid: UInt32 = 2950
    static let jsonb: UInt32 = 3802
    /// OIDs from here on belong to types made by users: enums, domains' bases, citext.
    static let firstOfUsers: UInt32 = 16384
}
