import Postgres
import Support
import Testing

@testable import Ingest

struct UplinkFuzzTests {
    static let corpus = [
        #"{"device_eui":"70B3D57ED0000001","fcnt":42,"f_port":2,"dev_addr":"26011BDA","session":"s-1","uplink_id":"u-1","received_at":"2026-11-20T10:00:00Z","rssi":-97,"snr":7.2,"gateway_id":"gw-1","data":"AQID","payload":{"occupied":true,"temperature":21.4}}"#,
        #"{"uplinks":[{"device_eui":"70-b3-d5-7e-d0-00-00-02","fcnt":4294967295,"received_at":1795168740123.5},{"device_eui":"70:B3:D5:7E:D0:00:00:03","payload":{"a":[1,{"b":false}],"é":"\u00e9"}},{"fcnt":1},[],null]}"#,
        #"{"device_eui":"70b3d57ed0000004","fcnt":null,"f_port":0,"dev_addr":"","session":"","data":"","rssi":0,"snr":-0.5,"payload":{},"unknown":[{"x":1}]}"#,
        #"{"device_eui":"70b3d57ed0000005","received_at":"0001-01-01T00:00:00Z","gateway_id":"\ud83d\ude00","data":"AQI","fcnt":1e2,"fcnt":7}"#,
    ]

    /// On both sides of each border.
    private static let borders =
        [
            #""fcnt":4294967295"#, #""fcnt":4294967296"#, #""fcnt":-1"#, #""fcnt":0.5"#, #""f_port":255"#,
            #""f_port":256"#,
            #""rssi":-1000"#, #""rssi":1000.5"#, #""snr":1000"#, #""snr":-1001"#, #""dev_addr":"26011bd""#,
            #""dev_addr":"26011bdg""#, #""received_at":1"#, #""received_at":0"#, #""received_at":1795169400000"#,
            #""received_at":1795169400001"#, #""received_at":"2026-11-20""#,
        ]
        + ["session", "uplink_id", "gateway_id"].flatMap { name in
            [128, 129].map { "\"\(name)\":\"\(String(repeating: "x", count: $0))\"" }
        } + [1_024, 1_025].map { "\"data\":\"\(String(repeating: "A", count: $0 / 3 * 4 + 2))\"" }

    @Test func readsOnBothSidesOfEachBorder() throws {
        for border in Self.borders {
            let body = Array(#"{"device_eui":"70b3d57ed0000004",\#(border)}"#.utf8)
            try Self.check(
                try genericDialect.read(try verified(body), now: arrival), try #require(ReferenceJSON(body)))
        }
    }

    @Test func readsAsTheModelSays() throws {
        var fuzzer = Fuzzer("generic uplink", corpus: Self.corpus, mutations: .json, iterations: 2_000)
        try fuzzer.run { body in
            let root = ReferenceJSON(body, maxDepth: 128)
            let verified = try verified(body)
            switch Result(catching: { () throws(DialectFault) in try genericDialect.read(verified, now: arrival) }) {
            case .success(let report):
                guard let root else { throw Violation("what is no JSON was read") }
                try Self.check(report, root)
                return true
            case .failure(let fault):
                try Self.check(fault, root, body)
                return false
            }
        }
        #expect(fuzzer.hasReached(200))
    }

    private static func check(_ fault: DialectFault, _ root: ReferenceJSON?, _ body: [UInt8]) throws {
        switch fault {
        case .notJSON, .tooDeep: try holds(root == nil, "\(fault), but it is JSON")
        case .notObject:
            guard case .object? = root else { return try holds(root != nil, "no object, but no JSON either") }
            if case .array? = root?["uplinks"] { throw Violation("a list of uplinks was refused") }
            try holds(root?["uplinks"] != nil, "an object was refused")
        case .tooManyUplinks: try holds(body.count > 2 * GenericDialect.maxUplinks, "so many uplinks do not fit")
        case .tooManyValues, .outOfMemory: throw Violation("\(fault) for \(body.count) bytes")
        }
    }

    private static func check(_ report: UplinkReport, _ root: ReferenceJSON) throws {
        var elements = [root]
        if case .array(let list)? = root["uplinks"] { elements = list }
        try agree(report.isList, root["uplinks"] != nil, "is a list")
        try agree(report.uplinks.count, elements.count, "uplinks")
        for (index, (uplink, json)) in zip(report.uplinks, elements).enumerated() {
            // A microsecond after the one before.
            let expected = UplinkModel.read(json, now: arrival.adding(microseconds: Int64(index)))
            switch uplink {
            case .success(var read):
                try checkPayload(read, json["payload"])
                (read.payload, read.leaves, read.leavesDropped) = (nil, [], 0)
                try agree(.success(read), expected, "uplink")
            case .failure(let rejection):
                if json["payload"] != nil, UplinkModel.payloadCodes.contains(rejection.code) { continue }
                try agree(.failure(rejection), expected, "rejection")
            }
        }
    }

    private static func checkPayload(_ uplink: Uplink, _ json: ReferenceJSON?) throws {
        try agree(uplink.payload != nil, json != nil, "has a payload")
        try holds(uplink.leaves.count <= Uplink.maxLeaves, "\(uplink.leaves.count) leaves")
        try holds(uplink.leaves.allSatisfy { MetricBatchModel.isName($0.name, 128) && $0.value.isFinite }, "leaf")
        guard let json, let payload = uplink.payload else { return }
        try PayloadModel.check(payload, against: json)
        try agree(uplink.leaves, PayloadModel.leaves(of: json).kept, "leaves")
        try agree(uplink.leavesDropped, PayloadModel.leaves(of: json).dropped, "leaves dropped")
        try holds(ReferenceJSON(Array(uplink.leavesJSON.utf8)) != nil, "leaves are kept as JSON")
    }
}
