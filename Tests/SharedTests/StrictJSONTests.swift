import Testing

@testable import Shared

struct StrictJSONTests {
    @Test(arguments: [
        "[1,]", #"{"a":1,}"#, "01", "1.", "1e", "-", "--1", "1-2", #""\x""#, #""\ud800""#, #""\ud800\u0041""#,
        #""\udc00""#,
        #""\u+041""#, #""\u12""#, "\"\u{1}\"", "\u{FEFF}1", "", " ", "1 2", "{\"a\":1}\u{0}", "nul", "{1:2}", "['a']",
    ])
    func isNone(_ text: String) {
        #expect(!StrictJSON.isValid(Array(text.utf8)))
    }

    @Test(arguments: [
        "0", "-0.5e+10", " [ ] ", #"{"a":{"b":[true,false,null]},"a":""}"#, #""\ud83d\ude00\u00e9\/""#, "\"\u{7F}é\"",
    ])
    func isSome(_ text: String) {
        #expect(StrictJSON.isValid(Array(text.utf8)))
    }

    @Test func textIsUTF8AndNotNestedTooDeep() {
        #expect(!StrictJSON.isValid([0x22, 0xC0, 0x80, 0x22]))
        #expect(!StrictJSON.isValid([0x7B, 0, 0x7D, 0]))
        func nested(_ depth: Int) -> [UInt8] {
            Array(repeating: 0x5B, count: depth) + Array(repeating: 0x5D, count: depth)
        }
        #expect(StrictJSON.isValid(nested(64)))
        #expect(!StrictJSON.isValid(nested(65)))
        #expect(!StrictJSON.isValid(Array(repeating: 0x5B, count: 60_000)))
    }

    @Test(arguments: [
        ("{\"a\":[1e308,-1.5E-308,0e0]}", false), ("{\"a\":1e309}", true), ("[1,{\"b\":[1e131000]}]", true),
        ("1e-999", true),
        ("1e99999999999999999999999", true), ("\"1e999\"", false),
    ])
    func hugeNumbersAreFound(json: String, isHuge: Bool) {
        #expect(StrictJSON.hasHugeNumber(ArraySlice(json.utf8)) == isHuge)
    }
}
