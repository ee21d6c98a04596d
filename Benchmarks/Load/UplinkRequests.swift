import Crypto
import Foundation

extension Laboratory {
    /// Frame counter of every sensor's first uplink: what "filled" stores has lower ones.
    static let firstFrame = 1_000_000

    /// Signed uplinks, sensor after sensor and minute after minute, made beforehand.
    /// - Parameter numbers: uplink `n` is sensor `n mod sensors`'s, so other numbers are other uplinks.
    func uplinks(_ numbers: Range<Int>) -> PreparedRequests {
        let key = SymmetricKey(data: Data(integrationSecret.utf8))
        let start = Int64.tenSecondsOf(daysAgo: 2)
        var requests = PreparedRequests(repeats: false)
        for number in numbers {
            let body = uplink(number, at: start + Int64(number / sensors) * 60_000)
            let signature = HMAC<SHA256>.authenticationCode(for: body, using: key)
            let head = """
                POST /v1/webhooks/\(integrationID) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
                Content-Length: \(body.count)\r\nX-Webhook-Signature: sha256=\(Self.hex(signature))\r\n\r\n
                """
            requests.append([Array(head.utf8), body].joined())
        }
        return requests
    }

    private func uplink(_ number: Int, at milliseconds: Int64) -> [UInt8] {
        let temperature = "\(15 + number % 12).\(number / 7 % 10)"
        let body = """
            {"device_eui":"\(Self.deviceEUI(number % sensors))","fcnt":\(Self.firstFrame + number / sensors),"f_port":2,\
            "dev_addr":"26011bda","received_at":\(milliseconds),"rssi":-97,"snr":7.2,"gateway_id":"gw-1",\
            "payload":{"occupied":\(number % 3 == 0),"temperature":\(temperature),"battery":97}}
            """
        return Array(body.utf8)
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
