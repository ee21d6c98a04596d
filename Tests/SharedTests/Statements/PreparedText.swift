/// A statement's text as the client would send it, once for each way its fragments can come out.
struct PreparedText {
    private(set) var sql = ""
    /// PostgreSQL's types; `unknown` where it finds them itself.
    private(set) var types: [String] = []
    /// How many ways there are at the place that has most of them.
    private(set) var ways = 1
    /// Expressions that are fragments of which no text was found.
    private(set) var unresolved: [String] = []
    /// The fragments' literals, by file and line.
    private(set) var spliced: Set<String> = []

    private let way: Int

    /// - Parameter way: which of each place's alternatives, counted round.
    init(
        _ literal: SwiftLiteral, _ scope: SwiftSources.Scope, way: Int, _ sources: SwiftSources,
        _ tables: inout StatementTables
    ) {
        self.way = way
        append(literal, scope, sources, &tables)
    }

    func command(_ name: String) -> String {
        "PREPARE \(name)" + (types.isEmpty ? "" : " (\(types.joined(separator: ", ")))") + " AS " + sql
    }

    private mutating func append(
        _ literal: SwiftLiteral, _ scope: SwiftSources.Scope, _ sources: SwiftSources, _ tables: inout StatementTables
    ) {
        for part in literal.parts {
            switch part {
            case .text(let text): sql += text
            case .interpolation(let source, let tokens):
                if let texts = tables.texts(for: source, in: scope.file) {
                    sql += choose(texts)
                    continue
                }
                let expression = SwiftSources.Expression(tokens: tokens, scope: scope)
                guard let meaning = sources.meaning(of: expression) else {
                    types.append(tables.type(of: expression, source, sources) ?? "unknown")
                    sql += "$\(types.count)"
                    continue
                }
                append(meaning, source, sources, &tables)
            }
        }
    }

    private mutating func append(
        _ meaning: SwiftSources.Meaning, _ source: String, _ sources: SwiftSources, _ tables: inout StatementTables
    ) {
        guard !meaning.literals.isEmpty else { return unresolved.append(source) }
        guard let separator = meaning.separator else { return splice(choose(meaning.literals), sources, &tables) }
        for (index, literal) in meaning.literals.enumerated() {
            if index > 0 { sql += separator }
            splice(literal, sources, &tables)
        }
    }

    private mutating func splice(
        _ found: (SwiftLiteral, SwiftSources.Scope), _ sources: SwiftSources, _ tables: inout StatementTables
    ) {
        let (literal, scope) = found
        spliced.insert("\(scope.file.path):\(literal.line)")
        append(literal, scope, sources, &tables)
    }

    private mutating func choose<Choice>(_ choices: [Choice]) -> Choice {
        ways = max(ways, choices.count)
        return choices[way % choices.count]
    }
}
