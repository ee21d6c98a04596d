import Postgres

/// A tenant's int4 key: used in keys and settings only, never shown. Outside, a tenant is its slug or its UUID.
package struct TenantID: Hashable, Comparable, Sendable {
    package let rawValue: Int32

    package init(_ rawValue: Int32) {
        self.rawValue = rawValue
    }

    package static func < (left: TenantID, right: TenantID) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The setting that every policy of row-level security reads.
    package var setting: Setting {
        Setting(name: "app.tenant_id", value: String(rawValue))
    }
}

extension TenantID: PostgresEncodable, PostgresDecodable {
    package static var oid: UInt32 { Int32.oid }

    package func encode(into bytes: inout [UInt8]) {
        rawValue.encode(into: &bytes)
    }

    package static func decode(_ bytes: UnsafeRawBufferPointer, oid: UInt32) throws -> TenantID {
        TenantID(try Int32.decode(bytes, oid: oid))
    }
}
