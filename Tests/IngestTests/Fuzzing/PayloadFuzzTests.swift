import Postgres
import Support
import Testing

@testable import Ingest

/// What is taken as a payload has to be taken by PostgreSQL's jsonb too, and to mean the same there.
struct PayloadFuzzTests {
    private static let corpus = [
        #"{"occupied":true,"temperature":21.4,"env":{"hum":50.0,"ok":false},"a":[1,{"b":2}],"name":"x","none":null}"#,
        #"{ "é\u00e9":"\ud83d\ude00" , "b" : [ 1.0 , 2e0 , -0 , 1e-7, 1.5e300, 123456789012345678901234567890 ], "b":{"c":1,"c":2} }"#,
        #"{"":{"":[]},"a.b":{"c":0.1000000000000000055511151231257827},"1st":-0.0e-5,"\u007f\u0001":"\b\f\n\r\t\/\\"}"#,
    ]

    private struct Kept: Sendable {
        var raw: [String] = []
        var canonical: [String] = []
    }

    @Test func whatIsTakenIsGoodEnoughForPostgreSQL() async throws {
        var fuzzer = Fuzzer("payload", corpus: Self.corpus, mutations: .json, iterations: 1_500)
        let connection = try await PostgresConnection.connect(
            ConnectionConfiguration(url: try TestPostgres.url(), applicationName: "fuzz"))
        var kept = Kept()
        while let text = fuzzer.next() {
            do {
                let isTaken = try Self.take(text, &kept)
                // One by one where it matters which input was at fault, many together because a round trip costs more.
                if kept.raw.count >= 50 {
                    try await Self.check(kept, connection)
                    kept = Kept()
                }
                fuzzer.note(accepted: isTaken)
            } catch {
                throw fuzzer.failure(error)
            }
        }
        try await Self.check(kept, connection)
        await connection.close()
        #expect(fuzzer.hasReached(100))
    }

    private static func take(_ text: [UInt8], _ kept: inout Kept) throws -> Bool {
        guard let json = ReferenceJSON(text, maxDepth: 128), case .object = json else { return false }
        let parser = JSONParser()
        let payload = text.withUnsafeBytes { bytes in
            Result { try UplinkPayload(try parser.tree(bytes, maxNodes: GenericDialect.maxNodes)) }
        }
        switch payload {
        case .success(let payload):
            try PayloadModel.check(payload.json, against: json)
            // What a later member of the same name hides is not kept, so jsonb need not like it; and where we see a zero in
            // 0e99999, jsonb sees too large an exponent.
            let raw = String(decoding: text, as: UTF8.self)
            let isPlain = PayloadModel.faults(of: json).isEmpty && !raw.contains(/[eE][+-]?\d{5}/)
            kept.raw.append(isPlain ? raw : payload.json)
            kept.canonical.append(payload.json)
            return true
        case .failure(let fault):
            try holds(PayloadModel.faults(of: json).contains("\(fault)"), "refused as \(fault)")
            return false
        }
    }

    /// jsonb takes what was sent and what is kept of it, both mean the same to it, and what it gives back has the same
    /// canonical form.
    private static func check(_ kept: Kept, _ connection: PostgresConnection) async throws {
        do {
            try await compare(kept, connection)
        } catch  where kept.raw.count > 1 {
            for (raw, canonical) in zip(kept.raw, kept.canonical) {
                try await check(Kept(raw: [raw], canonical: [canonical]), connection)
            }
        } catch {
            throw Violation("\(error) of \(kept.raw), kept as \(kept.canonical)")
        }
    }

    private static func compare(_ kept: Kept, _ connection: PostgresConnection) async throws {
        let comparison: Statement<Comparison> = """
            SELECT raw::jsonb = canonical::jsonb AS same, (canonical::jsonb)::text AS kept
              FROM unnest(\(kept.raw), \(kept.canonical)) WITH ORDINALITY AS t (raw, canonical, place) ORDER BY place
            """
        for (place, row) in try await connection.all(comparison).enumerated() {
            try holds(row.same, "jsonb has \(kept.canonical[place]) for another value than \(kept.raw[place])")
            try agree(try PayloadModel.recanonical(row.kept), kept.canonical[place], "canonical form from jsonb")
        }
    }
}

private struct Comparison: RowDecodable {
    let same: Bool
    let kept: String

    init(_ row: Row) throws {
        same = try row["same"]
        kept = try row["kept"]
    }
}
