import Foundation
import Postgres
import Shared

/// One message of a device, as any network server's dialect tells it.
struct Uplink: Sendable, Equatable {
    /// Most leaves of a payload that become samples.
    static let maxLeaves = 64

    var deviceEUI: DeviceEUI
    /// The LoRaWAN frame counter; 0 when the sender left it out.
    var fcnt: UInt32
    var fPort: UInt8?
    /// 8 hex digits, lowercase.
    var devAddr: String?
    /// The network server's name for the device's session.
    var session: String?
    /// The network server's id for the uplink.
    var uplinkID: String?
    /// The network's time, or ours when `clockUsed`.
    var receivedAt: Timestamp
    /// The network gave no time, or none that can be.
    var clockUsed: Bool
    /// dBm.
    var rssi: Double?
    /// dB.
    var snr: Double?
    var gatewayID: String?
    var data: [UInt8]?
    /// Canonical JSON of an object.
    var payload: String?
    /// Numbers and booleans of `payload`, in its order, each name once.
    var leaves: [Leaf]
    /// Leaves that could not become samples: no valid name, a name that came before, or past `maxLeaves`.
    var leavesDropped: Int

    struct Leaf: Sendable, Equatable {
        /// A metric name.
        var name: String
        var value: Double
    }

    /// Names the join this uplink belongs to; nil when the sender tells nothing of it.
    var sessionReference: String? { session ?? devAddr }

    /// The network's time, nil when it gave none.
    var networkTime: Timestamp? { clockUsed ? nil : receivedAt }

    /// Tells a retransmission from another message under the same counter: the first 16 bytes of SHA-256 over `data`
    /// if given, else over the canonical JSON of the payload. The port is not in it.
    var payloadHash: UUID {
        var digest = ContentDigest()
        digest.update(data ?? payload.map { Array($0.utf8) } ?? [])
        return digest.finish()
    }
}

/// An uplink that was not taken, and why.
struct UplinkRejection: Error, Sendable, Equatable {
    var code: Code
    /// Known when the fault lies elsewhere.
    var deviceEUI: DeviceEUI?

    /// For people. Never holds anything of the request.
    var detail: String { code.detail }

    /// The member at fault.
    var field: String? { code.field }

    /// The names clients see; they don't change.
    enum Code: String, Sendable, CaseIterable {
        case uplinkNotObject = "uplink_not_object"
        case stringInvalid = "string_invalid"
        case deviceEUIInvalid = "device_eui_invalid"
        case fcntInvalid = "fcnt_invalid"
        case fPortInvalid = "f_port_invalid"
        case devAddrInvalid = "dev_addr_invalid"
        case sessionInvalid = "session_invalid"
        case uplinkIDInvalid = "uplink_id_invalid"
        case receivedAtInvalid = "received_at_invalid"
        case rssiInvalid = "rssi_invalid"
        case snrInvalid = "snr_invalid"
        case gatewayIDInvalid = "gateway_id_invalid"
        case dataInvalid = "data_invalid"
        case payloadInvalid = "payload_invalid"
        case payloadTooLarge = "payload_too_large"
        case payloadTooDeep = "payload_too_deep"
        case numberOutOfRange = "number_out_of_range"
        case nulCharacter = "nul_character"
    }
}

extension UplinkRejection.Code {
    var detail: String {
        switch self {
        case .uplinkNotObject: "An uplink is an object."
        case .stringInvalid: "A string has an unknown escape or half a surrogate pair."
        case .deviceEUIInvalid: "device_eui must be 16 hex digits."
        case .fcntInvalid: "fcnt must be an integer from 0 to 4294967295."
        case .fPortInvalid: "f_port must be an integer from 0 to 255."
        case .devAddrInvalid: "dev_addr must be 8 hex digits."
        case .sessionInvalid: "session must be a string of at most \(GenericDialect.maxReferenceBytes) bytes."
        case .uplinkIDInvalid: "uplink_id must be a string of at most \(GenericDialect.maxReferenceBytes) bytes."
        case .receivedAtInvalid: "received_at must be RFC 3339 or epoch milliseconds."
        case .rssiInvalid: "rssi must be a number of dBm."
        case .snrInvalid: "snr must be a number of dB."
        case .gatewayIDInvalid: "gateway_id must be a string of at most \(GenericDialect.maxReferenceBytes) bytes."
        case .dataInvalid: "data must be base64 of at most \(GenericDialect.maxDataBytes) bytes."
        case .payloadInvalid: "payload must be an object."
        case .payloadTooLarge: "payload has at most 16 KiB."
        case .payloadTooDeep: "payload is nested at most 8 deep."
        case .numberOutOfRange: "A number in payload has no finite double or too many digits."
        case .nulCharacter: "Strings can't hold U+0000."
        }
    }

    var field: String? {
        switch self {
        case .deviceEUIInvalid: "device_eui"
        case .fcntInvalid: "fcnt"
        case .fPortInvalid: "f_port"
        case .devAddrInvalid: "dev_addr"
        case .sessionInvalid: "session"
        case .uplinkIDInvalid: "uplink_id"
        case .receivedAtInvalid: "received_at"
        case .rssiInvalid: "rssi"
        case .snrInvalid: "snr"
        case .gatewayIDInvalid: "gateway_id"
        case .dataInvalid: "data"
        case .payloadInvalid, .payloadTooLarge, .payloadTooDeep, .numberOutOfRange: "payload"
        case .uplinkNotObject, .stringInvalid, .nulCharacter: nil
        }
    }
}
