import Foundation
import Support
import Testing

@testable import Ingest

struct SeriesIdentityTests {
    @Test func theOrderOfLabelsDoesNotCount() throws {
        let batch = try parse(
            rows: #"{"name":"a","value":1,"labels":{"x":"1","b":"2","m":"3"}}"#,
            #"{"name":"a","value":2,"labels":{"m":"3","x":"1","b":"2"}}"#,
            #"{"name":"a","value":3,"labels":{"\u0062":"\u0032","m":"3","x":"1"}}"#,
            #"{"name":"a","value":4,"labels":{"x":"1","b":"2","m":"4"}}"#)
        #expect(batch.series(0) == batch.series(1))
        #expect(batch.series(0).labels.map(\.key) == ["b", "m", "x"])
        let keys = batch.withSeriesKeys { keys in (0..<4).map { Array(keys[$0]) } }
        #expect(keys[0] == keys[1] && keys[0] == keys[2] && keys[0] != keys[3])
        #expect(batch.seriesHashes[0] == batch.seriesHashes[1] && batch.seriesHashes[0] == batch.seriesHashes[2])
        #expect(batch.seriesHashes[0] != batch.seriesHashes[3])
    }

    @Test func allOrdersOfSixteenLabelsAreOne() throws {
        var random = SplitMix(state: 16)
        let labels = (0..<16).map { (key: String(repeating: "k", count: $0 + 1), value: "v\($0)") }
        let expected = SeriesIdentity(metric: "a", labels: labels.map { .init(key: $0.key, value: $0.value) })
        for _ in 0..<50 {
            let text = labels.shuffled(using: &random).map { #""\#($0.key)":"\#($0.value)""# }.joined(separator: ",")
            let batch = try parse(rows: #"{"name":"a","value":1,"labels":{\#(text)}}"#)
            #expect(batch.allSeries == [expected])
            #expect(batch.canonicalBytes == expected.canonicalBytes)
        }
    }

    @Test func partsDoNotRunIntoOneAnother() {
        let one = SeriesIdentity(metric: "a", labels: [.init(key: "b", value: "c")])
        let two = SeriesIdentity(metric: "a", labels: [.init(key: "bc", value: "")])
        let three = SeriesIdentity(metric: "ab", labels: [.init(key: "c", value: "")])
        #expect(Set([one, two, three].map(\.canonicalBytes)).count == 3)
        #expect(Set([one, two, three].map(\.digest)).count == 3)
    }

    @Test func bytesAndIdentityAreTheSameThing() {
        for identity in [
            SeriesIdentity(metric: "a"), SeriesIdentity(metric: "a", labels: [.init(key: "k", value: "")]),
            SeriesIdentity(metric: "a", labels: [.init(key: "k", value: "ü ≠ \"\\\n"), .init(key: "j", value: "1")]),
        ] {
            let back = identity.canonicalBytes.withUnsafeBytes { SeriesIdentity(canonicalBytes: $0) }
            #expect(back == identity)
        }
    }

    /// The digest is in the database: another value would make every series new.
    @Test func theDigestNeverChanges() {
        let identity = SeriesIdentity(metric: "pos.sales_total", labels: [.init(key: "till", value: "3")])
        // printf 'pos.sales_total\0till\0003' | sha256sum
        #expect(identity.digest == UUID(uuidString: "734385bd-ea65-d65a-57a2-a0429ace77a0"))
    }

    @Test func labelsAsJSON() {
        let identity = SeriesIdentity(
            metric: "a", labels: [.init(key: "z", value: "1\"\\\u{1}\n"), .init(key: "b", value: "é")])
        #expect(identity.labelsJSON == #"{"b":"é","z":"1\"\\\u0001\n"}"#)
        #expect(SeriesIdentity(metric: "a").labelsJSON == "{}")
    }

    @Test func hashesDependOnSeedLengthAndEveryByte() {
        let one = SeriesHash(seeds: (0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EB))
        let two = SeriesHash(seeds: (0x9E37_79B9_7F4A_7C15, 0xBF58_476D_1CE4_E5B9, 0x94D0_49BB_1331_11EA))
        var seen: Set<UInt64> = []
        var texts = 0
        for length in 0..<70 {
            var bytes = [UInt8](repeating: 7, count: length)
            bytes.withUnsafeBytes { #expect(one.hash($0) != two.hash($0)) }
            seen.insert(bytes.withUnsafeBytes { one.hash($0) })
            texts += 1
            for place in 0..<length {
                bytes[place] ^= 0x10
                seen.insert(bytes.withUnsafeBytes { one.hash($0) })
                bytes[place] ^= 0x10
                texts += 1
            }
        }
        #expect(seen.count == texts)
    }
}
