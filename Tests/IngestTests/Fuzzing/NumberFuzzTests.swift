import CSimdjson
import Support
import Testing

@testable import Ingest

/// Numbers: what is one, its double, its microseconds and its one spelling.
struct NumberFuzzTests {
    private let parser = JSONParser()

    @Test func numbersAreReadAsTheModelSays() throws {
        let corpus = [
            "0", "-12.5e1", "1795168740123.4567", "0.1000000000000000055511151231257827",
            "123456789012345678901234567890",
            "1.7976931348623157e308", "4.9406564584124654e-324", "9007199254740993", "0.00000000000000000001e25", "8.5",
            "1E+2",
            "1e-9223372036854775808", "-1e-400",
        ]
        let pieces = HostileNumbers.pieces + (0...9).map(String.init)
        var fuzzer = Fuzzer("JSON number", corpus: corpus, mutations: .text(pieces), iterations: 4_000)
        try fuzzer.run { try check($0) }
        #expect(fuzzer.hasReached(500))
    }

    private func check(_ text: [UInt8]) throws -> Bool {
        let reference = ReferenceJSON(Array("[".utf8) + text + Array("]".utf8))
        guard case .array(let elements)? = reference, elements.count == 1, case .number(let written) = elements[0]
        else {
            return false // another fuzzer's business
        }
        let model = ReferenceNumber(written)
        return try (Array("[".utf8) + text + Array("]".utf8)).withUnsafeBytes { bytes in
            let node = try parser.tree(bytes, maxNodes: 10).children.map { $0 }[0]
            if model.double.isFinite {
                try agree(node.double?.bitPattern, model.double.bitPattern, "double")
                try agree(node.epochMicroseconds, model.thousandfold, "epoch milliseconds")
                try checkSpelling(node, model)
            } else {
                try holds(node.kind == .overflow, "an overflow is told from a number")
            }
            return true
        }
    }

    private func checkSpelling(_ node: JSONNode, _ model: ReferenceNumber) throws {
        var spelling: [UInt8] = []
        guard CanonicalNumber.append(node.text, to: &spelling) else {
            try holds(spelling.isEmpty, "nothing is written of what is refused")
            return try holds(model.digits.count > 1_000 || !(-330...310).contains(model.point), "refused for no reason")
        }
        let text = String(decoding: spelling, as: UTF8.self)
        try agree(ReferenceNumber(text), model, "value of \(text)")
        var again: [UInt8] = []
        _ = spelling.withUnsafeBufferPointer { CanonicalNumber.append($0, to: &again) }
        try agree(String(decoding: again, as: UTF8.self), text, "spelling of a spelling")
    }
}

private enum HostileNumbers {
    static let pieces = [
        ".", "e", "E", "e+", "e-", "-", "e308", "e-308", "e309", "e-324", "e-400", "e400000", "e-400000",
        "e9223372036854775807", "e-9223372036854775807", "e-9223372036854775808", "e-9223372036854775809",
        "e4294967296",
        "e-4294967296", "e0000000000000000000000000001", "00000000000000000000", "99999999999999999999",
        String(repeating: "0", count: 330), String(repeating: "9", count: 1_000),
    ]
}
