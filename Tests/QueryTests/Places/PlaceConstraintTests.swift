import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Query

/// What the database itself refuses, tried in SQL as the role of the query process.
@Suite struct PlaceConstraintTests {
    private static func state(_ tenant: String, _ body: @escaping @Sendable (TenantTransaction) async throws -> Void)
        async throws -> String?
    {
        try await TwoTenants.withDatabase { database in
            try await database.withPool(as: .query) { pool in
                let found = try await pool.lookUp(Tenant.bySlug(tenant)).first
                let tenant = try #require(found)
                do {
                    try await pool.withTenant(tenant) { try await body($0) }
                    return nil
                } catch {
                    return error.postgresError?.sqlState
                }
            }
        }
    }

    /// Its own tenant's rows are all that it can write, and a site of another's is none.
    @Test func aSpaceIsOfItsSitesTenant() async throws {
        let foreignSite = try await Self.state("north") { tx in
            try await tx.run(
                """
                INSERT INTO spaces (tenant_id, id, site_id, code, name)
                VALUES (\(tx.tenantID), \(UUID.v7()), \(TwoTenants.southernStore), 'X', 'X')
                """)
        }
        #expect(foreignSite == "23503")
        let foreignTenant = try await Self.state("north") { tx in
            try await tx.run(
                """
                INSERT INTO spaces (tenant_id, id, site_id, code, name)
                SELECT tenant_id + 1, \(UUID.v7()), id, 'X', 'X' FROM sites WHERE code = 'T01'
                """)
        }
        #expect(foreignTenant == "42501")
        let moved = try await Self.state("north") { tx in
            try await tx.run("UPDATE spaces SET site_id = \(TwoTenants.southernStore) WHERE id = \(TwoTenants.bay)")
        }
        #expect(moved == "23503")
    }

    @Test func aDeviceIsInASpaceOfItsTenantAndSite() async throws {
        let foreign = try await Self.state("north") { tx in
            try await tx.run(
                """
                UPDATE devices SET space_id = \(TwoTenants.southernSpace), site_id = NULL
                 WHERE device_eui = \(TwoTenants.looseEUI)
                """)
        }
        #expect(foreign == "23503")
        let elsewhere = try await Self.state("north") { tx in
            try await tx.run(
                """
                UPDATE devices SET space_id = \(TwoTenants.secondBay), site_id = \(TwoTenants.t01)
                 WHERE device_eui = \(TwoTenants.looseEUI)
                """)
        }
        #expect(elsewhere == "23503")
        let crowded = try await Self.state("north") { tx in
            try await tx.run(
                "UPDATE devices SET space_id = \(TwoTenants.bay), site_id = NULL WHERE device_eui = \(TwoTenants.looseEUI)"
            )
        }
        #expect(crowded == "23505")
    }

    @Test func anEUIIsOneDevice() async throws {
        let insert: @Sendable (TenantTransaction) async throws -> Void = { tx in
            try await tx.run(
                """
                INSERT INTO devices (tenant_id, id, device_eui, name)
                VALUES (\(tx.tenantID), \(UUID.v7()), \(TwoTenants.southernEUI), 'X')
                """)
        }
        #expect(try await Self.state("north", insert) == nil)
        #expect(try await Self.state("south", insert) == "23505")
    }

    @Test(arguments: [
        ("2031-01-06T12:30:00Z", "2031-01-06T14:00:00Z", "23P01"),
        ("2031-01-06T13:00:00Z", "2031-01-06T14:00:00Z", nil),
        ("2031-01-06T11:00:00Z", "2031-01-06T12:00:00Z", nil),
        ("2031-01-05T00:00:00Z", "2031-01-07T00:00:00Z", "23P01"),
        ("2031-01-08T00:00:00Z", "2031-01-08T00:00:00Z", "23514"),
        ("2031-01-08T00:00:00Z", "2031-02-07T00:00:01Z", "23514"),
    ])
    func reservationsDoNotOverlap(from: String, to: String, expected: String?) async throws {
        let (start, end) = (Timestamp(rfc3339: from), Timestamp(rfc3339: to))
        let found = try await Self.state("north") { tx in
            try await tx.run(
                """
                INSERT INTO reservations (tenant_id, id, space_id, starts_at, ends_at, holder_name)
                VALUES (\(tx.tenantID), \(UUID.v7()), \(TwoTenants.bay), \(start), \(end), 'Eva')
                """)
        }
        #expect(found == expected, "beside a pending one")
    }

    @Test func openingHoursCanBeRead() async throws {
        for (hours, expected) in [
            ("{\"mon\":[[\"08:00\",\"20:00\"]]}", nil), ("{\"mon\":[[\"20:00\",\"08:00\"]]}", "23514"), ("[]", "23514"),
            ("{\"mon\":[[\"08:00\"]]}", "23514"), ("{\"someday\":[]}", "23514"),
            ("{\"mon\":[[null,\"08:00\"]]}", "23514"),
        ] {
            let found = try await Self.state("north") { tx in
                try await tx.run("UPDATE spaces SET opening_hours = \(JSONB(hours)) WHERE id = \(TwoTenants.bay)")
            }
            #expect(found == expected, "\(hours)")
        }
    }

    /// What the query process may not do by itself: set a state, write readings, move a reservation's creation, read another tenant's.
    @Test func theRoleDoesNoMoreThanItMust() async throws {
        for command in [
            "UPDATE device_states SET occupied = true", "DELETE FROM reservations", "DELETE FROM orphan_uplinks",
            "UPDATE orphan_devices SET uplink_count = 0", "UPDATE devices SET device_eui = '0000000000000000'",
            "INSERT INTO sample_log (tenant_id, owner_id, series, ts, value) VALUES (1, 1, '{}', '{}', '{}')",
            "UPDATE space_devices SET since = now()", "DELETE FROM idempotency_keys",
        ] as [Command] {
            #expect(try await Self.state("north") { tx in try await tx.run(command) } == "42501", "\(command.sql)")
        }
    }
}
