import Foundation
import Postgres
import Shared
import Support

@testable import Ingest

/// What `GenericDialect` has to make of one uplink, payload apart.
enum UplinkModel {
    typealias Code = UplinkRejection.Code

    /// A payload's faults are looked for elsewhere; here any of these may stand where there is a payload.
    static let payloadCodes: Set<Code> = [
        .payloadInvalid, .payloadTooDeep, .payloadTooLarge, .nulCharacter, .numberOutOfRange,
    ]

    private struct Bad: Error {
        let code: Code
    }

    /// The uplink without payload and leaves.
    static func read(_ json: ReferenceJSON, now: Timestamp) -> Result<Uplink, UplinkRejection> {
        guard case .object = json else { return .failure(UplinkRejection(code: .uplinkNotObject)) }
        guard !json.hasBrokenString else { return .failure(UplinkRejection(code: .stringInvalid)) }
        guard case .string(let text?)? = json["device_eui"], let eui = DeviceEUI(text) else {
            return .failure(UplinkRejection(code: .deviceEUIInvalid))
        }
        do throws(Bad) {
            return .success(try fields(json, eui, now))
        } catch {
            return .failure(UplinkRejection(code: error.code, deviceEUI: eui))
        }
    }

    private static func fields(_ json: ReferenceJSON, _ eui: DeviceEUI, _ now: Timestamp) throws(Bad) -> Uplink {
        let time = try time(json["received_at"], now)
        return Uplink(
            deviceEUI: eui, fcnt: UInt32(try integer(json["fcnt"], 0...4_294_967_295, .fcntInvalid) ?? 0),
            fPort: try integer(json["f_port"], 0...255, .fPortInvalid).map { UInt8($0) },
            devAddr: try devAddr(json["dev_addr"]), session: try reference(json["session"], .sessionInvalid),
            uplinkID: try reference(json["uplink_id"], .uplinkIDInvalid), receivedAt: time ?? now,
            clockUsed: time == nil,
            rssi: try decibels(json["rssi"], .rssiInvalid), snr: try decibels(json["snr"], .snrInvalid),
            gatewayID: try reference(json["gateway_id"], .gatewayIDInvalid), data: try data(json["data"]), payload: nil,
            leaves: [], leavesDropped: 0)
    }

    private static func integer(_ json: ReferenceJSON?, _ range: ClosedRange<Int64>, _ code: Code) throws(Bad) -> Int64?
    {
        guard let json else { return nil }
        guard case .number(let text) = json, let value = Int64(exactly: ReferenceNumber(text).double),
            range.contains(value)
        else { throw Bad(code: code) }
        return value
    }

    private static func decibels(_ json: ReferenceJSON?, _ code: Code) throws(Bad) -> Double? {
        guard let json else { return nil }
        guard case .number(let text) = json, abs(ReferenceNumber(text).double) <= 1_000 else { throw Bad(code: code) }
        return ReferenceNumber(text).double
    }

    private static func reference(_ json: ReferenceJSON?, _ code: Code) throws(Bad) -> String? {
        guard let json else { return nil }
        guard case .string(let text?) = json, text.utf8.count <= 128 else { throw Bad(code: code) }
        guard !text.utf8.contains(0) else { throw Bad(code: .nulCharacter) }
        return text.isEmpty ? nil : text
    }

    private static func devAddr(_ json: ReferenceJSON?) throws(Bad) -> String? {
        guard let text = try reference(json, .devAddrInvalid) else { return nil }
        guard text.wholeMatch(of: /[0-9A-Fa-f]{8}/) != nil else { throw Bad(code: .devAddrInvalid) }
        return text.lowercased()
    }

    private static func time(_ json: ReferenceJSON?, _ now: Timestamp) throws(Bad) -> Timestamp? {
        let time: Timestamp?
        switch json {
        case nil: return nil
        case .string(let text?)?: time = Timestamp(rfc3339: text)
        case .number(let text)? where ReferenceNumber(text).double.isFinite:
            time = ReferenceNumber(text).thousandfold.map { Timestamp(microseconds: $0) }
        default: time = nil
        }
        guard let time else { throw Bad(code: .receivedAtInvalid) }
        return time.microseconds > 0 && time <= now.adding(seconds: 600) ? time : nil
    }

    private static func data(_ json: ReferenceJSON?) throws(Bad) -> [UInt8]? {
        guard let json else { return nil }
        guard case .string(let text?) = json, let bytes = Base64.decode(Array(text.utf8)), bytes.count <= 1_024 else {
            throw Bad(code: .dataInvalid)
        }
        return bytes
    }
}
