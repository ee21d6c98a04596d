/// What can't be read from the sources. Every entry must be needed: the test fails for those that aren't.
struct StatementTables {
    struct Place: Hashable {
        let file: String
        /// The interpolated expression.
        let source: String

        init(_ file: String, _ source: String) {
            self.file = file
            self.source = source
        }
    }

    private let exempt: [String: String]
    private let texts: [Place: [String]]
    private let types: [Place: String]
    private var used: Set<String> = []

    init(exempt: [String: String], texts: [Place: [String]], types: [Place: String]) {
        self.exempt = exempt
        self.texts = texts
        self.types = types
    }

    var complaints: [String] {
        let all =
            exempt.keys.map { "exempt \($0)" } + texts.keys.map { "text \($0.file) \($0.source)" }
            + types.keys.map { "type \($0.file) \($0.source)" }
        return Set(all).subtracting(used).sorted().map { "StatementTables: nothing needs \($0)" }
    }

    mutating func isExempt(_ sql: String) -> Bool {
        let beginnings = exempt.keys.filter { sql == $0 || sql.hasPrefix($0 + " ") }
        used.formUnion(beginnings.map { "exempt \($0)" })
        return !beginnings.isEmpty
    }

    mutating func texts(for source: String, in file: SwiftFile) -> [String]? {
        guard let texts = texts[Place(file.name, source)] else { return nil }
        used.insert("text \(file.name) \(source)")
        return texts
    }

    /// An entry that says no more than the sources do isn't needed.
    mutating func type(of expression: SwiftSources.Expression, _ source: String, _ sources: SwiftSources) -> String? {
        let file = expression.scope.file
        let declared = sources.type(of: expression)
        guard let type = types[Place(file.name, source)], type != declared else { return declared }
        used.insert("type \(file.name) \(source)")
        return type
    }
}

extension StatementTables {
    static let ours = StatementTables(
        // Statements that PostgreSQL doesn't PREPARE, by how they begin, and why.
        exempt: [
            "BEGIN": "transaction control", "COMMIT": "transaction control", "ROLLBACK": "transaction control",
            "SET ROLE": "a utility statement", "RESET ROLE": "a utility statement", "ALTER ROLE": "a utility statement",
            "LISTEN": "a utility statement", "CREATE TABLE": "DDL", "GRANT": "DDL",
        ],
        // Fragments that are parameters, by what the callers pass; those of one statement in the same order.
        texts: [
            Place("ExportTables.swift", "table"): [
                "sites", "spaces", "device_profiles", "devices", "orphan_devices", "invitations", "roles", "api_keys",
                "integrations", "reservations", "calendar_feeds",
                "space_devices", "quarantine", "audit_logs",
            ],
            Place("SpaceCalendar.swift", "spaces"): ["sp.is_bookable"],
            Place("UplinkWrites.swift", "table"): ["uplinks", "orphan_uplinks"],
            Place("UplinkWrites.swift", "columns"): ["", ", leaves"],
            Place("UplinkWrites.swift", "values"): ["", ", w.leaves"],
        ],
        // Types that PostgreSQL can't find, and that the source doesn't spell out nearby.
        types: [
            Place("SystemAudit.swift", "befores"): "jsonb[]",
            Place("SystemAudit.swift", "afters"): "jsonb[]",
            Place("DemoFurniture.swift", "sites.map(\\.name)"): "text[]",
            Place("DemoFurniture.swift", "sites.map(\\.kind)"): "text[]",
            Place("DemoFurniture.swift", "names"): "text[]",
            Place("DeviceReferences.swift", "newProfiles"): "text[]",
            Place("DeviceReferences.swift", "newSpaces.map { sites[$0.site] }"): "uuid[]",
            Place("SchemaChecks.swift", "wanted"): "text[]",
            Place("Activity.swift", "keys.map(\\.value)"): "timestamptz[]",
            Place("Compaction+Queries.swift", "arriving.series.map(\\.span.lowerBound)"): "int8[]",
            Place("Compaction+Queries.swift", "arriving.series.map(\\.span.upperBound)"): "int8[]",
            Place("Compaction+Queries.swift", "chunks.map(\\.series)"): "int4[]",
            Place("Compaction+Queries.swift", "chunks.map(\\.chunk.unit)"): "int4[]",
            Place("Compaction+Queries.swift", "Array(values.joined())"): "float8[]",
            Place("MetricGroupWriter.swift", "parts.firsts"): "int4[]",
            Place("MetricGroupWriter.swift", "parts.lasts"): "int4[]",
            Place("MetricGroupWriter+LostCommit.swift", "records.map(\\.owner)"): "int4[]",
            Place("MetricGroupWriter+LostCommit.swift", "records.map(\\.key)"): "uuid[]",
            Place("SampleRun.swift", "samples.series"): "int4[]",
            Place("SampleRun.swift", "samples.ts"): "int8[]",
            Place("SampleRun.swift", "samples.values"): "float8[]",
            Place("SampleRun.swift", "parts.firsts"): "int4[]",
            Place("SampleRun.swift", "parts.lasts"): "int4[]",
            Place("Merging.swift", "holders"): "int4[]",
            Place("Merging.swift", "fragments.flatMap(\\.starts)"): "int8[]",
            Place("OwnerOrder.swift", "owners"): "int8[]",
            Place("UplinkLookups.swift", "integrations"): "uuid[]",
            Place("UplinkLookups.swift", "hashes"): "uuid[]",
            Place("Compaction+Queries.swift", "parts.firsts"): "int4[]",
            Place("Compaction+Queries.swift", "parts.lasts"): "int4[]",
            Place("UplinkWrites.swift", "gateways"): "text[]",
            Place("UplinkWrites.swift", "keys.map(\\.position.fcnt)"): "int8[]",
            Place("OrphanAdoption.swift", "devices.map { owners[$0.deviceEUI] }"): "int4[]",
        ])
}
