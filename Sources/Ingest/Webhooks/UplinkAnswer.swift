import HTTPTypes
import Hummingbird
import Shared

/// How one uplink of a request ended.
enum UplinkResult: Sendable {
    struct Rejection: Sendable {
        let code: String
        let detail: String
        let field: String?
        let deviceEUI: DeviceEUI?
    }

    case taken(UplinkOutcome, deviceEUI: DeviceEUI, fcnt: UInt32)
    /// Kept, and yet to be decided.
    case spooled(deviceEUI: DeviceEUI, fcnt: UInt32)
    case rejected(Rejection)

    var isRejected: Bool {
        if case .rejected = self { true } else { false }
    }
}

/// What a network server is told of one uplink.
struct UplinkAnswer: Encodable {
    struct Reason: Encodable {
        let code: String
        let detail: String
    }

    enum CodingKeys: String, CodingKey {
        case status, fcnt, reason
        case deviceEUI = "device_eui"
    }

    let status: String
    let deviceEUI: String?
    let fcnt: UInt32?
    let reason: Reason?

    init(_ result: UplinkResult) {
        switch result {
        case .taken(let outcome, let deviceEUI, let fcnt):
            status = outcome.name
            self.deviceEUI = deviceEUI.rawValue
            self.fcnt = fcnt
            reason = nil
        case .spooled(let deviceEUI, let fcnt):
            status = "spooled"
            self.deviceEUI = deviceEUI.rawValue
            self.fcnt = fcnt
            reason = nil
        case .rejected(let rejection):
            status = "rejected"
            deviceEUI = rejection.deviceEUI?.rawValue
            fcnt = nil
            reason = Reason(code: rejection.code, detail: rejection.detail)
        }
    }
}

extension UplinkAnswer {
    func response(status: HTTPResponse.Status = .ok) throws -> Response {
        guard status == .ok else { return try JSONResponse.make(self, status: status) }
        return try JSONResponse.make(self, text: plainText)
    }

    /// What the encoder would write, in a twentieth of its time; nil for what was rejected, which is rare.
    var plainText: String? {
        guard reason == nil, let deviceEUI, let fcnt else { return nil }
        return #"{"device_eui":"\#(deviceEUI)","fcnt":\#(fcnt),"status":"\#(status)"}"#
    }
}

extension UplinkOutcome {
    var name: String {
        switch self {
        case .stored: "stored"
        case .duplicate: "duplicate"
        case .orphan: "orphan"
        case .refused: "rejected"
        }
    }
}
