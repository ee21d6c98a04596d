import Foundation

/// The columns that a statement's rows are asked for by name.
struct RowColumns {
    private struct Decoder {
        let path: String
        let type: String
        let columns: Set<String>
        /// Other types made from the same row.
        let parts: [String]
    }

    private let decoders: [Decoder]

    init(_ files: [SwiftFile]) {
        decoders = files.flatMap { file in
            file.functions.filter { $0.name == "init" && $0.parameters.map(\.type) == ["Row"] }.map { initializer in
                Self.decoder(initializer, file)
            }
        }
    }

    private static func decoder(_ initializer: SwiftFile.Function, _ file: SwiftFile) -> Decoder {
        var (columns, parts): (Set<String>, [String]) = ([], [])
        for index in initializer.body where file.tokens[index].word == initializer.parameters[0].name {
            if file.tokens.at(index + 1)?.isSymbol("[") == true, let name = file.tokens.at(index + 2)?.literal {
                columns.insert(name.outline)
            } else if file.tokens[index - 1].isSymbol("("), let type = file.tokens[index - 2].word {
                parts.append(type)
            }
        }
        return Decoder(path: file.path, type: initializer.owner, columns: columns, parts: parts)
    }

    /// What the literal at `index` has to return, by the type that its surroundings give it.
    func demanded(ofLiteralAt index: Int, in file: SwiftFile) -> Set<String> {
        let names = Self.output(ofLiteralAt: index, in: file).flatMap { $0.split(separator: ".").last.map(String.init) }
        return names.map { demanded(by: $0, in: file.path) } ?? []
    }

    private func demanded(by type: String, in path: String) -> Set<String> {
        let all = decoders.filter { $0.type == type }
        let near = all.filter { $0.path == path }
        let found = near.isEmpty ? all : near
        guard let decoder = found.first, found.count == 1 else { return [] }
        return decoder.parts.reduce(decoder.columns) { $0.union(demanded(by: $1, in: decoder.path)) }
    }

    /// `as Statement<Output>`, a function's `-> Statement<Output>`, or `let rows: [Output] =` around it.
    private static func output(ofLiteralAt index: Int, in file: SwiftFile) -> String? {
        func output(of type: String) -> String? {
            let isStatement = type.hasPrefix("Statement<") && type.hasSuffix(">")
            return isStatement ? String(type.dropFirst(10).dropLast()) : nil
        }
        if file.tokens.at(index + 1)?.word == "as" {
            return output(of: file.tokens[(index + 2)...].prefix { !$0.isSymbol("),") }.text)
        }
        if let given = file.givings.last(where: { $0.isDeclaration && $0.value.contains(index) }), let type = given.type
        {
            return type.trimmingCharacters(in: ["[", "]", "?"])
        }
        return file.function(around: index).flatMap { output(of: $0.returns) }
    }
}
