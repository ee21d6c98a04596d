import Support
import Testing

@testable import Ingest

struct HostileBatchTests {
    private static let valid = #"""
        {"batch_id":"b\u00e9","metrics":[{"name":"a.b","value":-12.5e1,"ts":"2026-11-20T09:59:00.5Z","labels":
        {"till":"3","é\n":"x"}},{"name":"c","value":true,"ts":1795168740123,"labels":{}},[1,[2,{"x":null}]]],"z":[false]}
        """#

    @Test(arguments: [
        "", " ", "{", "}", "nul", "{]", "[}", #"{"metrics":[]"#, #"{"metrics":[}"#, #"{"metrics":[]}]"#,
        #"{"metrics":[]}}"#,
        #"{"metrics":[]} {}"#, #"{"metrics":[]} x"#, #"{"metrics":[],}"#, #"{"metrics" []}"#, #"{metrics:[]}"#,
        #"{"metrics":[{"name":"a","value":NaN}]}"#, #"{"metrics":[{"name":"a","value":Infinity}]}"#,
        #"{"metrics":[{"name":"a","value":-Infinity}]}"#, #"{"metrics":[{"name":"a","value":01}]}"#,
        #"{"metrics":[{"name":"a","value":+1}]}"#, #"{"metrics":[{"name":"a","value":.5}]}"#,
        #"{"metrics":[{"name":"a","value":1.}]}"#, #"{"metrics":[{"name":"a","value":1e}]}"#,
        #"{"metrics":[{"name":"a","value":0x10}]}"#, #"{"metrics":[{"name":"a","value":1 2}]}"#,
        #"{"metrics":[{"name":"a","value":tru}]}"#, #"{"metrics":[{"name":"a" "value":1}]}"#,
        #"{"metrics":[{"name":"a":1}]}"#, #"{"metrics":[{"name":"a"b}]}"#, #"{"metrics":[{"name":'a'}]}"#,
        #"{"metrics":[1,]}"#, #"{"metrics":[,1]}"#, #"{"metrics":[1 2]}"#, #"{"x":[1 2],"metrics":[]}"#,
        #"{"x":{"y":"z":1},"metrics":[]}"#, #"{"x":"\ud800","metrics":[]}"#, #"{"x":[01],"metrics":[]}"#,
        #"{"x":{"y":truth},"metrics":[]}"#, #"{"batch_id":"\q","metrics":[]}"#, #"{"\q":1,"metrics":[]}"#, "[1,2",
        "12x",
        "{\"x\":\"\u{1}\",\"metrics\":[]}", "{\"metrics\":[]}\u{0}", "/**/{}",
    ])
    func isNotJSON(_ text: String) {
        #expect(fault(text) == .notJSON)
    }

    @Test(arguments: [
        "{}", "[]", "null", "7", #""metrics""#, "true", #"{"metrics":null}"#, #"{"metrics":{}}"#, #"{"metrics":"x"}"#,
    ])
    func isJSONOfAnotherShape(_ text: String) {
        #expect(fault(text) == .notABatch)
    }

    @Test(
        arguments: [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80],
        ] as [[UInt8]])
    func isNotUTF8(_ bytes: [UInt8]) {
        let head = Array(#"{"metrics":[{"name":"a","value":1,"labels":{"k":""#.utf8)
        #expect(fault(head + bytes + Array(#""}}]}"#.utf8)) == .notJSON)
        #expect(fault(head + Array("é".utf8) + Array(#""}}]}"#.utf8)) == nil)
    }

    @Test(arguments: ["[", #"{"a":"#, #"[{"a":"#])
    func depthIsBounded(_ open: String) {
        let bomb = String(repeating: open, count: 100_000)
        let closing = String(open.compactMap { ["[": "]", "{": "}"][$0] }.reversed())
        let balanced = bomb + "1" + String(repeating: closing, count: 100_000)
        for body in [bomb, balanced, #"{"x":\#(balanced)}"#, #"{"metrics":\#(balanced)}"#] {
            let found = fault(body)
            #expect(found == .tooDeep || found == .notJSON)
        }
        #expect(fault(#"{"metrics":[{"value":\#(balanced)}]}"#) == .tooDeep)
        #expect(fault(#"{"metrics":[{"labels":{"k":\#(balanced)}}]}"#) == .tooDeep)
    }

    @Test func depthThatNobodyReadsIsStillAllowed() {
        func nested(_ depth: Int) -> String {
            #"{"metrics":[],"x":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
        }
        #expect(fault(nested(127)) == nil)
        #expect(fault(nested(128)) == .tooDeep)
    }

    @Test func rowsAreBounded() throws {
        let row = #"{"name":"a","value":1}"#
        let rows = Array(repeating: row, count: 10_001)
        #expect(try parse(#"{"metrics":[\#(rows.dropLast().joined(separator: ","))]}"#).count == 10_000)
        #expect(fault(#"{"metrics":[\#(rows.joined(separator: ","))]}"#) == .tooManyRows)
    }

    @Test func everyTruncationIsAnError() {
        let body = Array(Self.valid.utf8)
        #expect(fault(body) == nil)
        for length in 0..<body.count { #expect(fault(Array(body[..<length])) == .notJSON, "first \(length) bytes") }
    }

    /// What a parser kept of one body must not show in the next.
    @Test func parsersRememberNothing() throws {
        let pool = JSONParserPool(capacity: 1)
        let parser = MetricBatchParser(parsers: pool)
        let long = Array(
            #"{"metrics":[\#(Array(repeating: #"{"name":"zz","value":9}"#, count: 100).joined(separator: ","))]}"#.utf8)
        for length in stride(from: 0, to: long.count, by: 7) {
            _ = try? parser.parse(Array(long[..<length]), within: window)
            let batch = try parser.parse(Array(#"{"metrics":[{"name":"a","value":1}]}"#.utf8), within: window)
            #expect(batch.count == 1 && batch.processed == 1)
        }
        #expect(pool.idleCount == 1)
    }

    @Test func aParserGrownByALargeBodyIsLetGo() throws {
        let pool = JSONParserPool(capacity: 4, maxFootprint: 1 << 20)
        let parser = MetricBatchParser(parsers: pool)
        let large = #"{"x":"\#(String(repeating: "x", count: 1 << 20))","metrics":[]}"#
        _ = try parser.parse(Array(large.utf8), within: window)
        #expect(pool.idleCount == 0)
        _ = try parser.parse(Array(#"{"metrics":[]}"#.utf8), within: window)
        #expect(pool.idleCount == 1)
    }

    @Test func mutatedBodiesParseOrFail() {
        var random = SplitMix(state: 2026)
        let seed = Array(Self.valid.utf8)
        let spice = Array(#"{}[]:,"\u0eE+-.19tfn "#.utf8) + [0, 0x80, 0xFF, 0xC3]
        var good = 0
        for _ in 0..<4_000 {
            var body = seed
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<body.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: body[place] = spice[Int.random(in: 0..<spice.count, using: &random)]
                case 1: body.remove(at: place)
                case 2: body.insert(spice[Int.random(in: 0..<spice.count, using: &random)], at: place)
                default: body[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
            }
            guard let batch = try? metricParser.parse(body, within: window) else { continue }
            good += 1
            #expect(batch.count + batch.rejected.count == batch.processed)
            #expect(batch.values.allSatisfy { $0.isFinite })
            for series in batch.allSeries {
                let bytes = series.canonicalBytes
                #expect(bytes.withUnsafeBytes { SeriesIdentity(canonicalBytes: $0) } == series)
            }
        }
        #expect(good > 100, "mutations that leave JSON are needed too")
    }
}
