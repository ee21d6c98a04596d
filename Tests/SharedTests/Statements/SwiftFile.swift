import Foundation

/// A source file: its functions and declarations, found without understanding the rest.
struct SwiftFile {
    struct Parameter {
        let label: String
        let name: String
        let type: String
        let standard: [SwiftToken]
    }

    /// A function, an initializer or a computed property.
    struct Function {
        let name: String
        /// The type or extension around it.
        let owner: String
        let parameters: [Parameter]
        let returns: String
        let body: Range<Int>
    }

    /// What is given to a name: at its declaration, by `=` or `+=`, or by `append`.
    struct Giving {
        let name: String
        /// The type or extension around it.
        let owner: String
        let isDeclaration: Bool
        let type: String?
        let value: Range<Int>
        let at: Int
    }

    /// Below `Sources/`.
    let path: String
    let tokens: [SwiftToken]
    private(set) var functions: [Function] = []
    private(set) var givings: [Giving] = []
    private var types: [(name: String, body: Range<Int>)] = []

    /// Without its folders.
    var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    init(path: String, source: String) {
        self.path = path
        tokens = SwiftLexer.tokens(of: source)
        for index in tokens.indices { note(typeAt: index) }
        for index in tokens.indices {
            note(functionAt: index)
            note(givingAt: index)
        }
    }

    static func all(below folder: URL) throws -> [SwiftFile] {
        let files = (FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []).sorted()
        return try files.filter { $0.hasSuffix(".swift") }.map { path in
            SwiftFile(path: path, source: try String(contentsOf: folder.appending(path: path), encoding: .utf8))
        }
    }

    /// The innermost around a token.
    func function(around index: Int) -> Function? {
        functions.filter { $0.body.contains(index) }.min { $0.body.count < $1.body.count }
    }

    /// The last declaration of a local name before `line`, and what is given to it afterwards.
    func givings(to name: String, in function: Function, seenFrom line: Int) -> [Giving] {
        let all = givings.filter { $0.name == name && function.body.contains($0.at) }
        guard let start = all.lastIndex(where: { $0.isDeclaration && tokens[$0.at].line < line }) else { return [] }
        return [all[start]] + all[(start + 1)...].prefix { !$0.isDeclaration }
    }

    /// Declarations outside of functions.
    func members(_ name: String) -> [Giving] {
        givings.filter { $0.name == name && $0.isDeclaration && function(around: $0.at) == nil }
    }
}

extension SwiftFile {
    private func owner(of index: Int) -> String {
        types.filter { $0.body.contains(index) }.min { $0.body.count < $1.body.count }?.name ?? ""
    }

    private func body(openedAt index: Int) -> Range<Int> { (index + 1)..<tokens.closing(index) }

    private mutating func note(typeAt index: Int) {
        guard let word = tokens[index].word, ["struct", "enum", "class", "actor", "extension"].contains(word),
            let name = tokens.at(index + 1)?.word,
            let open = tokens[index...].firstIndex(where: { $0.isSymbol("{") })
        else { return }
        types.append((name, body(openedAt: open)))
    }

    private mutating func note(functionAt index: Int) {
        switch tokens[index].word {
        case "func": break
        case "init": if tokens.at(index - 1)?.isSymbol(".") == true { return }
        case "var": return note(computedPropertyAt: index)
        default: return
        }
        let isInit = tokens[index].word == "init"
        guard let open = tokens[index...].firstIndex(where: { $0.isSymbol("(") }) else { return }
        let close = tokens.closing(open)
        let ends = tokens[close...].firstIndex { token in
            token.isSymbol("{}") || ["func", "init", "var", "let"].contains(token.word)
        }
        guard let brace = ends, tokens[brace].isSymbol("{") else { return }
        let head = Array(tokens[(close + 1)..<brace].prefix { $0.word != "where" })
        let arrow = head.indices.first { head[$0].isSymbol(">") && head.at($0 - 1)?.isSymbol("-") == true }
        functions.append(
            Function(
                name: isInit ? "init" : tokens.at(index + 1)?.word ?? "", owner: owner(of: index),
                parameters: Array(tokens[(open + 1)..<close]).splitByCommas().map(Self.parameter),
                returns: arrow.map { head[($0 + 1)...].text } ?? "", body: body(openedAt: brace)))
    }

    private mutating func note(computedPropertyAt index: Int) {
        guard let name = tokens.at(index + 1)?.word, tokens.at(index + 2)?.isSymbol(":") == true else { return }
        let end = tokens[(index + 3)...].firstIndex { $0.isSymbol("{=}") || $0.beginsLine }
        guard let end, tokens[end].isSymbol("{"), !tokens[end].beginsLine else { return }
        functions.append(
            Function(
                name: name, owner: owner(of: index), parameters: [], returns: tokens[(index + 3)..<end].text,
                body: body(openedAt: end)))
    }

    private static func parameter(_ tokens: [SwiftToken]) -> Parameter {
        let colon = tokens.firstIndex { $0.isSymbol(":") } ?? tokens.endIndex
        let equals = tokens.firstIndex { $0.isSymbol("=") } ?? tokens.endIndex
        let names = tokens[..<colon].compactMap(\.word)
        return Parameter(
            label: names.first ?? "", name: names.last ?? "", type: tokens[colon..<equals].dropFirst().text,
            standard: Array(tokens[equals...].dropFirst()))
    }

    private mutating func note(givingAt index: Int) {
        guard let name = tokens[index].word, let after = tokens.at(index + 1) else { return }
        let isDeclaration = ["let", "var"].contains(tokens.at(index - 1)?.word)
        if isDeclaration, after.isSymbol(":") {
            let end = tokens[(index + 2)...].firstIndex { $0.isSymbol("={}") || $0.beginsLine } ?? tokens.endIndex
            let type = tokens[(index + 2)..<end].text
            let hasValue = tokens.at(end)?.isSymbol("=") == true
            note(name, index, type, hasValue ? tokens.expression(from: end + 1) : index..<index)
        } else if isDeclaration || tokens[index].beginsLine, after.isSymbol("="),
            tokens.at(index + 2)?.isSymbol("=") == false
        {
            note(name, index, isDeclaration: isDeclaration, nil, tokens.expression(from: index + 2))
        } else if after.isSymbol("+"), tokens.at(index + 2)?.isSymbol("=") == true {
            note(name, index, isDeclaration: false, nil, tokens.expression(from: index + 3))
        } else if after.isSymbol("."), tokens.at(index + 2)?.word == "append",
            tokens.at(index + 3)?.isSymbol("(") == true
        {
            note(name, index, isDeclaration: false, nil, (index + 4)..<tokens.closing(index + 3))
        }
    }

    private mutating func note(
        _ name: String, _ index: Int, isDeclaration: Bool = true, _ type: String?, _ value: Range<Int>
    ) {
        givings.append(
            Giving(
                name: name, owner: owner(of: index), isDeclaration: isDeclaration, type: type, value: value, at: index))
    }
}
