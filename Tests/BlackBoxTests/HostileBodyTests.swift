import Foundation
import Testing

/// Bodies that no sender in its right mind would send, to the real process: each gets an answer that says what is wrong.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct HostileBodyTests {
    private struct Case: Sendable {
        let name: String
        let bytes: [UInt8]
        let status: Int
        let code: String?
    }

    @Test func eachGetsAClearAnswer() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let ingest = try await installation.startIngest()
            let request = RawRequest(key: try #require(tenant.storeKeys["T01"]))
            let groups = [
                Self.texts(request), Self.sizes(request), Self.encodings(request.with("Content-Encoding: gzip")),
            ]
            for hostile in groups.joined() {
                let answer = try await RawConnection.to(installation.ingestPort) { connection in
                    await connection.voice.say(hostile.bytes)
                    return try await connection.hear()
                }
                #expect(answer?.status == hostile.status, "\(hostile.name): \(answer?.json ?? [:])")
                guard let answer, hostile.status >= 400 else { continue }
                #expect(answer.code == hostile.code, "\(hostile.name): \(answer.json)")
                #expect(answer.faultAsProblem == nil, "\(hostile.name)")
            }
            #expect(try await installation.ingestIsAtRest())
            #expect(try ingest.memory("VmHWM") < 400 << 20, "a gigabyte of zeros was never there")
            ingest.send(SIGTERM)
            #expect(await ingest.waitForExit() == 0, "\(ingest.output)")
        }
    }

    /// Behind a good signature, where the parser of uplinks stands; and before it, where a stranger's body is only counted.
    @Test func uplinksToo() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let ingest = try await installation.startIngest()
            let url = installation.ingestURL + "/v1/webhooks/" + tenant.integrationID
            let eui = #""device_eui":"70b3d57ed0000001""#
            let deep = String(repeating: #"{"a":"#, count: 100_000)
            let cases: [(body: String, status: Int, code: String?)] = [
                ("hello", 400, "not_json"), (deep, 400, "too_deep"), ("{\(eui),\"payload\":\(deep)", 400, "too_deep"),
                ("{\(eui),\"payload\":{\"a\":1e-9223372036854775808}}", 422, "number_out_of_range"),
                ("{\(eui),\"payload\":{\"a\":1e400000}}", 422, "number_out_of_range"),
                ("{\(eui),\"payload\":{\"a\":\"\\u0000\"}}", 422, "nul_character"),
                ("{\(eui),\"payload\":{\"\\ud800\":1}}", 422, "string_invalid"),
                ("{\(eui),\"fcnt\":4294967296}", 422, "fcnt_invalid"), ("{\(eui)}\u{0}", 400, "not_json"),
                (#"{"uplinks":7}"#, 422, "not_an_uplink"),
                (
                    #"{"uplinks":[\#(Array(repeating: "1", count: 1_001).joined(separator: ","))]}"#, 422,
                    "too_many_uplinks"
                ),
                ("{\(eui)}" + String(repeating: " ", count: 1 << 20), 413, "payload_too_large"),
                ("{\(eui),\"fcnt\":1}", 200, nil),
            ]
            for (text, status, code) in cases {
                let body = Data(text.utf8)
                let answer = try await installation.client.send(
                    .post, url, headers: ["X-Webhook-Signature": TestClient.sign(body, tenant.secret)], body: body)
                #expect(
                    answer.status == status && answer.json["code"] as? String == code,
                    "\(text.prefix(80)): \(answer.text)")
                if status == 413 { continue } // so is an unsigned one
                let unsigned = try await installation.client.send(.post, url, body: body)
                #expect(unsigned.status == 401)
            }
            #expect(try await installation.ingestIsAtRest())
            await ingest.killAndWait()
        }
    }

    private static func texts(_ request: RawRequest) -> [Case] {
        func row(_ value: String, _ more: String = "") -> String {
            #"{"metrics":[{"name":"a","value":\#(value)\#(more)}]}"#
        }
        func text(_ name: String, _ body: String, _ status: Int, _ code: String?) -> Case {
            Case(name: name, bytes: request.body(body), status: status, code: code)
        }
        let deep = String(repeating: #"{"a":["#, count: 100_000)
        return [
            text("no JSON", "hello", 400, "not_json"), text("cut short", #"{"metrics":[{"name":"a""#, 400, "not_json"),
            text("wrong type", #"{"metrics":"x"}"#, 422, "not_a_batch"), text("a list", "[]", 422, "not_a_batch"),
            text(
                "rows of wrong types", #"{"metrics":[1,null,{"name":7,"value":1},{"name":"a","value":{}}]}"#, 422,
                "no_good_row"),
            text("deep", deep, 400, "too_deep"), text("deep in a row", row(deep), 400, "too_deep"),
            text("NaN", row("NaN"), 400, "not_json"), text("huge number", row("1e400000"), 422, "no_good_row"),
            text("huge time", row("1", #","ts":1e9223372036854775807"#), 422, "no_good_row"),
            text("half a surrogate pair", row("1", #","labels":{"k":"\ud800"}"#), 422, "no_good_row"),
            text("escaped NUL", row("1", #","labels":{"k":"\u0000"}"#), 422, "no_good_row"),
            text("NUL", row("1") + "\u{0}", 400, "not_json"),
            text(
                "the last of two counts", #"{"metrics":7,"metrics":[{"name":"b","name":"a","value":"x","value":1}]}"#,
                200, nil),
            text(
                "too many rows", #"{"metrics":[\#(Array(repeating: "1", count: 10_001).joined(separator: ","))]}"#, 422,
                "too_many_metrics"),
            Case(
                name: "no UTF-8",
                bytes: request.body(Array(#"{"metrics":[{"name":""#.utf8) + [0xC3, 0x28] + Array(#""}]}"#.utf8)),
                status: 400, code: "not_json"),
            Case(name: "no body", bytes: request.bodiless, status: 400, code: "not_json"),
            Case(name: "empty body", bytes: request.body(""), status: 400, code: "not_json"),
            Case(name: "no key", bytes: RawRequest(key: "").body("{}"), status: 401, code: "unauthorized"),
        ]
    }

    private static func sizes(_ request: RawRequest) -> [Case] {
        let limit = 8 << 20
        return [
            Case(name: "8 MiB", bytes: request.body(RawRequest.batch(bytes: limit)), status: 200, code: nil),
            Case(
                name: "8 MiB in chunks", bytes: request.chunked(RawRequest.batch(bytes: limit)), status: 200, code: nil),
            Case(
                name: "8 MiB + 1", bytes: request.body(RawRequest.batch(bytes: limit + 1)), status: 413,
                code: "payload_too_large"),
            Case(
                name: "8 MiB + 1 in chunks", bytes: request.chunked(RawRequest.batch(bytes: limit + 1)), status: 413,
                code: "payload_too_large"),
            Case(
                name: "an exabyte promised", bytes: request.head(length: 1 << 60), status: 413,
                code: "payload_too_large"),
        ]
    }

    private static func encodings(_ request: RawRequest) -> [Case] {
        let limit = 8 << 20
        let good = Gzip.compress(RawRequest.batch(value: 2))
        let bomb = Gzip.compress(Array(repeating: 0, count: 1 << 20), times: 1_024)
        return [
            Case(name: "gzip", bytes: request.body(good), status: 200, code: nil),
            Case(
                name: "gzip of 8 MiB", bytes: request.body(Gzip.compress(RawRequest.batch(bytes: limit))), status: 200,
                code: nil),
            Case(
                name: "gzip of 8 MiB + 1", bytes: request.chunked(Gzip.compress(RawRequest.batch(bytes: limit + 1))),
                status: 413, code: "payload_too_large"),
            Case(name: "bomb of 1 GiB", bytes: request.body(bomb), status: 413, code: "payload_too_large"),
            Case(name: "bomb of 1 GiB in chunks", bytes: request.chunked(bomb), status: 413, code: "payload_too_large"),
            Case(name: "no gzip", bytes: request.body("{}"), status: 400, code: "corrupt_body"),
            Case(
                name: "gzip cut short", bytes: request.body(Array(good.dropLast(9))), status: 400, code: "corrupt_body"),
            Case(name: "gzip and more", bytes: request.body(good + [1]), status: 400, code: "corrupt_body"),
            Case(
                name: "twice", bytes: request.with("Content-Encoding: gzip").body(good), status: 415,
                code: "unsupported_media_type"),
        ]
    }
}
