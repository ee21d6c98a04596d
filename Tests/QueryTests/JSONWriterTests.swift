import Foundation
import NIOCore
import Postgres
import Testing

@testable import Query

@Suite struct JSONWriterTests {
    private static func text(_ value: some JSONWritable) -> String {
        var json = JSONWriter()
        value.write(to: &json)
        return String(buffer: json.buffer)
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "0"), (1.5, "1.5"), (100.0, "100"), (-3.0, "-3"), (0.1, "0.1"), (1e300, "1e+300"),
        (1e15, "1000000000000000"), (1e16, "1e+16"), (123_456_789.125, "123456789.125"), (.nan, "null"),
        (.infinity, "null"),
    ])
    func numbersAreShortAndExact(value: Double, text: String) throws {
        #expect(Self.text(value) == text)
        if value.isFinite { #expect(Double(text) == value) }
    }

    @Test(arguments: ["", "plain", "quo\"te", "back\\slash", "line\nfeed\r\t\u{1}", "ñ €\u{1F6B2}", "\u{7F}/"])
    func stringsReadBack(text: String) throws {
        let data = Data(Self.text([text]).utf8)
        #expect(try JSONDecoder().decode([String].self, from: data) == [text])
    }

    @Test func nestsWithCommasBetween() {
        struct Inner: JSONWritable {
            func write(to json: inout JSONWriter) {
                json.object { object in
                    object.field("a", [1, 2])
                    object.field("b", [Int]())
                    object.field("c", JSONB("{\"n\": 1.10}"))
                    object.field("d", String?.none)
                }
            }
        }
        let inner = "{\"a\":[1,2],\"b\":[],\"c\":{\"n\": 1.10},\"d\":null}"
        #expect(Self.text([Inner(), Inner()]) == "[\(inner),\(inner)]")
    }

    @Test func tagsNameBytes() {
        let tag = EntityTag("a")
        #expect(tag != EntityTag("b"))
        #expect(tag.isNamed(in: tag.text) && tag.isNamed(in: "\"q\" , W/\(tag.text)") && tag.isNamed(in: "*"))
        #expect(!tag.isNamed(in: "\"q\""))
    }
}
