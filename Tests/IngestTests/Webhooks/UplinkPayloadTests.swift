import Foundation
import Testing

@testable import Ingest

struct UplinkPayloadTests {
    private func canonical(_ payload: String) throws -> String? { try uplink(#""payload":\#(payload)"#).payload }

    @Test func orderWhiteSpaceAndEscapesDoNotCount() throws {
        let texts = [
            #"{"b":[1,2,{"y":null,"x":"é\n"}],"a":21.4}"#,
            #"{ "a" : 21.40 , "b" : [ 1.0 , 2e0 , { "x":"\u00e9\u000A", "y":null } ] }"#,
            #"{"\u0061":2140e-2,"b":[10e-1,0.2e1,{"y":null,"x":"é\n"}]}"#,
        ]
        let hashes = try texts.map { try uplink(#""payload":\#($0)"#).payloadHash }
        #expect(Set(hashes).count == 1)
        #expect(try canonical(texts[2]) == #"{"a":21.4,"b":[1,2,{"x":"é\n","y":null}]}"#)
    }

    @Test func differentPayloadsStayDifferent() throws {
        let texts = [
            #"{"a":1}"#, #"{"a":"1"}"#, #"{"a":true}"#, #"{"a":[1]}"#, #"{"a":10}"#, #"{"a":-1}"#, #"{"b":1}"#, #"{}"#,
            #"{"a":null}"#, #"{"a":9007199254740993}"#, #"{"a":9007199254740992}"#, #"{"a":0.1}"#,
            #"{"a":0.1000000000000000055511151231257827}"#, #"{"a":{"b":1}}"#, #"{"a.b":1}"#, #"{"a":"a\"b"}"#,
        ]
        #expect(Set(try texts.map { try uplink(#""payload":\#($0)"#).payloadHash }).count == texts.count)
    }

    @Test(arguments: [
        ("0", "0"), ("-0", "0"), ("0.000", "0"), ("0e99", "0"), ("1", "1"), ("-1.50", "-1.5"), ("100", "100"),
        ("1e2", "100"),
        ("1E+2", "100"), ("120e-1", "12"), ("0.00120", "0.0012"), ("1e-5", "0.00001"), ("1e-6", "0.000001"),
        ("1e-7", "1e-7"),
        ("12.5e-8", "1.25e-7"), ("1e20", "100000000000000000000"), ("1e21", "1e21"), ("1.5e300", "1.5e300"),
        ("123456789012345678901234567890", "1.2345678901234567890123456789e29"),
        ("18446744073709551617", "18446744073709551617"),
        ("5e-324", "5e-324"), ("0.1e1", "1"),
    ])
    func numbersHaveOneSpelling(_ text: String, _ expected: String) throws {
        #expect(try canonical(#"{"a":\#(text)}"#) == #"{"a":\#(expected)}"#)
    }

    @Test func numbersPostgreSQLCanNotKeepAreRefused() throws {
        #expect(try rejection(#""payload":{"a":0.\#(String(repeating: "3", count: 1_001))}"#) == .numberOutOfRange)
        #expect(try rejection(#""payload":{"a":0.\#(String(repeating: "3", count: 1_000))}"#) == nil)
        for exponent in ["999999999999999999999", "9223372036854775807", "9223372036854775808", "4294967296"] {
            #expect(try rejection(#""payload":{"a":1e-\#(exponent)}"#) == .numberOutOfRange)
        }
    }

    @Test func theLastOfSeveralMembersCounts() throws {
        #expect(try canonical(#"{"a":1,"b":2,"\u0061":3,"a":{"c":1,"c":2}}"#) == #"{"a":{"c":2},"b":2}"#)
        #expect(try uplink(#""payload":{"a":1},"payload":{"b":1}"#).payload == #"{"b":1}"#)
    }

    /// The hash is in the database and decides about duplicates.
    @Test func dataGoesBeforePayload() throws {
        let both = try uplink(#""data":"AQI=","payload":{"a":1},"f_port":1"#)
        #expect(both.payloadHash == (try uplink(#""data":"AQI","payload":{"a":2},"f_port":2"#)).payloadHash)
        // printf '\1\2' | sha256sum; printf '{"a":1}' | sha256sum
        #expect(both.payloadHash == UUID(uuidString: "a12871fe-e210-fb86-1929-1eaea194581c"))
        #expect(
            try uplink(#""payload":{"a":1}"#).payloadHash == UUID(uuidString: "015abd7f-5cc5-7a2d-d94b-7590f04ad808"))
    }

    @Test func leavesAreNumbersAndBooleans() throws {
        let uplink = try uplink(
            #""payload":{"temperature":21.4,"env":{"hum":50,"ok":false},"a":[1,{"b":2}],"name":"x","none":null}"#)
        #expect(
            uplink.leaves == [
                .init(name: "a.0", value: 1), .init(name: "a.1.b", value: 2), .init(name: "env.hum", value: 50),
                .init(name: "env.ok", value: 0), .init(name: "temperature", value: 21.4),
            ])
        #expect(uplink.leavesDropped == 0)
    }

    @Test func leafNamesAreMadeValid() throws {
        let uplink = try uplink(
            #""payload":{"température °C":1,"1st":2,"-x":3,"":4,"a":{"":5},"a b":6,"a_b":7,"v/l:x-1":8,"\#(String(repeating: "n", count: 129))":9}"#
        )
        #expect(
            uplink.leaves == [
                .init(name: "_-x", value: 3), .init(name: "_1st", value: 2), .init(name: "a_b", value: 6),
                .init(name: "temp_rature__C", value: 1), .init(name: "v/l:x-1", value: 8),
            ])
        #expect(uplink.leavesDropped == 4)
        for leaf in uplink.leaves {
            #expect(Array(leaf.name.utf8).withUnsafeBufferPointer { MetricName.isValid($0) })
        }
    }

    @Test func leavesAreBounded() throws {
        let uplink = try uplink(#""payload":{"a":[\#(Array(repeating: "1", count: 100).joined(separator: ","))]}"#)
        #expect(uplink.leaves.count == 64)
        #expect(uplink.leavesDropped == 36)
    }
}
