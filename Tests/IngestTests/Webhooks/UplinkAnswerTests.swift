import Foundation
import Shared
import Testing

@testable import Ingest

@Suite struct UplinkAnswerTests {
    private func eui() throws -> DeviceEUI { try #require(DeviceEUI("70B3D57ED0000001")) }

    @Test(arguments: [UplinkOutcome.stored, .duplicate, .orphan])
    func theShortWayWritesWhatTheEncoderDoes(_ outcome: UplinkOutcome) throws {
        let answer = UplinkAnswer(.taken(outcome, deviceEUI: try eui(), fcnt: 42))
        #expect(try answer.plainText == String(decoding: JSONCoding.encoder.encode(answer), as: UTF8.self))
    }

    @Test func whatIsRejectedTakesTheEncoder() throws {
        let answer = UplinkAnswer(.rejected(.init(code: "c", detail: "d", field: nil, deviceEUI: try eui())))
        #expect(answer.plainText == nil)
    }
}
