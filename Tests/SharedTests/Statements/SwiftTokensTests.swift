import Testing

/// The scanner behind `StatementsTests`.
struct SwiftTokensTests {
    private static func literals(_ source: String) -> [SwiftLiteral] {
        SwiftLexer.tokens(of: source).compactMap(\.literal)
    }

    private static func interpolations(_ literal: SwiftLiteral?) -> [String] {
        (literal?.parts ?? []).compactMap { part in
            if case .interpolation(let source, _) = part { source } else { nil }
        }
    }

    @Test func followsParenthesesAndStringsIntoInterpolations() {
        let source = #"""
            tx.run("SELECT \(f(a, (b))) FROM t WHERE \(list.map { $0.is(")\(x)(", "\"") }.joined(separator: " AND ")) > 1")
            """#
        let literals = Self.literals(source)
        #expect(literals.map(\.outline) == ["SELECT … FROM t WHERE … > 1"])
        #expect(
            Self.interpolations(literals.first) == [
                "f(a, (b))", #"list.map { $0.is(")\(x)(", "\"") }.joined(separator: " AND ")"#,
            ])
    }

    @Test func readsMultiLineLiterals() {
        let source = #"""
            // "not this one"
            let sql = """
                SELECT "a" /* here */, E'\\x01',
                   \(b.map(
                       \.c)) \
                FROM t
                """ /* "nor this" */
            let next = "x"
            """#
        let literals = Self.literals(source)
        #expect(literals.map(\.outline) == ["SELECT \"a\" /* here */, E'\\x01',\n   … FROM t", "x"])
        #expect(literals.map(\.line) == [2, 8])
        #expect(Self.interpolations(literals.first).first?.hasSuffix(#"\.c)"#) == true)
    }

    @Test func splicesFragmentsAndNumbersValues() {
        let file = SwiftFile(
            path: "Shared/Box+Queries.swift",
            source: #"""
                extension Box {
                    private static let columns: Fragment = "id, \(size) AS size"
                    private static let size: Fragment = "w * h"
                    let sides: [Int32]

                    static func page(_ names: [String], after: UUID?) -> Statement<Box> {
                        var conditions = [visible(at: "b.place")]
                        if !names.isEmpty { conditions.append("name = ANY (\(names))") }
                        let beyond: Fragment = if let after { "id > \(after)" } else { "true" }
                        return "SELECT \(columns) FROM b WHERE \(conditions.joined(separator: " AND ")) AND \(beyond)"
                    }

                    private static func visible(at place: Fragment) -> Fragment { "\(place) <> \(Place.nowhere.id)" }
                }
                """#)
        let survey = StatementSurvey([file], tables: StatementTables(exempt: [:], texts: [:], types: [:]))
        #expect(survey.complaints.isEmpty)
        #expect(
            survey.statements.map { $0.text.command("s") } == [
                "PREPARE s (unknown, text[], unknown) AS SELECT id, w * h AS size FROM b "
                    + "WHERE b.place <> $1 AND name = ANY ($2) AND id > $3",
                "PREPARE s (unknown, text[]) AS SELECT id, w * h AS size FROM b "
                    + "WHERE b.place <> $1 AND name = ANY ($2) AND true",
            ])
    }

    @Test func demandsTheColumnsOfRows() {
        let file = SwiftFile(
            path: "Shared/Box.swift",
            source: #"""
                struct Box: RowDecodable {
                    init(_ row: Row) throws {
                        (id, lid) = (try row["id"], try Lid(row))
                    }

                    static func all() -> Statement<Box> { "SELECT id FROM boxes" }
                }

                struct Lid: RowDecodable {
                    init(_ row: Row) throws { colour = try row["colour"] }
                }
                """#)
        let survey = StatementSurvey([file], tables: StatementTables(exempt: [:], texts: [:], types: [:]))
        #expect(survey.statements.map(\.columns) == [["id", "colour"]])
    }

    @Test func tellsOfWhatIsNotNeeded() {
        let file = SwiftFile(
            path: "Shared/Box.swift",
            source: #"""
                func lost() -> Fragment { "SELECT 1" }
                func begin() { run("BEGIN") }
                func first(_ text: Fragment) -> Command { "SELECT \(text)" }
                """#)
        let tables = StatementTables(
            exempt: ["BEGIN": "", "LOCK": ""], texts: [.init("Box.swift", "lid"): [""]],
            types: [.init("Box.swift", "sides"): "int4[]"])
        #expect(
            StatementSurvey([file], tables: tables).complaints == [
                #"Sources/Shared/Box.swift:3: no SQL was found for \(text)"#,
                "Sources/Shared/Box.swift:1: part of no statement",
                "StatementTables: nothing needs exempt LOCK", "StatementTables: nothing needs text Box.swift lid",
                "StatementTables: nothing needs type Box.swift sides",
            ])
    }
}
