import Foundation
import Postgres

/// Some lines of a file with all that they refer to: decided here, then written in a few statements.
struct DeviceChunk {
    /// A device that is there and becomes something else.
    fileprivate struct Change {
        let line: DeviceFile.Line
        let before: DeviceReferences.Existing
        let after: Placement
    }

    fileprivate struct Placement: Equatable {
        var name: String
        var profileID: UUID?
        var siteID: UUID?
        var spaceID: UUID?
        var metadata: JSONB?
    }

    private let columns: Set<DeviceFile.Column>
    private let terms: DeviceImport.Terms
    private let tenant: Tenant
    private var references: DeviceReferences
    private var made: [ImportedChange] = []
    private var good: [DeviceFile.Line] = []
    private var outcomes: [DeviceImport.Outcome] = []

    init(
        _ lines: [DeviceFile.Line], _ columns: Set<DeviceFile.Column>, _ terms: DeviceImport.Terms, tenant: Tenant,
        in tx: TenantTransaction
    ) async throws {
        self.columns = columns
        self.tenant = tenant
        self.terms = terms
        references = try await DeviceReferences(of: lines, visible: terms.sites, tenant: tenant.id, in: tx)
        var taken: [DeviceReferences.SpaceKey: Int] = [:]
        for line in lines {
            if let reason = fault(of: line, taken: &taken, lines) {
                outcomes.append(.init(line, .failed(reason)))
            } else {
                good.append(line)
            }
        }
        made = try await references.makeMissing(of: good, tenant: tenant.id, in: tx)
    }

    private func fault(
        of line: DeviceFile.Line, taken: inout [DeviceReferences.SpaceKey: Int], _ lines: [DeviceFile.Line]
    ) -> String? {
        if let sites = terms.sites, let standing = references.devices[line.deviceEUI]?.standsIn,
            !sites.contains(standing)
        {
            return "the device is not yours to change"
        }
        if let profile = line.profile, references.profiles[profile] == nil, !terms.createsProfiles {
            return "there is no profile \(profile)"
        }
        if let site = line.site, references.sites[site] == nil { return "there is no site \(site)" }
        guard let key = line.spaceKey else { return nil }
        guard let space = references.spaces[key] else {
            guard terms.createsSpaces else { return "site \(key.site) has no space \(key.space)" }
            return claim(key, by: line, &taken)
        }
        if let holder = references.holders[space], holder != line.deviceEUI {
            // The holder may be leaving by another line of this very chunk.
            let leaves = lines.contains { $0.deviceEUI == holder && $0.spaceKey != key }
            guard leaves, columns.contains(.space) else { return "the space has the device \(holder) already" }
        }
        return claim(key, by: line, &taken)
    }

    private func claim(
        _ key: DeviceReferences.SpaceKey, by line: DeviceFile.Line, _ taken: inout [DeviceReferences.SpaceKey: Int]
    ) -> String? {
        if let earlier = taken[key] { return "line \(earlier) has the same space" }
        taken[key] = line.number
        return nil
    }

    /// What was stored, and the devices whose uplinks are read otherwise from now on, by owner id.
    struct Stored {
        let outcomes: [DeviceImport.Outcome]
        let readAnew: [Int32]
    }

    /// Writes the good lines, and says what became of every line.
    func store(in tx: TenantTransaction) async throws -> Stored {
        var outcomes = outcomes
        var new: [(line: DeviceFile.Line, device: NewDevice)] = []
        var changes: [Change] = []
        for line in good {
            let existing = references.devices[line.deviceEUI]
            let after = placement(of: line, existing)
            if let existing {
                if after == Placement(of: existing) {
                    outcomes.append(.init(line, .unchanged))
                } else {
                    changes.append(Change(line: line, before: existing, after: after))
                }
            } else {
                let device = NewDevice(
                    deviceEUI: line.deviceEUI, name: after.name, profileID: after.profileID, siteID: after.siteID,
                    spaceID: after.spaceID, metadata: after.metadata ?? JSONB("{}"))
                new.append((line, device))
            }
        }
        // Spaces are given up before others move in.
        try await apply(changes, in: tx)
        outcomes += changes.map { .init($0.line, .updated) }
        let adopted = try await OrphanAdoption(tenant: tenant).register(new.map(\.device), in: tx)
        outcomes += new.map { line, _ in
            .init(line, adopted[line.deviceEUI].map { .adopted($0) } ?? .created)
        }
        try await terms.record(made + audit(changes) + audit(new.map(\.device), adopted), tx)
        let readAnew = changes.filter { $0.before.profileID != $0.after.profileID }.map(\.before.owner)
        return Stored(outcomes: outcomes, readAnew: readAnew)
    }

    /// Columns that the file does not have stay as they are; an empty field is no value, but a name is kept.
    private func placement(of line: DeviceFile.Line, _ existing: DeviceReferences.Existing?) -> Placement {
        var placement = existing.map { Placement(of: $0) } ?? Placement(name: line.deviceEUI.rawValue)
        if let name = line.name { placement.name = name }
        if columns.contains(.profile) { placement.profileID = line.profile.flatMap { references.profiles[$0] } }
        if columns.contains(.site) {
            let site = line.site.flatMap { references.sites[$0] }
            if site != placement.siteID { placement.spaceID = nil } // a space lies in its site
            placement.siteID = site
        }
        // PostgreSQL writes it in a form of its own, so an equal one stays as it is.
        if columns.contains(.metadata), !references.hasSameMetadata(line.deviceEUI) {
            placement.metadata = line.metadata ?? JSONB("{}")
        }
        if columns.contains(.space) { placement.spaceID = line.spaceKey.flatMap { references.spaces[$0] } }
        return placement
    }

    private func apply(_ changes: [Change], in tx: TenantTransaction) async throws {
        guard !changes.isEmpty else { return }
        let leaving = changes.filter { $0.before.spaceID != nil && $0.before.spaceID != $0.after.spaceID }
        if !leaving.isEmpty {
            try await tx.run(
                """
                UPDATE devices SET space_id = NULL
                 WHERE tenant_id = \(tenant.id) AND id = ANY (\(leaving.map(\.before.id)))
                """)
        }
        let after = changes.map(\.after)
        try await tx.run(
            """
            UPDATE devices AS d
               SET name = w.name, profile_id = w.profile_id, site_id = w.site_id, space_id = w.space_id,
                   metadata = w.metadata, updated_at = now()
              FROM unnest(\(changes.map(\.before.id)), \(after.map(\.name)), \(after.map(\.profileID)),
                   \(after.map(\.siteID)), \(after.map(\.spaceID)), \(after.map { $0.metadata ?? JSONB("{}") }))
                   AS w (id, name, profile_id, site_id, space_id, metadata)
             WHERE d.tenant_id = \(tenant.id) AND d.id = w.id
            """)
    }

    private func audit(_ changes: [Change]) -> [ImportedChange] {
        changes.map { change in
            ImportedChange(
                .device, change.before.id, before: Placement(of: change.before).fields, after: change.after.fields)
        }
    }

    private func audit(_ devices: [NewDevice], _ adopted: [DeviceEUI: Int]) -> [ImportedChange] {
        devices.map { device in
            var after = ["device_eui": device.deviceEUI.rawValue, "name": device.name]
            if let uplinks = adopted[device.deviceEUI] { after["adopted"] = String(uplinks) }
            return ImportedChange(.device, device.id, before: nil, after: after)
        }
    }
}

extension DeviceChunk.Placement {
    fileprivate init(of existing: DeviceReferences.Existing) {
        self.init(
            name: existing.name, profileID: existing.profileID, siteID: existing.siteID, spaceID: existing.spaceID,
            metadata: existing.metadata)
    }

    fileprivate var fields: [String: String] {
        var fields = ["name": name]
        fields["profile_id"] = profileID?.lowercaseString
        fields["site_id"] = siteID?.lowercaseString
        fields["space_id"] = spaceID?.lowercaseString
        fields["metadata"] = metadata?.text
        return fields
    }
}
