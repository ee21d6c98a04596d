/// The types of parameters that PostgreSQL can't find itself, as far as the Swift around them tells: arrays, and values
/// whose initializer is spelt out.
extension SwiftSources {
    private static let types = [
        "Bool": "bool", "Int16": "int2", "Int32": "int4", "Int64": "int8", "Float": "float4", "Double": "float8",
        "String": "text", "UUID": "uuid", "Timestamp": "timestamptz", "[UInt8]": "bytea", "JSONB": "jsonb",
        "TenantID": "int4", "Quantity": "numeric", "Money": "numeric",
    ]

    /// PostgreSQL's type; nil where the source says nothing, or too much.
    func type(of expression: Expression) -> String? {
        guard let type = swiftType(of: expression.tokens, expression.scope) else { return nil }
        if let element = Self.element(of: type) { return Self.types[Self.unwrapped(element)].map { $0 + "[]" } }
        let isSpeltOut = expression.tokens.first?.word == type
        return isSpeltOut ? Self.types[type] : nil
    }

    private func swiftType(of tokens: [SwiftToken], _ scope: Scope, depth: Int = 3) -> String? {
        guard depth > 0 else { return nil }
        if tokens.suffix(4).text == ".sorted()" { return swiftType(of: tokens.dropLast(4), scope, depth: depth - 1) }
        let (words, end) = tokens.path(from: 0)
        if end == tokens.count { return type(of: words, scope, seenFrom: tokens.first?.line ?? 0, depth) }
        if words.count == 1, tokens[end].isSymbol("(") { return Self.types[words[0]] == nil ? nil : words[0] }
        let maps = ["map", "compactMap"]
        guard let map = tokens.indices.first(where: { maps.contains(tokens[$0].word ?? "") }), map > 1 else {
            return nil
        }
        if tokens.at(map + 1)?.isSymbol("(") == true {
            let base = swiftType(of: Array(tokens[..<(map - 1)]), scope, depth: depth - 1)
            let path = tokens[(map + 1)...].compactMap(\.word)
            let type = base.flatMap(Self.element).flatMap { member(path, of: $0, scope) }
            return (type ?? member(path.last ?? "", scope)).map { "[\($0)]" }
        }
        return tokens[(map + 1)...].compactMap(\.word).first { Self.types[$0] != nil }.map { "[\($0)]" }
    }

    /// Of a parameter, local or property, and its members.
    private func type(of words: [String], _ scope: Scope, seenFrom line: Int, _ depth: Int) -> String? {
        guard let first = words.first, let function = scope.function else { return nil }
        var type: String?
        if let parameter = function.parameters.first(where: { $0.name == first }) {
            type = parameter.type
        } else if let local = scope.file.givings(to: first, in: function, seenFrom: line).first {
            type = local.type ?? swiftType(of: Array(scope.file.tokens[local.value]), scope, depth: depth - 1)
        } else {
            type = first.first?.isUppercase == true ? first : member([first], of: function.owner, scope)
        }
        return words.count == 1 ? type : type.flatMap { member(Array(words.dropFirst()), of: $0, scope) }
    }

    private func member(_ path: [String], of type: String, _ scope: Scope) -> String? {
        var type = type
        for name in path {
            if name == "rawValue" { return "String" }
            let owner = Self.unwrapped(type).split(separator: ".").last.map(String.init)
            guard let next = unique(name, scope, where: { $0.owner == owner }) else { return nil }
            type = next
        }
        return type
    }

    /// Of whatever type, when all that have it agree.
    private func member(_ name: String, _ scope: Scope) -> String? {
        name == "rawValue" ? "String" : unique(name, scope) { _ in true }
    }

    /// - Returns: the type that all declarations of the name agree about: those of the file, else of the target, else all.
    private func unique(_ name: String, _ scope: Scope, where isMeant: (SwiftFile.Giving) -> Bool) -> String? {
        let target = scope.file.path.prefix { $0 != "/" } + "/"
        for files in [[scope.file], files.filter { $0.path.hasPrefix(target) }, files] {
            let members = files.flatMap { file in file.members(name).filter(isMeant).map { (file, $0) } }
            let types = Set(
                members.map { file, member in member.type ?? Self.type(begunBy: file.tokens[member.value]) })
            if !types.isEmpty { return types.count == 1 ? types.first ?? nil : nil }
        }
        return nil
    }

    /// Of a property without a type that begins with `false`, or as in `UUID.v7()`.
    private static func type(begunBy value: ArraySlice<SwiftToken>) -> String? {
        guard let word = value.first?.word else { return nil }
        return ["true", "false"].contains(word) ? "Bool" : types[word] == nil ? nil : word
    }

    private static func element(of type: String) -> String? {
        guard type.hasPrefix("["), type.hasSuffix("]"), types[type] == nil else { return nil }
        return String(type.dropFirst().dropLast())
    }

    private static func unwrapped(_ type: String) -> String { type.hasSuffix("?") ? String(type.dropLast()) : type }
}
