import Foundation
import Postgres
import Shared

/// One LoRaWAN sensor, as its network server tells of it.
struct SensorSimulation: Sendable {
    struct Uplink: Encodable, Sendable {
        let deviceEUI: String
        let fcnt: Int
        let fPort: Int
        let devAddr: String
        let receivedAt: String
        let rssi: Int
        let snr: Double
        let gatewayID: String
        let payload: [String: Reading]

        private enum CodingKeys: String, CodingKey {
            case fcnt, rssi, snr, payload
            case deviceEUI = "device_eui"
            case fPort = "f_port"
            case devAddr = "dev_addr"
            case receivedAt = "received_at"
            case gatewayID = "gateway_id"
        }
    }

    enum Reading: Encodable, Sendable {
        case number(Double)
        case flag(Bool)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .flag(let flag): try container.encode(flag)
            }
        }
    }

    enum Kind: Sendable {
        case bay, meetingRoom, climate
    }

    private let deviceEUI: DeviceEUI
    private let kind: Kind
    private var devAddr: UInt32
    private var fcnt = 0
    private var battery = Double.random(in: 60...100)
    private var isOccupied = Bool.random()
    private var temperature = Double.random(in: 18...24)

    init(deviceEUI: DeviceEUI, kind: Kind) {
        self.deviceEUI = deviceEUI
        self.kind = kind
        devAddr = Self.newAddress()
    }

    /// The next uplink. One in some hundreds comes after a rejoin: another address, and the counter at 0 again.
    mutating func transmit(at now: Timestamp) -> Uplink {
        if Int.random(in: 0..<400) == 0 {
            devAddr = Self.newAddress()
            fcnt = 0
        } else {
            fcnt += 1
        }
        battery = max(0, battery - .random(in: 0...0.01))
        if Int.random(in: 0..<8) == 0 { isOccupied.toggle() }
        temperature += (21 - temperature) * 0.02 + .random(in: -0.2...0.2)
        return Uplink(
            deviceEUI: deviceEUI.rawValue, fcnt: fcnt, fPort: 2, devAddr: hex(devAddr), receivedAt: now.rfc3339,
            rssi: .random(in: -118 ... -70), snr: Double.random(in: -8...11).cents,
            gatewayID: "gw-\(Int.random(in: 1...3))",
            payload: payload)
    }

    private var payload: [String: Reading] {
        var payload: [String: Reading] = ["battery": .number(battery.cents)]
        if kind != .climate { payload["occupied"] = .flag(isOccupied) }
        if kind != .bay {
            payload["temperature"] = .number(temperature.cents)
            payload["humidity"] = .number(Double.random(in: 35...60).rounded())
        }
        return payload
    }

    private static func newAddress() -> UInt32 { .random(in: 0x2600_0000...0x27FF_FFFF) }

    private func hex(_ address: UInt32) -> String {
        let digits = String(address, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
