import Foundation
import Logging
import Postgres
import Shared
import Testing

struct LogHandlerTests {
    private let log = RecordedLog()

    private func fields(_ line: String) throws -> [String: Any] {
        #expect(line.hasSuffix("\n") && line.filter { $0 == "\n" }.count == 1, "one line")
        return try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test func oneObjectALine() throws {
        var logger = Logger(label: "ingest") { log.handler($0) }
        logger[metadataKey: "request_id"] = "r1"
        logger[metadataKey: "hb.request.id"] = "hidden"
        logger.warning(
            "stored \(3)",
            metadata: [
                "tenant": "acme", "count": .stringConvertible(3), "ratio": .stringConvertible(0.5),
                "ok": .stringConvertible(true), "list": ["a", "b"], "map": ["k": "v"], "level": "mine",
            ])
        let line = try #require(log.lines.first)
        let fields = try fields(line)
        #expect(line.hasPrefix(#"{"ts":""#))
        #expect(Timestamp(rfc3339: fields["ts"] as? String ?? "") != nil)
        #expect(fields["level"] as? String == "warning")
        #expect(fields["level_"] as? String == "mine")
        #expect(fields["logger"] as? String == "ingest")
        #expect(fields["message"] as? String == "stored 3")
        #expect(fields["request_id"] as? String == "r1")
        #expect(fields["tenant"] as? String == "acme")
        #expect(line.contains(#""count":3,"#) && line.contains(#""ratio":0.5,"#) && line.contains(#""ok":true,"#))
        #expect(fields["list"] as? [String] == ["a", "b"])
        #expect(fields["map"] as? [String: String] == ["k": "v"])
        #expect(!line.contains("hidden"))
    }

    @Test func anythingIsEscaped() throws {
        let nasty = "quote \" backslash \\ newline \n return \r tab \t null \0 escape \u{1B}[31m c1 \u{9B} 🙂 é \u{2028}"
        let logger = Logger(label: nasty) { log.handler($0) }
        logger.info("\(nasty)", metadata: ["\(nasty)": "\(nasty)"])
        let fields = try fields(try #require(log.lines.first))
        #expect(fields["message"] as? String == nasty)
        #expect(fields["logger"] as? String == nasty)
        #expect(fields[nasty] as? String == nasty)
    }

    @Test func levelsAndPerCallMetadata() {
        var logger = Logger(label: "x") { log.handler($0, level: .info) }
        logger.debug("no")
        logger[metadataKey: "k"] = "outer"
        logger.info("yes", metadata: ["k": "inner"])
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.contains(#""k":"inner""#) == true)
    }

    @Test func aTerminalIsNotCommanded() throws {
        let logger = Logger(label: "x") { log.handler($0, style: .pretty) }
        logger.info("a\u{1B}[2Jb\nc", metadata: ["k": "\u{1B}]0;title\u{7}"])
        let line = try #require(log.lines.first)
        #expect(line.contains("a\\u001b[2Jb\\nc"))
        #expect(!line.contains("\u{7}") && !line.contains("\u{1B}]"))
    }
}
