import Foundation
import Postgres
import Shared
import Support
import Testing

/// What keeps tenants apart, tried as the application's own roles.
@Suite
struct RowLevelSecurityTests {
    private struct Relation: RowDecodable {
        let name: String
        let isPartition: Bool
        let hasTenant: Bool
        let isFenced: Bool

        init(_ row: Row) throws {
            name = try row["name"]
            isPartition = try row["is_partition"]
            hasTenant = try row["has_tenant"]
            isFenced = try row["is_fenced"]
        }
    }

    private static let roles: [MigratedDatabase.Role] = [.ingest, .query, .system]

    private static let relations: Statement<Relation> = """
        SELECT c.relname AS name, c.relispartition AS is_partition,
               c.relrowsecurity AND c.relforcerowsecurity AS is_fenced,
               EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') AS has_tenant
          FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1
        """

    @Test func everyTenantTableIsFenced() async throws {
        try await MigratedDatabase.withClone { database in
            let relations = try await database.asSuperuser { try await $0.all(Self.relations) }
            #expect(relations.filter(\.hasTenant).count > 30)
            for relation in relations where relation.hasTenant || relation.name == "users" || relation.name == "tenants"
            {
                #expect(relation.isFenced, "\(relation.name)")
            }
        }
    }

    @Test func nothingIsGrantedOnPartitions() async throws {
        try await MigratedDatabase.withClone { database in
            let grants: [String] = try await database.asSuperuser { connection in
                try await connection.all(
                    """
                    SELECT c.relname || ' to ' || a.grantee::regrole
                      FROM pg_class c, LATERAL aclexplode(c.relacl) a
                     WHERE c.relispartition AND a.grantee <> c.relowner
                    """)
            }
            #expect(grants == [])
        }
    }

    @Test func rolesOwnNothingAndBypassNothing() async throws {
        try await MigratedDatabase.withClone { database in
            let strong: [String] = try await database.asSuperuser { connection in
                try await connection.all(
                    """
                    SELECT rolname FROM pg_roles
                     WHERE rolname LIKE 'pulsegate%' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)
                    """)
            }
            #expect(strong == [])
            let owned: [String] = try await database.asSuperuser { connection in
                try await connection.all(
                    """
                    SELECT relname FROM pg_class
                     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
                       AND relowner::regrole::text <> 'pulsegate_owner'
                    """)
            }
            #expect(owned == [])
        }
    }

    /// Every table that a role may read shows one tenant nothing of another, and nothing at all without a tenant.
    @Test(arguments: roles)
    func aRoleSeesOneTenantAtATime(_ role: MigratedDatabase.Role) async throws {
        try await MigratedDatabase.withClone { database in
            let (first, second) = try await database.plantRowsOfTwoTenants()
            let relations = try await database.asSuperuser { try await $0.all(Self.relations) }
            try await database.withPool(as: role) { database in
                let pool = database.pool
                var seen = 0
                for relation in relations where relation.hasTenant && !relation.isPartition {
                    let readable: [Bool] = try await pool.single(
                        "SELECT has_column_privilege(\(relation.name), 'tenant_id', 'SELECT')")
                    guard readable == [true] else { continue }
                    let count: Statement<Int64> = """
                        SELECT count(*) FROM \(.identifier(relation.name)) WHERE tenant_id = \(second.rawValue)
                        """
                    #expect(try await pool.single(count, settings: [first.setting]) == [0], "\(relation.name)")
                    #expect(try await pool.single(count, settings: []) == [0], "\(relation.name) without a tenant")
                    seen += Int(try await pool.single(count, settings: [second.setting]).first ?? 0)
                }
                #expect(seen > 0, "the planted rows are there to be seen")
            }
        }
    }

    /// What is refused must be refused for the tenant's sake: the same row of one's own goes in.
    @Test func aRowOfAnotherTenantIsRefused() async throws {
        try await MigratedDatabase.withClone { database in
            let (first, second) = try await database.plantRowsOfTwoTenants()
            try await database.withPool(as: .ingest) { database in
                let pool = database.pool
                let append = SampleRun(series: [1], ts: [1], values: [1])
                _ = try await pool.single(SampleRun.append([(1, append)], of: first), settings: [first.setting])
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.single(SampleRun.append([(1, append)], of: second), settings: [first.setting])
                }
                #expect(error?.sqlState == "42501")
            }
        }
    }

    @Test(arguments: roles)
    func auditIsAppendOnly(_ role: MigratedDatabase.Role) async throws {
        try await MigratedDatabase.withClone { database in
            let (tenant, _) = try await database.plantRowsOfTwoTenants()
            try await database.withPool(as: role) { database in
                let pool = database.pool
                for command: Command in [
                    "UPDATE audit_logs SET action = 'x'", "DELETE FROM audit_logs", "TRUNCATE audit_logs",
                ] {
                    let error = await #expect(throws: PostgresError.self) {
                        try await pool.single(command, settings: [tenant.setting])
                    }
                    #expect(error?.sqlState == "42501")
                }
            }
        }
    }

    @Test func ingestReadsNoReadings() async throws {
        try await MigratedDatabase.withClone { database in
            let (tenant, _) = try await database.plantRowsOfTwoTenants()
            try await database.withPool(as: .ingest) { database in
                let pool = database.pool
                for statement: Statement<Int64> in [
                    "SELECT count(payload) FROM uplinks", "SELECT count(*) FROM sample_log",
                    "SELECT count(*) FROM sample_chunks",
                    "SELECT count(body) FROM quarantine", "SELECT count(email) FROM users",
                ] {
                    let error = await #expect(throws: PostgresError.self) {
                        try await pool.single(statement, settings: [tenant.setting])
                    }
                    #expect(error?.sqlState == "42501", "\(statement.sql)")
                }
            }
        }
    }

    /// Columns of one tenant can't point to another's rows: the keys themselves refuse.
    @Test func aSpaceBelongsToItsSitesTenant() async throws {
        try await MigratedDatabase.withClone { database in
            let (first, second) = try await database.plantRowsOfTwoTenants()
            try await database.withPool(as: .system) { database in
                let pool = database.pool
                let foreign: [UUID] = try await pool.single("SELECT id FROM sites LIMIT 1", settings: [second.setting])
                let site = try #require(foreign.first)
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.single(
                        """
                        INSERT INTO spaces (tenant_id, id, site_id, code, name)
                        VALUES (\(first), \(UUID()), \(site), 'X1', 'X')
                        """ as Command, settings: [first.setting])
                }
                #expect(error?.sqlState == "23503")
            }
        }
    }
}
