import Foundation
import Postgres
import Shared
import Support
import Testing

@testable import Ingest

struct GenericDialectTests {
    private static let example = #"""
        {"device_eui": "70B3D57ED0000001", "fcnt": 42, "f_port": 2, "dev_addr": "26011BDA", "session": "s-1",
         "uplink_id": "u-1", "received_at": "2026-11-20T09:59:00Z", "rssi": -97, "snr": 7.2, "gateway_id": "gw-1",
         "data": "AQI=", "payload": {"occupied": true, "temperature": 21.4}}
        """#

    @Test func readsTheDocumentedExample() throws {
        let report = try report(Self.example)
        #expect(!report.isList)
        let uplink = try #require(report.uplinks.first).get()
        #expect(uplink.deviceEUI.rawValue == "70b3d57ed0000001")
        #expect(uplink.fcnt == 42)
        #expect(uplink.fPort == 2)
        #expect(uplink.devAddr == "26011bda")
        #expect(uplink.session == "s-1")
        #expect(uplink.uplinkID == "u-1")
        #expect(uplink.receivedAt == Timestamp(microseconds: 1_795_168_740_000_000))
        #expect(!uplink.clockUsed)
        #expect(uplink.rssi == -97)
        #expect(uplink.snr == 7.2)
        #expect(uplink.gatewayID == "gw-1")
        #expect(uplink.data == [1, 2])
        #expect(uplink.payload == #"{"occupied":true,"temperature":21.4}"#)
        #expect(uplink.leaves == [.init(name: "occupied", value: 1), .init(name: "temperature", value: 21.4)])
    }

    @Test func whatIsAbsentHasItsDefault() throws {
        for members in ["", #""fcnt":null,"session":null,"payload":null,"data":null,"received_at":null,"rssi":null"#] {
            let uplink = try uplink(members)
            #expect(uplink.fcnt == 0)
            #expect(uplink.fPort == nil && uplink.devAddr == nil && uplink.session == nil && uplink.uplinkID == nil)
            #expect(uplink.rssi == nil && uplink.snr == nil && uplink.gatewayID == nil)
            #expect(uplink.data == nil && uplink.payload == nil && uplink.leaves.isEmpty)
            #expect(uplink.receivedAt == arrival && uplink.clockUsed && uplink.networkTime == nil)
        }
        let empty = try uplink(#""session":"","uplink_id":"","dev_addr":"","gateway_id":"","data":"""#)
        #expect(empty.sessionReference == nil && empty.uplinkID == nil && empty.gatewayID == nil)
        #expect(empty.data == [])
    }

    @Test(arguments: [
        (#""fcnt":-1"#, UplinkRejection.Code.fcntInvalid), (#""fcnt":4294967296"#, .fcntInvalid),
        (#""fcnt":1.5"#, .fcntInvalid), (#""fcnt":"1""#, .fcntInvalid), (#""fcnt":true"#, .fcntInvalid),
        (#""fcnt":1e400"#, .fcntInvalid), (#""fcnt":123456789012345678901234567890"#, .fcntInvalid),
        (#""f_port":256"#, .fPortInvalid), (#""f_port":-1"#, .fPortInvalid), (#""f_port":[]"#, .fPortInvalid),
        (#""dev_addr":"26011BD""#, .devAddrInvalid), (#""dev_addr":"26011BDG""#, .devAddrInvalid),
        (#""dev_addr":7"#, .devAddrInvalid), (#""session":7"#, .sessionInvalid), (#""uplink_id":{}"#, .uplinkIDInvalid),
        (#""session":"a\u0000""#, .nulCharacter), (#""gateway_id":false"#, .gatewayIDInvalid),
        (#""received_at":"yesterday""#, .receivedAtInvalid), (#""received_at":true"#, .receivedAtInvalid),
        (#""received_at":1e400"#, .receivedAtInvalid), (#""rssi":"-97""#, .rssiInvalid), (#""rssi":1e6"#, .rssiInvalid),
        (#""snr":{}"#, .snrInvalid), (#""data":"*""#, .dataInvalid), (#""data":7"#, .dataInvalid),
        (#""data":"AQI==""#, .dataInvalid), (#""payload":[]"#, .payloadInvalid), (#""payload":"{}""#, .payloadInvalid),
        (#""payload":{"a":1e400}"#, .numberOutOfRange), (#""payload":{"a":-1e-400}"#, .numberOutOfRange),
        (#""payload":{"a":"\u0000"}"#, .nulCharacter), (#""payload":{"\u0000":1}"#, .nulCharacter),
        (#""payload":{"a":"\ud83d"}"#, .stringInvalid), (#""payload":{"\udc00":1}"#, .stringInvalid),
        (#""note":"\x""#, .stringInvalid),
    ])
    func rejects(_ members: String, _ expected: UplinkRejection.Code) throws {
        #expect(try rejection(members) == expected)
    }

    @Test func boundsAreInclusive() throws {
        #expect(try uplink(#""fcnt":4294967295,"f_port":255"#).fcnt == .max)
        #expect(try uplink(#""fcnt":4.2e1"#).fcnt == 42)
        let letters = String(repeating: "x", count: 129)
        #expect(try rejection(#""session":"\#(letters.dropLast())""#) == nil)
        #expect(try rejection(#""session":"\#(letters)""#) == .sessionInvalid)
        let data = Data(repeating: 7, count: 1_025)
        #expect(try uplink(#""data":"\#(data.dropLast().base64EncodedString())""#).data?.count == 1_024)
        #expect(try rejection(#""data":"\#(data.base64EncodedString())""#) == .dataInvalid)
    }

    @Test func payloadsAreBounded() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"a":"#, count: depth) + "1" + String(repeating: "}", count: depth)
        }
        #expect(try rejection(#""payload":\#(nested(8))"#) == nil)
        #expect(try rejection(#""payload":\#(nested(9))"#) == .payloadTooDeep)
        #expect(
            try rejection(#""payload":{"a":\#(String(repeating: "[", count: 8))\#(String(repeating: "]", count: 8))}"#)
                == .payloadTooDeep)
        let text = String(repeating: "x", count: (16 << 10) - 8)
        #expect(try uplink(#""payload": { "a" : "\#(text)" }"#).payload?.utf8.count == 16 << 10)
        #expect(try rejection(#""payload":{"a":"x\#(text)"}"#) == .payloadTooLarge)
        let zeros = Array(repeating: "1e20", count: 1_000).joined(separator: ",")
        #expect(try rejection(#""payload":{"a":[\#(zeros)]}"#) == .payloadTooLarge)
    }

    @Test(arguments: [
        (#""2026-11-20T10:10:00Z""#, true), (#""2026-11-20T10:10:01Z""#, false), ("1795169400000", true),
        ("1795169400001", false), (#""0001-01-01T00:00:00Z""#, false), ("0", false), ("-5", false),
        ("99999999999999", false),
    ])
    func theNetworksTimeIsUsedWhenItCanBe(_ receivedAt: String, _ isUsed: Bool) throws {
        let uplink = try uplink(#""received_at":\#(receivedAt)"#)
        #expect(uplink.clockUsed == !isUsed)
        #expect(uplink.receivedAt == (isUsed ? Timestamp(microseconds: 1_795_169_400_000_000) : arrival))
    }

    @Test(arguments: [
        "70B3D57ED0000001", "70b3d57ed0000001", "70-B3-D5-7E-D0-00-00-01", "70:b3:d5:7e:d0:00:00:01",
    ])
    func deviceEUIForms(_ text: String) throws {
        let report = try report(#"{"device_eui":"\#(text)"}"#)
        #expect(try #require(report.uplinks.first).get().deviceEUI.rawValue == "70b3d57ed0000001")
    }

    @Test func aListKeepsItsGoodUplinks() throws {
        let report = try report(
            #"{"uplinks":[{"device_eui":"70B3D57ED0000001"},{"device_eui":"x"},7,{"device_eui":"70B3D57ED0000002","fcnt":-1}]}"#
        )
        #expect(report.isList)
        let codes = report.uplinks.map { result -> UplinkRejection.Code? in
            if case .failure(let rejection) = result { rejection.code } else { nil }
        }
        #expect(codes == [nil, .deviceEUIInvalid, .uplinkNotObject, .fcntInvalid])
        guard case .failure(let last) = report.uplinks[3] else { return }
        #expect(last.deviceEUI?.rawValue == "70b3d57ed0000002")
        #expect(last.field == "fcnt")
    }

    @Test func bodiesThatAreNoUplinks() throws {
        for text in ["", "nope", "{", #"{"device_eui":"70B3D57ED0000001"}x"#, #"{"device_eui":NaN}"#, "[1,]"] {
            #expect(try dialectFault(text) == .notJSON)
        }
        for text in ["[]", "7", "null", #"{"uplinks":7}"#] { #expect(try dialectFault(text) == .notObject) }
        #expect(throws: DialectFault.notJSON) { _ = try report([0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D]) }
        let bomb = String(repeating: #"{"payload":"#, count: 100_000) + "1" + String(repeating: "}", count: 100_000)
        #expect(try dialectFault(bomb) == .tooDeep)
        #expect(
            try dialectFault("[" + Array(repeating: "0", count: 300_000).joined(separator: ",") + "]") == .tooManyValues
        )
        let uplinks = Array(repeating: #"{"device_eui":"70B3D57ED0000001"}"#, count: 1_001)
        #expect(try report(#"{"uplinks":[\#(uplinks.dropLast().joined(separator: ","))]}"#).uplinks.count == 1_000)
        #expect(try dialectFault(#"{"uplinks":[\#(uplinks.joined(separator: ","))]}"#) == .tooManyUplinks)
    }

    @Test func everyTruncationIsAnError() throws {
        let body = Array(Self.example.utf8)
        for length in 0..<body.count {
            #expect(throws: DialectFault.notJSON, "first \(length) bytes") { _ = try report(Array(body[..<length])) }
        }
    }

    @Test func mutatedBodiesParseOrFail() throws {
        var random = SplitMix(state: 7)
        var good = 0
        for _ in 0..<2_000 {
            var body = Array(Self.example.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                body[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            guard let report = try? report(body) else { continue }
            good += report.uplinks.count
        }
        #expect(good > 100)
    }
}
