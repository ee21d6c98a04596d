import Foundation
import Postgres

/// What the lines of a file name by code, name or EUI, as the database has it.
struct DeviceReferences: Sendable {
    struct SpaceKey: Hashable {
        let site: String
        let space: String
    }

    struct Existing: RowDecodable {
        let id: UUID
        let owner: Int32
        let deviceEUI: DeviceEUI
        let name: String
        let profileID: UUID?
        let siteID: UUID?
        let spaceID: UUID?
        let metadata: JSONB
        /// Its own site, or its space's.
        let standsIn: UUID?

        init(_ row: Row) throws {
            id = try row["id"]
            owner = try row["owner_id"]
            deviceEUI = try row["device_eui"]
            name = try row["name"]
            profileID = try row["profile_id"]
            siteID = try row["site_id"]
            spaceID = try row["space_id"]
            metadata = try row["metadata"]
            standsIn = try row["stands_in"]
        }
    }

    private struct Named: RowDecodable {
        let id: UUID
        let name: String

        init(_ row: Row) throws {
            id = try row["id"]
            name = try row["name"]
        }
    }

    private struct FoundSpace: RowDecodable {
        let id: UUID
        let key: SpaceKey
        let holder: DeviceEUI?

        init(_ row: Row) throws {
            id = try row["id"]
            key = SpaceKey(site: try row["site"], space: try row["space"])
            holder = try row["holder"]
        }
    }

    var sites: [String: UUID]
    var profiles: [String: UUID]
    var spaces: [SpaceKey: UUID]
    /// The device that a space has.
    var holders: [UUID: DeviceEUI]
    let devices: [DeviceEUI: Existing]
    /// Those whose metadata are what their lines say, however that is written.
    private let unchangedMetadata: Set<String>

    /// - Parameter visible: the sites that there are for whoever asks; nil for all.
    init(of lines: [DeviceFile.Line], visible: [UUID]?, tenant: TenantID, in tx: TenantTransaction) async throws {
        // Places before devices, as whoever deletes one locks them.
        let sites = try await tx.all(Self.sites(Array(Set(lines.compactMap(\.site))), visible, tenant))
        let profiles = try await tx.all(Self.profiles(Array(Set(lines.compactMap(\.profile))), tenant))
        let keys = Array(Set(lines.compactMap(\.spaceKey)))
        let spaces = keys.isEmpty ? [] : try await tx.all(Self.spaces(keys, tenant))
        let devices = try await tx.all(Self.devices(lines.map(\.deviceEUI.rawValue).sorted(), tenant))
        unchangedMetadata = Set(
            try await tx.all(
                Self.sameMetadata(lines.map(\.deviceEUI.rawValue), lines.map { $0.metadata ?? JSONB("{}") }, tenant)))
        self.devices = Dictionary(devices.map { ($0.deviceEUI, $0) }, uniquingKeysWith: { first, _ in first })
        self.sites = Dictionary(sites.map { ($0.name, $0.id) }, uniquingKeysWith: { first, _ in first })
        self.profiles = Dictionary(profiles.map { ($0.name, $0.id) }, uniquingKeysWith: { first, _ in first })
        self.spaces = Dictionary(spaces.map { ($0.key, $0.id) }, uniquingKeysWith: { first, _ in first })
        holders = Dictionary(
            spaces.compactMap { space in space.holder.map { (space.id, $0) } }, uniquingKeysWith: { first, _ in first })
    }

    func hasSameMetadata(_ deviceEUI: DeviceEUI) -> Bool { unchangedMetadata.contains(deviceEUI.rawValue) }

    /// Makes the profiles and spaces that good lines name and nobody made yet.
    /// - Returns: what was made.
    mutating func makeMissing(
        of lines: [DeviceFile.Line], tenant: TenantID, in tx: TenantTransaction
    ) async throws -> [ImportedChange] {
        var made: [ImportedChange] = []
        let newProfiles = Set(lines.compactMap(\.profile)).subtracting(profiles.keys).sorted()
        if !newProfiles.isEmpty {
            try await tx.run(
                """
                INSERT INTO device_profiles (tenant_id, id, name)
                SELECT \(tenant), * FROM unnest(\(newProfiles.map { _ in UUID.v7() }), \(newProfiles))
                ON CONFLICT DO NOTHING
                """)
            for profile in try await tx.all(Self.profiles(newProfiles, tenant)) {
                profiles[profile.name] = profile.id
                made.append(.init(.profile, profile.id, before: nil, after: ["name": profile.name]))
            }
        }
        let newSpaces = Set(lines.compactMap(\.spaceKey)).subtracting(spaces.keys)
            .sorted { ($0.site, $0.space) < ($1.site, $1.space) }
        if !newSpaces.isEmpty {
            try await tx.run(
                """
                INSERT INTO spaces (tenant_id, id, site_id, code, name)
                SELECT \(tenant), w.id, w.site_id, w.code, w.code
                  FROM unnest(\(newSpaces.map { _ in UUID.v7() }), \(newSpaces.map { sites[$0.site] }),
                       \(newSpaces.map(\.space))) AS w (id, site_id, code)
                ON CONFLICT DO NOTHING
                """)
            for space in try await tx.all(Self.spaces(newSpaces, tenant)) {
                spaces[space.key] = space.id
                made.append(
                    .init(.space, space.id, before: nil, after: ["site": space.key.site, "code": space.key.space]))
            }
        }
        return made
    }
}

extension DeviceFile.Line {
    var spaceKey: DeviceReferences.SpaceKey? {
        guard let site, let space else { return nil }
        return .init(site: site, space: space)
    }
}

extension DeviceReferences {
    private static func devices(_ euis: [String], _ tenant: TenantID) -> Statement<Existing> {
        """
        SELECT d.id, d.owner_id, d.device_eui, d.name, d.profile_id, d.site_id, d.space_id, d.metadata,
               coalesce(d.site_id, sp.site_id) AS stands_in
          FROM devices d LEFT JOIN spaces sp ON sp.tenant_id = d.tenant_id AND sp.id = d.space_id
         WHERE d.tenant_id = \(tenant) AND d.device_eui = ANY (\(euis)) AND d.deleted_at IS NULL
         ORDER BY d.device_eui FOR UPDATE OF d
        """
    }

    private static func sameMetadata(
        _ euis: [String], _ metadata: [JSONB], _ tenant: TenantID
    ) -> Statement<String> {
        """
        SELECT d.device_eui FROM unnest(\(euis), \(metadata)) AS w (device_eui, metadata)
          JOIN devices d ON d.tenant_id = \(tenant) AND d.device_eui = w.device_eui AND d.deleted_at IS NULL
         WHERE d.metadata = w.metadata
        """
    }

    /// They stay while the transaction goes on.
    private static func sites(_ codes: [String], _ visible: [UUID]?, _ tenant: TenantID) -> Statement<Named> {
        let isVisible: Fragment = visible.map { "id = ANY (\($0))" } ?? "true"
        return """
            SELECT id, code AS name FROM sites
             WHERE tenant_id = \(tenant) AND code = ANY (\(codes)) AND deleted_at IS NULL AND \(isVisible)
             ORDER BY id FOR SHARE
            """
    }

    private static func profiles(_ names: [String], _ tenant: TenantID) -> Statement<Named> {
        """
        SELECT id, name FROM device_profiles
         WHERE tenant_id = \(tenant) AND name = ANY (\(names)) AND deleted_at IS NULL ORDER BY id FOR SHARE
        """
    }

    private static func spaces(_ keys: [SpaceKey], _ tenant: TenantID) -> Statement<FoundSpace> {
        """
        SELECT sp.id, w.site, w.space, d.device_eui AS holder
          FROM unnest(\(keys.map(\.site)), \(keys.map(\.space))) AS w (site, space)
          JOIN sites si ON si.tenant_id = \(tenant) AND si.code = w.site AND si.deleted_at IS NULL
          JOIN spaces sp ON sp.tenant_id = \(tenant) AND sp.site_id = si.id AND sp.code = w.space
               AND sp.deleted_at IS NULL
          LEFT JOIN devices d ON d.tenant_id = \(tenant) AND d.space_id = sp.id AND d.deleted_at IS NULL
         ORDER BY sp.id FOR SHARE OF sp
        """
    }
}
