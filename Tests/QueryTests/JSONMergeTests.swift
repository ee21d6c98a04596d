import Foundation
import Testing

@testable import Query

/// RFC 7396, Appendix A, and what it does not say.
@Suite struct JSONMergeTests {
    @Test(arguments: [
        (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
        (#"{"a":"b"}"#, #"{"a":null}"#, #"{}"#), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
        (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
        (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
        (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
        (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
        (#"{"e":null}"#, #"{"a":1}"#, #"{"a":1,"e":null}"#), (#"[1,2]"#, #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
        (#"{}"#, #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        // Digits stay as they are written, and names what they mean.
        (#"{"a":1.50,"b":100000000000000000001}"#, #"{"c": 1e2}"#, #"{"a":1.50,"b":100000000000000000001,"c": 1e2}"#),
        (#"{"é\"":1}"#, #"{"\u00e9\u0022":2}"#, #"{"é\"":2}"#),
    ])
    func merges(target: String, patch: String, expected: String) {
        let merged = JSONMerge.apply(Array(patch.utf8)[...], to: Array(target.utf8)[...])
        #expect(merged.map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test func nullLeavesNothing() {
        #expect(JSONMerge.apply(Array(" null".utf8)[...], to: Array("1".utf8)[...]) == nil)
    }
}
