/// Every source file, and what a name in one of them stands for when it stands for SQL.
struct SwiftSources {
    /// Where a piece of source stands, and what its function's fragments were called with.
    final class Scope {
        let file: SwiftFile
        let function: SwiftFile.Function?
        let arguments: [String: Expression]

        init(_ file: SwiftFile, _ function: SwiftFile.Function?, arguments: [String: Expression] = [:]) {
            self.file = file
            self.function = function
            self.arguments = arguments
        }
    }

    struct Expression {
        let tokens: [SwiftToken]
        let scope: Scope

        var line: Int { tokens.first?.line ?? 0 }
    }

    /// What an expression of type `Fragment` comes to.
    struct Meaning {
        let literals: [(SwiftLiteral, Scope)]
        /// Nil: one of the literals, as the moment wants it. Otherwise all of them, with this between.
        let separator: String?
    }

    let files: [SwiftFile]
    private let functions: [String: [(SwiftFile, SwiftFile.Function)]]

    init(_ files: [SwiftFile]) {
        self.files = files
        let makers = files.flatMap { file in
            file.functions.filter { $0.returns == "Fragment" || $0.returns == "[Fragment]" }.map { (file, $0) }
        }
        functions = Dictionary(grouping: makers, by: \.1.name)
    }

    /// - Returns: nil for a value, which becomes a parameter.
    func meaning(of expression: Expression) -> Meaning? {
        var tokens = expression.tokens[...]
        if tokens.first?.word == "fragment", tokens.at(1)?.isSymbol(":") == true { tokens = tokens.dropFirst(2) }
        if tokens.count > 6, tokens.at(tokens.endIndex - 6)?.word == "joined",
            tokens.at(tokens.endIndex - 4)?.word == "separator", let separator = tokens.at(tokens.endIndex - 2)?.literal
        {
            let list = Expression(tokens: Array(tokens.dropLast(7)), scope: expression.scope)
            return Meaning(literals: literals(of: list), separator: separator.outline)
        }
        let whole = Expression(tokens: Array(tokens), scope: expression.scope)
        return isFragment(whole) ? Meaning(literals: literals(of: whole), separator: nil) : nil
    }

    private func isFragment(_ expression: Expression) -> Bool {
        let (tokens, scope) = (expression.tokens, expression.scope)
        let (words, end) = tokens.path(from: 0)
        guard let name = words.last else { return false }
        if end < tokens.count {
            return tokens[end].isSymbol("(") && tokens.closing(end) == tokens.count - 1 && maker(words, scope) != nil
        }
        if words.count == 1, let function = scope.function {
            if let parameter = function.parameters.first(where: { $0.name == name }) {
                return parameter.type == "Fragment"
            }
            if let local = scope.file.givings(to: name, in: function, seenFrom: expression.line).first {
                let value = Expression(tokens: Array(scope.file.tokens[local.value]), scope: scope)
                return local.type == "Fragment" || (local.type == nil && isFragment(value))
            }
        }
        return members(words, scope).contains { $0.1.type == "Fragment" }
    }

    /// The function that a path names.
    private func maker(_ words: [String], _ scope: Scope) -> (SwiftFile, SwiftFile.Function)? {
        let found = words.last.flatMap { functions[$0] } ?? []
        let near = found.filter { file, function in
            words.count == 1 || words[0] == "Self"
                ? file.path == scope.file.path : function.owner == words[words.count - 2]
        }
        if let only = near.first, near.count == 1 { return only }
        return found.count == 1 ? found.first : nil
    }

    private func members(_ words: [String], _ scope: Scope) -> [(SwiftFile, SwiftFile.Giving)] {
        guard let name = words.last else { return [] }
        let near = scope.file.members(name).map { (scope.file, $0) }
        if words.count == 1 || words[0] == "Self", !near.isEmpty { return near }
        return files.flatMap { file in
            file.members(name).filter { $0.type == "Fragment" }.map { (file, $0) }
        }
    }
}

extension SwiftSources {
    /// The literals in an expression, followed through names and calls.
    private func literals(of expression: Expression) -> [(SwiftLiteral, Scope)] {
        let (tokens, scope) = (expression.tokens, expression.scope)
        var found: [(SwiftLiteral, Scope)] = []
        var place = 0
        while place < tokens.count {
            if let literal = tokens[place].literal { found.append((literal, scope)) }
            let (words, end) = tokens.path(from: place)
            guard !words.isEmpty else {
                place += 1
                continue
            }
            if tokens.at(end)?.isSymbol("(") == true, let (file, function) = maker(words, scope) {
                let call = Expression(tokens: Array(tokens[(end + 1)..<tokens.closing(end)]), scope: scope)
                found += results(of: function, in: file, calledWith: call)
                place = tokens.closing(end) + 1
            } else {
                if place == 0, end == tokens.count { found += literals(named: words, scope, seenFrom: expression.line) }
                place = end
            }
        }
        return found
    }

    private func literals(named words: [String], _ scope: Scope, seenFrom line: Int) -> [(SwiftLiteral, Scope)] {
        if words.count == 1, let function = scope.function {
            if function.parameters.contains(where: { $0.name == words[0] }) {
                return scope.arguments[words[0]].map(literals) ?? []
            }
            let givings = scope.file.givings(to: words[0], in: function, seenFrom: line)
            if !givings.isEmpty {
                return givings.flatMap { giving in
                    literals(of: Expression(tokens: Array(scope.file.tokens[giving.value]), scope: scope))
                }
            }
        }
        return members(words, scope).flatMap { file, giving in
            literals(of: Expression(tokens: Array(file.tokens[giving.value]), scope: Scope(file, nil)))
        }
    }

    /// What a function returns: what follows `return`, or its whole body.
    private func results(
        of function: SwiftFile.Function, in file: SwiftFile, calledWith call: Expression
    ) -> [(SwiftLiteral, Scope)] {
        var arguments: [String: Expression] = [:]
        let given = call.tokens.splitByCommas()
        for (index, parameter) in function.parameters.enumerated() where parameter.type == "Fragment" {
            let labelled = given.first { $0.first?.word == parameter.label && $0.at(1)?.isSymbol(":") == true }
            let tokens = labelled.map { Array($0.dropFirst(2)) } ?? given.at(index) ?? parameter.standard
            arguments[parameter.name] = Expression(tokens: tokens, scope: call.scope)
        }
        let scope = Scope(file, function, arguments: arguments)
        let returns = function.body.filter { file.tokens[$0].word == "return" }
        let values = returns.isEmpty ? [function.body] : returns.map { file.tokens.expression(from: $0 + 1) }
        return values.flatMap { literals(of: Expression(tokens: Array(file.tokens[$0]), scope: scope)) }
    }
}

extension Array {
    fileprivate func at(_ index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
