import Testing

@testable import Shared

struct CSVTests {
    private func fields(_ text: String) throws -> [[String]] {
        try CSV.read(Array(text.utf8)).map { try $0.get().fields }
    }

    @Test func linesEndInAnyWay() throws {
        #expect(try fields("a,b\r\nc,d\ne,f") == [["a", "b"], ["c", "d"], ["e", "f"]])
        #expect(try fields("a\n\n\nb\n") == [["a"], ["b"]])
        #expect(try fields("") == [])
    }

    @Test func quotesHoldCommasQuotesAndLineEnds() throws {
        #expect(
            try fields("\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\nx,,") == [
                ["a,b", "say \"hi\"", "two\nlines"], ["x", "", ""],
            ])
        #expect(try fields("\"\",\"\"") == [["", ""]])
    }

    @Test func aByteOrderMarkIsNoText() throws {
        #expect(try fields("\u{FEFF}device_eui\n1") == [["device_eui"], ["1"]])
    }

    @Test func recordsKnowWhereTheyBegin() throws {
        let records = try CSV.read(Array("h\n\"a\nb\"\nc\n".utf8)).map { try $0.get() }
        #expect(records.map(\.line) == [1, 2, 4])
        let mixed = CSV.read(Array("h\r\"a\rb\r\nc\"\rx\"y\rd".utf8))
        #expect(mixed.compactMap { try? $0.get() }.map(\.line) == [1, 2, 6])
        #expect(mixed.count == 4, "a bad record ends with its line")
    }

    @Test(arguments: [
        ("a\nx\"y\nb", 2), ("a\n\"x\"y\nb", 2), ("a\nb\n\"never closed", 3), ("a\nx\u{0}\nb", 2),
    ])
    func whatCannotBeReadIsNamedByItsLine(text: String, line: Int) {
        let faults = CSV.read(Array(text.utf8)).compactMap { record -> Int? in
            if case .failure(let fault) = record { fault.line } else { nil }
        }
        #expect(faults == [line])
    }

    @Test func goodRecordsAroundABadOneAreRead() {
        let records = CSV.read(Array("a\nx\"y,z\nb\n".utf8) + [0xFF, 0x0A] + Array("c".utf8))
        let good = records.compactMap { try? $0.get().fields }
        #expect(good == [["a"], ["b"], ["c"]])
        #expect(records.count == 5)
    }
}
