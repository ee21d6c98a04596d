import Foundation
import Postgres
import Shared

/// Puts sites, spaces, profiles and sensors of the demo in place, where they are missing.
struct DemoFurniture: Sendable {
    let database: Database
    let tenant: Tenant

    func place() async throws {
        try await database.withTenant(tenant) { tx in
            let made = try await tx.run(insertSites) + tx.run(insertSpaces) + tx.run(insertProfiles)
            guard made > 0 else { return }
            let audit = SystemAudit(
                action: "demo.furnished", resourceType: "tenant", resourceID: tenant.uuid.lowercaseString)
            try await SystemAudit.append([audit], tenant: tenant.id, in: tx)
        }
        let lines = DemoPlaces.spaces.enumerated().map { position, space in
            DeviceFile.Line(
                number: position + 1, deviceEUI: DemoPlaces.deviceEUI(position), name: "\(space.site) \(space.name)",
                profile: space.profile, site: space.site, space: space.code)
        }
        let outcomes = try await DeviceImport(
            database: database, tenant: tenant,
            .init(createsSpaces: false, record: SystemAudit.devices(of: tenant.id))
        )
        .run(DeviceFile(columns: [.deviceEUI, .name, .profile, .site, .space], lines: lines, bad: []))
        if let failed = outcomes.first(where: \.isFailure) {
            throw Refusal(.failed, "demo device \(failed.deviceEUI): \(failed.words.detail)")
        }
    }

    private var insertSites: Command {
        let sites = DemoPlaces.sites
        return """
            INSERT INTO sites (tenant_id, id, code, name, kind, timezone)
            SELECT \(tenant.id), w.id, w.code, w.name, w.kind, \(DemoPlaces.timezone)
              FROM unnest(\(sites.map { _ in UUID.v7() }), \(sites.map(\.code)), \(sites.map(\.name)), \(sites.map(\.kind)))
                   AS w (id, code, name, kind)
            ON CONFLICT DO NOTHING
            """
    }

    private var insertSpaces: Command {
        let spaces = DemoPlaces.spaces
        return """
            INSERT INTO spaces (tenant_id, id, site_id, code, name, kind, is_bookable, opening_hours)
            SELECT \(tenant.id), w.id, s.id, w.code, w.name, w.kind, w.is_bookable,
                   CASE WHEN w.site = 'O01' THEN \(JSONB(DemoPlaces.officeHours)) END
              FROM unnest(\(spaces.map { _ in UUID.v7() }), \(spaces.map(\.site)), \(spaces.map(\.code)),
                   \(spaces.map(\.name)), \(spaces.map(\.kind)), \(spaces.map(\.isBookable)))
                   AS w (id, site, code, name, kind, is_bookable)
              JOIN sites s ON s.tenant_id = \(tenant.id) AND s.code = w.site AND s.deleted_at IS NULL
            ON CONFLICT DO NOTHING
            """
    }

    /// Sensors of the demo speak every minute or so; silence of ten is news.
    private var insertProfiles: Command {
        let names = [
            DemoPlaces.bayProfile, DemoPlaces.climateProfile, DemoPlaces.meetingProfile, DemoPlaces.fittingProfile,
        ]
        return """
            INSERT INTO device_profiles (tenant_id, id, name, expected_interval_s)
            SELECT \(tenant.id), w.id, w.name, 600
              FROM unnest(\(names.map { _ in UUID.v7() }), \(names)) AS w (id, name)
            ON CONFLICT DO NOTHING
            """
    }
}
