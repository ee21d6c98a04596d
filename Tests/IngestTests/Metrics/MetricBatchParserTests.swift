import Postgres
import Testing

@testable import Ingest

struct MetricBatchParserTests {
    @Test func readsTheDocumentedExample() throws {
        let batch = try parse(
            #"""
            {"batch_id": "b-1",
             "metrics": [{"name": "pos.sales_total", "value": 12.5, "ts": "2026-11-20T09:59:00.123Z",
                          "labels": {"till": "3"}}]}
            """#)
        #expect(batch.batchID == "b-1")
        #expect(batch.processed == 1)
        #expect(batch.values == [12.5])
        #expect(batch.microseconds == [1_795_168_740_123_000])
        #expect(batch.positions == [0])
        #expect(batch.series(0) == SeriesIdentity(metric: "pos.sales_total", labels: [.init(key: "till", value: "3")]))
        #expect(batch.everyRowHasOwnTime)
        #expect(batch.rejected.isEmpty)
    }

    @Test func badRowsDoNotSpoilGoodOnes() throws {
        let batch = try parse(
            rows: #"{"name":"a","value":1}"#, #"{"name":"b","value":1e400}"#, #"{"name":"\ud800","value":1}"#, "7",
            #"{"name":"c","value":2}"#)
        #expect(batch.processed == 5)
        #expect(batch.positions == [0, 4])
        #expect(batch.values == [1, 2])
        #expect(batch.allSeries.map(\.metric) == ["a", "c"])
        #expect(
            batch.rejected == [
                RowRejection(index: 1, code: .valueNotFinite), RowRejection(index: 2, code: .stringInvalid),
                RowRejection(index: 3, code: .rowNotObject),
            ])
    }

    @Test(arguments: [
        ("1", 1.0), ("-0.5", -0.5), ("true", 1), ("false", 0), ("1e3", 1000), ("1e-400", 0), ("0", 0),
        ("123456789012345678901234567890", 1.234567890123456789e29),
        ("1.7976931348623157e308", .greatestFiniteMagnitude),
        ("18446744073709551615", 18_446_744_073_709_551_616), ("0.1", 0.1), ("5e-324", .leastNonzeroMagnitude),
    ])
    func takesValues(_ text: String, _ value: Double) throws {
        #expect(try parse(rows: #"{"name":"a","value":\#(text)}"#).values == [value])
    }

    @Test(arguments: [
        (#"{"name":"a"}"#, RowRejection.Code.valueInvalid), (#"{"name":"a","value":null}"#, .valueInvalid),
        (#"{"name":"a","value":"1"}"#, .valueInvalid), (#"{"name":"a","value":[1]}"#, .valueInvalid),
        (#"{"name":"a","value":{}}"#, .valueInvalid), (#"{"name":"a","value":-1e400}"#, .valueNotFinite),
        (#"{"value":1}"#, .nameInvalid), (#"{"name":7,"value":1}"#, .nameInvalid),
        (#"{"name":"","value":1}"#, .nameInvalid), (#"{"name":"9a","value":1}"#, .nameInvalid),
        (#"{"name":"a b","value":1}"#, .nameInvalid), (#"{"name":"é","value":1}"#, .nameInvalid),
        (#"{"name":"a\u0000","value":1}"#, .nameInvalid), (#"{"name":".a","value":1}"#, .nameInvalid),
        (#"{"name":"a","value":1,"labels":[]}"#, .labelsInvalid),
        (#"{"name":"a","value":1,"labels":"x"}"#, .labelsInvalid),
        (#"{"name":"a","value":1,"labels":{"k":1}}"#, .labelsInvalid),
        (#"{"name":"a","value":1,"labels":{"k":true}}"#, .labelsInvalid),
        (#"{"name":"a","value":1,"labels":{"k":null}}"#, .labelsInvalid),
        (#"{"name":"a","value":1,"labels":{"k":{"x":"y"}}}"#, .labelsInvalid),
        (#"{"name":"a","value":1,"labels":{"k":"1","k":"1"}}"#, .labelsInvalid),
        (#"{"name":"a","value":1,"labels":{"k":"1","j":"0","k":"2"}}"#, .labelsInvalid),
        (#"{"name":"a","value":1,"labels":{"":"1"}}"#, .labelKeyInvalid),
        (#"{"name":"a","value":1,"labels":{"a b":"1"}}"#, .labelKeyInvalid),
        (#"{"name":"a","value":1,"labels":{"k":"x\u0000y"}}"#, .nulCharacter),
        (#"{"name":"a","value":1,"labels":{"k":"\udc00"}}"#, .stringInvalid),
        (#"{"name":"a","value":1,"labels":{"\ud83d":"x"}}"#, .stringInvalid),
        (#"{"name":"a","value":1,"note":"\q"}"#, .stringInvalid),
        (#"{"name":"a","value":1,"note":[{"x":["\ud83d\u0041"]}]}"#, .stringInvalid),
        (#"[]"#, .rowNotObject), ("null", .rowNotObject), (#""a""#, .rowNotObject),
    ])
    func rejects(_ row: String, _ expected: RowRejection.Code) throws {
        #expect(try code(row) == expected)
    }

    @Test func namesAndLabelsHaveTheirBounds() throws {
        let letters = String(repeating: "x", count: 300)
        #expect(try code(#"{"name":"\#(letters.prefix(128))","value":1}"#) == nil)
        #expect(try code(#"{"name":"\#(letters.prefix(129))","value":1}"#) == .nameInvalid)
        #expect(try code(#"{"name":"a","value":1,"labels":{"\#(letters.prefix(64))":""}}"#) == nil)
        #expect(try code(#"{"name":"a","value":1,"labels":{"\#(letters.prefix(65))":""}}"#) == .labelKeyInvalid)
        #expect(try code(#"{"name":"a","value":1,"labels":{"k":"\#(letters.prefix(256))"}}"#) == nil)
        #expect(try code(#"{"name":"a","value":1,"labels":{"k":"\#(letters.prefix(257))"}}"#) == .labelValueTooLong)
        let accents = String(repeating: "é", count: 129)
        #expect(try code(#"{"name":"a","value":1,"labels":{"k":"\#(accents)"}}"#) == .labelValueTooLong)
        let labels = (0..<17).map { #""k\#($0)":"v""# }
        #expect(try code(#"{"name":"a","value":1,"labels":{\#(labels.prefix(16).joined(separator: ","))}}"#) == nil)
        #expect(try code(#"{"name":"a","value":1,"labels":{\#(labels.joined(separator: ","))}}"#) == .tooManyLabels)
    }

    @Test func everyCharacterOfANameIsJudged() {
        let lead = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_".utf8)
        let member = lead.union("0123456789.:/-".utf8)
        for byte in UInt8.min ... .max {
            #expect(MetricName.isLead(byte) == lead.contains(byte))
            #expect(MetricName.isMember(byte) == member.contains(byte))
        }
    }

    @Test func theLastOfSeveralMembersCounts() throws {
        let batch = try parse(
            #"""
            {"batch_id":"x","metrics":[{"name":"old","value":1}],"batch_id":"y","metrics":
             [{"name":"a","value":"no","value":2,"n\u0061me":"b","labels":{"k":"1"},"labels":{"j":"2"}}]}
            """#)
        #expect(batch.batchID == "y")
        #expect(batch.processed == 1)
        #expect(batch.values == [2])
        #expect(batch.allSeries == [SeriesIdentity(metric: "b", labels: [.init(key: "j", value: "2")])])
    }

    @Test func unknownMembersAreIgnored() throws {
        let batch = try parse(
            #"{"v":{"a":[1,{"b":null}],"c":1e999},"metrics":[{"name":"a","value":1,"unit":"kWh","x":[[]]}],"z":[]}"#)
        #expect(batch.count == 1)
        #expect(batch.batchID == nil)
    }

    @Test func batchIDs() throws {
        #expect(try parse(#"{"batch_id":null,"metrics":[]}"#).batchID == nil)
        #expect(try parse(#"{"batch_id":"","metrics":[]}"#).batchID == nil)
        let letters = String(repeating: "é", count: 128)
        #expect(try parse(#"{"batch_id":"\#(letters)","metrics":[]}"#).batchID == letters)
        #expect(fault(#"{"batch_id":"\#(letters)x","metrics":[]}"#) == .batchIDInvalid)
        #expect(fault(#"{"batch_id":7,"metrics":[]}"#) == .batchIDInvalid)
        #expect(fault(#"{"batch_id":["x"],"metrics":[]}"#) == .batchIDInvalid)
    }
}
