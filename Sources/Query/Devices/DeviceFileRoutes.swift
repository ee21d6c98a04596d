import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Postgres
import Shared

/// `/devices/import` and `/devices/export`: all devices as CSV (RFC 4180). What is exported can be imported, and then changes nothing.
struct DeviceFileRoutes: Sendable {
    /// Some fifty thousand devices.
    static let maxBytes = 8 << 20

    let database: Database

    func register(on api: TenantRoutes) {
        api.post("devices/import", requires: .devicesWrite, use: load)
        api.get("devices/export", requires: .devicesRead, use: export)
    }

    /// Stores the good lines and tells of each line what became of it. Profiles that lines name are made by those who may;
    /// spaces too, with `create_spaces=true`.
    @Sendable private func load(_ request: Request, _ context: TenantContext) async throws -> Answer<ImportReport> {
        var query = QueryParameters(request)
        let createsSpaces = query.flag("create_spaces")
        try query.check()
        if createsSpaces { try context.principal.require(.spacesWrite) }
        if let type = request.headers[.contentType], !type.lowercased().hasPrefix("text/csv") {
            throw Problem.unsupportedMediaType(detail: "The body must be text/csv.")
        }
        let bytes = try await request.decodedBody(limit: Self.maxBytes, context: context)
        let file: DeviceFile
        do {
            file = try DeviceFile(Array(bytes.readableBytesView))
        } catch {
            throw Problem.unprocessable(code: "unreadable_file", detail: "Nothing was stored: \(error.reason).")
        }
        let trail = AuditTrail(request, context)
        let mayMakeProfiles = context.principal.holds(.deviceProfilesWrite) && context.scope.siteIDs == nil
        let terms = DeviceImport.Terms(
            createsSpaces: createsSpaces, createsProfiles: mayMakeProfiles, sites: context.scope.siteIDs
        ) { changes, tx in
            try await tx.run(all: changes.map { trail.imported($0) })
        }
        let outcomes = try await DeviceImport(database: database, tenant: context.tenant, terms).run(file)
        return Answer(ImportReport(outcomes: outcomes), isSecret: true)
    }

    /// Page by page, so that memory stays flat.
    @Sendable private func export(_ request: Request, _ context: TenantContext) async throws -> Response {
        let (database, scope) = (database, context.scope)
        let first = try await database.read(context, DeviceLine.page(after: nil, in: scope))
        let body = ResponseBody { writer in
            try await writer.write(ByteBuffer(string: DeviceLine.header))
            var lines = first
            while let last = lines.last {
                try await writer.write(ByteBuffer(string: lines.map(\.csv).joined()))
                lines = try await database.read(scope, DeviceLine.page(after: last.id, in: scope))
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8; header=present",
                .contentDisposition: "attachment; filename=\"devices.csv\"", .cacheControl: "no-store",
            ], body: body)
    }
}

/// What became of each line of a file.
struct ImportReport: JSONWritable {
    let outcomes: [DeviceImport.Outcome]

    func write(to json: inout JSONWriter) {
        let counts = Dictionary(grouping: outcomes, by: \.words.result).mapValues(\.count)
        json.object { object in
            object.field("created", counts["created"] ?? 0)
            object.field("updated", counts["updated"] ?? 0)
            object.field("unchanged", counts["unchanged"] ?? 0)
            object.field("failed", counts["failed"] ?? 0)
            object.field("lines", outcomes.map(Line.init))
        }
    }

    private struct Line: JSONWritable {
        let outcome: DeviceImport.Outcome

        func write(to json: inout JSONWriter) {
            let (result, detail) = outcome.words
            json.object { object in
                object.field("line", outcome.number)
                object.field("device_eui", outcome.deviceEUI)
                object.field("result", result)
                object.field("detail", detail.isEmpty ? nil : detail)
            }
        }
    }
}

/// A device as a line of CSV.
struct DeviceLine: RowDecodable {
    static let header = "device_eui,name,profile,site,space,metadata\r\n"
    private static let pageSize: Int64 = 1_000

    let id: UUID
    let csv: String

    init(_ row: Row) throws {
        id = try row["id"]
        let fields: [String?] = [
            try row["device_eui"], try row["name"], try row["profile"], try row["site"], try row["space"],
            try row["metadata"],
        ]
        csv = fields.map { Self.quoted($0 ?? "") }.joined(separator: ",") + "\r\n"
    }

    /// In the order of creation. Without a space's code the site's would be another.
    static func page(after: UUID?, in scope: TenantScope) -> Statement<DeviceLine> {
        let beyond: Fragment = if let after { "d.id > \(after)" } else { "true" }
        return """
            SELECT d.id, d.device_eui, d.name, p.name AS profile, si.code AS site, sp.code AS space,
                   nullif(d.metadata, '{}')::text AS metadata
              FROM devices d
              LEFT JOIN spaces sp ON sp.tenant_id = d.tenant_id AND sp.id = d.space_id
              LEFT JOIN sites si ON si.tenant_id = d.tenant_id AND si.id = coalesce(d.site_id, sp.site_id)
              LEFT JOIN device_profiles p ON p.tenant_id = d.tenant_id AND p.id = d.profile_id
             WHERE \(Device.visible(in: scope)) AND \(beyond)
             ORDER BY d.id LIMIT \(pageSize)
            """
    }

    /// By bytes: to Swift a comma with an accent on it is no comma.
    private static func quoted(_ field: String) -> String {
        let bytes = field.utf8
        let isPlain = !bytes.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D].contains($0) }
        if isPlain, bytes.first != UInt8(ascii: " "), bytes.last != UInt8(ascii: " ") { return field }
        let doubled = bytes.flatMap { $0 == UInt8(ascii: "\"") ? [$0, $0] : [$0] }
        return "\"" + String(decoding: doubled, as: UTF8.self) + "\""
    }
}

extension AuditTrail {
    fileprivate func imported(_ change: ImportedChange) -> Command {
        let action: AuditEntry.Action =
            switch change.kind {
            case .device: change.before == nil ? .deviceCreated : .deviceChanged
            case .space: .spaceCreated
            case .profile: .deviceProfileCreated
            }
        return entry(
            action, change.kind.rawValue, change.id, before: change.before.map(Fields.init), after: Fields(change.after)
        )
    }

    private struct Fields: JSONWritable {
        let fields: [String: String]

        init(_ fields: [String: String]) { self.fields = fields }

        func write(to json: inout JSONWriter) {
            json.raw("{")
            for (index, field) in fields.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { json.raw(",") }
                json.string(field.key)
                json.raw(":")
                json.string(field.value)
            }
            json.raw("}")
        }
    }
}
