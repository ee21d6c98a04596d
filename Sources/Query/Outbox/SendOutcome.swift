import AsyncHTTPClient
import NIOHTTP1
import Postgres
import Shared

/// How an attempt to send something ended.
enum SendOutcome: Equatable, Sendable {
    /// - Parameter status: of HTTP, where there is one.
    case taken(status: Int32? = nil)
    /// Whoever was there wants no more (410).
    case gone
    /// May be taken another time.
    case failed(_ reason: String, status: Int32? = nil, retryAfter: Duration? = nil)
    /// Will never be taken.
    case refused(_ reason: String)
}

extension SendOutcome {
    /// What an endpoint's answer means.
    init(_ response: HTTPClientResponse, at now: Timestamp) {
        let status = Int32(response.status.code)
        switch status {
        case 200..<300: self = .taken(status: status)
        case 410: self = .gone
        default:
            self = .failed("status \(status)", status: status, retryAfter: RetryAfter(response.headers, at: now)?.pause)
        }
    }

    /// Of HTTP, where it came to that.
    var status: Int32? {
        switch self {
        case .taken(let status), .failed(_, let status, _): status
        case .gone: 410
        case .refused: nil
        }
    }

    /// Nil where it was taken.
    var reason: String? {
        switch self {
        case .taken: nil
        case .gone: "410 Gone"
        case .failed(let reason, _, _), .refused(let reason): reason.cut(to: 500)
        }
    }
}
