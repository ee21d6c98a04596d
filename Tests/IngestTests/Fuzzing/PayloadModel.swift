import Support

@testable import Ingest

/// What is kept of a payload, and what becomes samples.
enum PayloadModel {
    /// Members by name, numbers by value: what a payload says, however it is written.
    indirect enum Meaning: Equatable {
        case null
        case boolean(Bool)
        case number(ReferenceNumber)
        case string([UInt8])
        case array([Meaning])
        case object([[UInt8]: Meaning])

        init(_ json: ReferenceJSON) {
            switch json {
            case .null: self = .null
            case .boolean(let flag): self = .boolean(flag)
            case .number(let text): self = .number(ReferenceNumber(text))
            case .string(let text): self = .string(Array((text ?? "").utf8))
            case .array(let elements): self = .array(elements.map(Meaning.init))
            case .object(let members):
                self = .object(
                    Dictionary(members.map { (Array(($0.name ?? "").utf8), Meaning($0.value)) }) { _, last in last })
            }
        }
    }

    /// The canonical text says what the payload said, and is itself canonical.
    static func check(_ canonical: String, against json: ReferenceJSON) throws {
        guard let parsed = ReferenceJSON(Array(canonical.utf8)) else { throw Violation("\(canonical) is no JSON") }
        try agree(Meaning(parsed), Meaning(json), "payload")
        try holds(canonical.utf8.count <= UplinkPayload.maxBytes, "\(canonical.utf8.count) bytes of payload")
        let faults = faults(of: parsed).subtracting(["tooLong"]) // which is said too soon
        try holds(faults.isEmpty, "\(faults) in what is kept")
        try agree(try recanonical(canonical), canonical, "canonical form of a canonical form")
    }

    /// Every fault that there is; which of several is found first is the parser's business.
    static func faults(of json: ReferenceJSON) -> Set<String> {
        var faults: Set<String> = []
        look(json, depth: 0, &faults)
        if size(json) > UplinkPayload.maxBytes { faults.insert("tooLong") }
        return faults
    }

    private static func look(_ json: ReferenceJSON, depth: Int, _ faults: inout Set<String>) {
        switch json {
        case .number(let text):
            let number = ReferenceNumber(text)
            let isKept = number.digits.isEmpty || (number.digits.count <= 1_000 && (-330...310).contains(number.point))
            if !number.double.isFinite || !isKept { faults.insert("numberOutOfRange") }
        case .string(let text): look(text, &faults)
        case .array(let elements):
            if depth >= UplinkPayload.maxDepth { return _ = faults.insert("tooDeep") }
            for element in elements { look(element, depth: depth + 1, &faults) }
        case .object(let members):
            if depth >= UplinkPayload.maxDepth { return _ = faults.insert("tooDeep") }
            for (name, value) in members {
                look(name, &faults)
                look(value, depth: depth + 1, &faults)
            }
        case .null, .boolean: break
        }
    }

    private static func look(_ text: String?, _ faults: inout Set<String>) {
        guard let text else { return _ = faults.insert("brokenString") }
        if text.utf8.contains(0) { faults.insert("nulCharacter") }
    }

    /// Bytes, roughly and not too few: as written, escapes at their longest.
    private static func size(_ json: ReferenceJSON) -> Int {
        switch json {
        case .null, .boolean: 5
        case .number(let text): text.utf8.count + 330
        case .string(let text): (text ?? "").utf8.count * 6 + 2
        case .array(let elements): elements.reduce(2) { $0 + size($1) + 1 }
        case .object(let members): members.reduce(2) { $0 + ($1.name ?? "").utf8.count * 6 + 4 + size($1.value) }
        }
    }

    static func recanonical(_ text: String) throws -> String {
        try Array(text.utf8).withUnsafeBytes { bytes in
            let parser = JSONParser()
            return try UplinkPayload(try parser.tree(bytes, maxNodes: 100_000)).json
        }
    }

    /// Numbers and booleans in the order of their names' bytes, each name once.
    static func leaves(of json: ReferenceJSON) -> (kept: [Uplink.Leaf], dropped: Int) {
        var all: [(path: [String], value: Double)] = []
        collect(json, [], &all)
        var kept: [Uplink.Leaf] = []
        for (path, value) in all {
            guard kept.count < 64, let name = name(path), !kept.contains(where: { $0.name == name }) else { continue }
            kept.append(Uplink.Leaf(name: name, value: value))
        }
        return (kept, all.count - kept.count)
    }

    private static func collect(_ json: ReferenceJSON, _ path: [String], _ all: inout [(path: [String], value: Double)])
    {
        switch json {
        case .boolean(let flag): all.append((path, flag ? 1 : 0))
        case .number(let text): all.append((path, ReferenceNumber(text).double))
        case .array(let elements):
            for (place, element) in elements.enumerated() { collect(element, path + ["\(place)"], &all) }
        case .object(let members):
            var last: [[UInt8]: ReferenceJSON] = [:]
            for (name, value) in members { last[Array((name ?? "").utf8)] = value }
            for (name, value) in last.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                collect(value, path + [String(decoding: name, as: UTF8.self)], &all)
            }
        case .null, .string: break
        }
    }

    private static func name(_ path: [String]) -> String? {
        guard !path.contains("") else { return nil }
        let allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789.:/-".unicodeScalars
        var name = ""
        for scalar in path.joined(separator: ".").unicodeScalars {
            name.unicodeScalars.append(allowed.contains(scalar) ? scalar : "_")
        }
        if !MetricBatchModel.isName(name, .max) { name = "_" + name }
        return name.utf8.count <= 128 ? name : nil
    }
}
