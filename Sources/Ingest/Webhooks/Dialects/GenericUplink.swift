import Postgres
import Shared

/// Reads one uplink of the generic dialect. Members nobody knows are ignored; null and, for names and references, an
/// empty string count as absent.
enum GenericUplink {
    private static let maxAhead: Int64 = 10 * 60 * 1_000_000

    static func read(_ node: JSONNode, now: Timestamp) -> Result<Uplink, UplinkRejection> {
        guard node.kind == .object else { return .failure(UplinkRejection(code: .uplinkNotObject)) }
        guard !node.hasBrokenString else { return .failure(UplinkRejection(code: .stringInvalid)) }
        guard let text = node["device_eui"]?.string, let deviceEUI = DeviceEUI(text) else {
            return .failure(UplinkRejection(code: .deviceEUIInvalid))
        }
        do throws(Fault) {
            return .success(try read(node, of: deviceEUI, now: now))
        } catch {
            return .failure(UplinkRejection(code: error.code, deviceEUI: deviceEUI))
        }
    }

    private typealias Code = UplinkRejection.Code

    private struct Fault: Error {
        var code: Code
    }

    private static func read(_ node: JSONNode, of deviceEUI: DeviceEUI, now: Timestamp) throws(Fault) -> Uplink {
        let networkTime = try time(node["received_at"], now: now)
        let payload = try payload(node["payload"])
        return Uplink(
            deviceEUI: deviceEUI,
            fcnt: UInt32(try integer(node["fcnt"], 0...4_294_967_295, .fcntInvalid) ?? 0),
            fPort: try integer(node["f_port"], 0...255, .fPortInvalid).map { UInt8($0) },
            devAddr: try devAddr(node["dev_addr"]),
            session: try reference(node["session"], .sessionInvalid),
            uplinkID: try reference(node["uplink_id"], .uplinkIDInvalid),
            receivedAt: networkTime ?? now, clockUsed: networkTime == nil,
            rssi: try signal(node["rssi"], .rssiInvalid), snr: try signal(node["snr"], .snrInvalid),
            gatewayID: try reference(node["gateway_id"], .gatewayIDInvalid), data: try data(node["data"]),
            payload: payload?.json, leaves: payload?.leaves ?? [], leavesDropped: payload?.leavesDropped ?? 0)
    }

    private static func integer(
        _ node: JSONNode?, _ range: ClosedRange<Int64>, _ code: Code
    ) throws(Fault) -> Int64? {
        guard let node else { return nil }
        guard let integer = node.integer, range.contains(integer) else { throw Fault(code: code) }
        return integer
    }

    /// Decibels: no radio's lie outside ±1,000.
    private static func signal(_ node: JSONNode?, _ code: Code) throws(Fault) -> Double? {
        guard let node else { return nil }
        guard let number = node.double, abs(number) <= 1_000 else { throw Fault(code: code) }
        return number
    }

    private static func reference(_ node: JSONNode?, _ code: Code) throws(Fault) -> String? {
        guard let node else { return nil }
        guard node.kind == .string, node.text.count <= GenericDialect.maxReferenceBytes else { throw Fault(code: code) }
        guard !node.text.contains(0) else { throw Fault(code: .nulCharacter) }
        return node.text.isEmpty ? nil : node.string
    }

    private static func devAddr(_ node: JSONNode?) throws(Fault) -> String? {
        guard let text = try reference(node, .devAddrInvalid) else { return nil }
        let isHex = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
            default: false
            }
        }
        guard isHex, text.utf8.count == 8 else { throw Fault(code: .devAddrInvalid) }
        // Senders differ in case; another reference would look like another join.
        return text.lowercased()
    }

    /// Nil where our clock has to do: no time, one before 1970 (a zero time, be it epoch 0 or year 1), or one over
    /// 10 minutes ahead.
    private static func time(_ node: JSONNode?, now: Timestamp) throws(Fault) -> Timestamp? {
        guard let node else { return nil }
        let time: Timestamp
        if node.kind == .string {
            guard let parsed = Timestamp(rfc3339: node.text) else { throw Fault(code: .receivedAtInvalid) }
            time = parsed
        } else {
            guard let microseconds = node.epochMicroseconds else { throw Fault(code: .receivedAtInvalid) }
            time = Timestamp(microseconds: microseconds)
        }
        let isPossible = time.microseconds > 0 && time.microseconds <= now.microseconds + maxAhead
        return isPossible ? time : nil
    }

    private static func data(_ node: JSONNode?) throws(Fault) -> [UInt8]? {
        guard let node else { return nil }
        guard node.kind == .string, node.text.count <= (GenericDialect.maxDataBytes + 2) / 3 * 4,
            let bytes = Base64.decode(node.text), bytes.count <= GenericDialect.maxDataBytes
        else { throw Fault(code: .dataInvalid) }
        return bytes
    }

    private static func payload(_ node: JSONNode?) throws(Fault) -> UplinkPayload? {
        guard let node else { return nil }
        guard node.kind == .object else { throw Fault(code: .payloadInvalid) }
        do throws(CanonicalJSON.Fault) {
            return try UplinkPayload(node)
        } catch {
            throw Fault(code: code(error))
        }
    }

    private static func code(_ fault: CanonicalJSON.Fault) -> Code {
        switch fault {
        case .tooDeep: .payloadTooDeep
        case .tooLong: .payloadTooLarge
        case .brokenString: .stringInvalid
        case .nulCharacter: .nulCharacter
        case .numberOutOfRange: .numberOutOfRange
        }
    }
}
