import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Shared
import Support
import Testing

@testable import Query

struct JSONFuzzTests {
    /// A body is taken if and only if it is a JSON object to the letter, not too deep, with text in each of its strings.
    @Test func bodies() async throws {
        let corpus = [
            #"{"email":"a@b.example","password":"x\u00e9\n","tenant":null,"tenant_id":7}"#,
            #" { "a" : { "b" : [ 1 , true ] } } "#, "{}",
        ]
        var fuzzer = Fuzzer("request body", corpus: corpus, mutations: .json, iterations: 1_500)
        while let bytes = fuzzer.next() {
            do {
                fuzzer.note(accepted: try await Self.check(bytes))
            } catch {
                throw fuzzer.failure(error)
            }
        }
        #expect(fuzzer.hasReached(100))
    }

    private static func check(_ bytes: [UInt8]) async throws -> Bool {
        let head = HTTPRequest(method: .post, scheme: "http", authority: "a", path: "/", headerFields: [:])
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(bytes: bytes)))
        let context = AnonymousRequestContext(
            source: ApplicationRequestContextSource(channel: EmbeddedChannel(), logger: .silent))
        let json = ReferenceJSON(bytes, maxDepth: StrictJSON.maxDepth)
        var body: JSONBody
        do {
            body = try await JSONBody(request, context)
        } catch let problem as Problem {
            try agree(problem.status, .badRequest, "refusal")
            if case .object? = json { try holds(json?.hasBrokenString == true, "a JSON object was refused") }
            return false
        }
        guard case .object(let members)? = json, json?.hasBrokenString == false else {
            throw Violation("taken, but no JSON object")
        }
        let names = Set(members.compactMap(\.name)).subtracting(["tenant_id"])
        for name in names where Dictionary(grouping: members, by: \.name)[name]?.count == 1 {
            if case .string(let text)? = json?[name] {
                try agree(body.text(name).map { Array($0.utf8) }, text.map { Array($0.utf8) }, "text")
            }
        }
        return true
    }

    /// Texts and numbers in answers: JSON, and read back as they were.
    @Test func answers() throws {
        let corpus = ["", "Café 😀", "a\"b\\c/\n\r\t\u{1}\u{7F}\u{2028}\u{0}"]
        var fuzzer = Fuzzer("answer", corpus: corpus, mutations: .json, iterations: 1_500)
        try fuzzer.run { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            let number = bytes.prefix(8).reduce(UInt64(bytes.count)) { $0 << 8 | UInt64($1) }
            var writer = JSONWriter()
            writer.array { array in
                array.element(text)
                array.element(Double(bitPattern: number))
            }
            guard case .array(let elements)? = ReferenceJSON(Array(writer.buffer.readableBytesView)),
                elements.count == 2
            else {
                throw Violation("no JSON: \(String(buffer: writer.buffer))")
            }
            try agree(elements[0], .string(text), "text")
            let double = Double(bitPattern: number)
            switch elements[1] {
            case .number(let written): try agree(ReferenceNumber(written).double, double, "number")
            default: try holds(!double.isFinite && elements[1] == .null, "\(double) is written as \(elements[1])")
            }
            return true
        }
    }

    @Test func steps() throws {
        let corpus = ["30", "0.5", "250ms", "5m", "1h", "1d", "1w"]
        var fuzzer = Fuzzer(
            "step", corpus: corpus, mutations: .text(["ms", "s", "m", "h", "d", "w", ".", "e9", "0"]), iterations: 3_000
        )
        try fuzzer.run { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            let form = /([0-9]+\.?[0-9]*|\.[0-9]+)(ms|s|m|h|d|w)?/
            let units = ["ms": 1e3, "s": 1e6, "m": 60e6, "h": 3_600e6, "d": 86_400e6, "w": 7 * 86_400e6]
            var expected: Int64?
            if let found = text.wholeMatch(of: form)?.output, bytes.allSatisfy({ $0 < 0x80 }),
                let number = Double(found.1)
            {
                let microseconds = (number * (found.2.flatMap { units[String($0)] } ?? 1e6)).rounded()
                if (1_000...366 * 86_400e6).contains(microseconds) { expected = Int64(microseconds) }
            }
            let step = Step(text)
            try agree(step?.microseconds, expected, "step")
            guard let step else { return false }
            for span in [Int64(0)..<0, 0..<1, -1..<1, -62_135_596_800_000_000..<253_402_300_799_999_999] {
                let touched = step.buckets(in: span)
                try holds(
                    touched >= 0
                        && (touched - 2).multipliedReportingOverflow(by: step.microseconds).partialValue < span
                            .upperBound - span.lowerBound,
                    "\(touched) buckets")
            }
            return true
        }
        #expect(fuzzer.hasReached(200))
    }
}
