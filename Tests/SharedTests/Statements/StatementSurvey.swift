/// The statements found in the sources, and what is wrong with the finding.
struct StatementSurvey {
    struct Statement {
        let place: String
        let text: PreparedText
        /// Columns that its rows are asked for.
        let columns: Set<String>
    }

    /// What statements begin with. COPY isn't among them: the client puts its text together itself.
    private static let keywords = Set(
        """
        ALTER ANALYZE BEGIN CALL CLUSTER COMMENT COMMIT CREATE DELETE DISCARD DO DROP EXECUTE EXPLAIN GRANT INSERT LISTEN
        LOCK MERGE NOTIFY PREPARE REFRESH REINDEX RELEASE RESET REVOKE ROLLBACK SAVEPOINT SECURITY SELECT SET SHOW TABLE
        TRUNCATE UNLISTEN UPDATE VACUUM VALUES WITH
        """.split { " \n".contains($0) }.map(String.init))

    private(set) var statements: [Statement] = []
    private(set) var complaints: [String] = []

    init(_ files: [SwiftFile], tables: StatementTables = .ours) {
        let (sources, rows) = (SwiftSources(files), RowColumns(files))
        var tables = tables
        var fragments: Set<String> = []
        for file in files {
            for (index, token) in file.tokens.enumerated() {
                guard let literal = token.literal, Self.isSQL(literal) else { continue }
                let function = file.function(around: index)
                if function?.returns == "Fragment" || function?.returns == "[Fragment]" {
                    fragments.insert("\(file.path):\(literal.line)")
                } else if !tables.isExempt(literal.outline) {
                    let columns = rows.demanded(ofLiteralAt: index, in: file)
                    add(literal, columns, SwiftSources.Scope(file, function), sources, &tables)
                }
            }
        }
        let spliced = statements.reduce(into: Set()) { $0.formUnion($1.text.spliced) }
        complaints += fragments.subtracting(spliced).sorted().map { "Sources/\($0): part of no statement" }
        complaints += tables.complaints
    }

    private static func isSQL(_ literal: SwiftLiteral) -> Bool {
        let beginning = literal.beginning
        let keyword = beginning.prefix { $0.isLetter }
        let next = beginning.dropFirst(keyword.count).first
        return keywords.contains(String(keyword)) && (next == nil || next == " " || next == "\n")
    }

    private mutating func add(
        _ literal: SwiftLiteral, _ columns: Set<String>, _ scope: SwiftSources.Scope, _ sources: SwiftSources,
        _ tables: inout StatementTables
    ) {
        let place = "Sources/\(scope.file.path):\(literal.line)"
        var (way, ways) = (0, 1)
        while way < ways {
            let text = PreparedText(literal, scope, way: way, sources, &tables)
            ways = text.ways
            way += 1
            complaints += text.unresolved.map { "\(place): no SQL was found for \\(\($0))" }
            guard text.unresolved.isEmpty else { continue }
            statements.append(Statement(place: place, text: text, columns: columns))
        }
    }
}
