/// What the load generator is asked for.
struct LoadPlan: Sendable {
    enum Pace: Sendable {
        /// A connection's next request goes out when its answer came.
        case closedLoop
        /// So many requests a second, whatever becomes of them: each has a time when it is due, and waits from then on for a free
        /// connection. Latency counts from that time, so a stall is seen by every request that it delays.
        case constant(perSecond: Double)
    }

    var port: Int
    var connections = 32
    var pace = Pace.closedLoop
    /// Seconds before anything is counted.
    var warmUp = 2.0
    /// Seconds that are counted.
    var seconds = 10.0
    /// What the body of each good answer contains.
    var expecting: [UInt8] = []
    /// Answers 429 and 503 are counted like others, by when they came, and what could not be sent by the end is given up.
    var mayBeRefused = false
}

/// What the load generator found.
struct LoadReport: Sendable {
    /// Answers within the counted seconds.
    let requests: Int
    /// Of these, 429 and 503.
    var refused = 0
    /// Seconds that were counted: fewer than planned when the prepared requests ran out.
    let seconds: Double
    let latency: LatencyHistogram

    var perSecond: Double { Double(requests) / seconds }

    /// Both runs as one.
    static func + (left: LoadReport, right: LoadReport) -> LoadReport {
        var latency = left.latency
        latency.merge(right.latency)
        return LoadReport(
            requests: left.requests + right.requests, refused: left.refused + right.refused,
            seconds: left.seconds + right.seconds, latency: latency)
    }

    /// Answers were not 2xx, or not what they should be: whatever was measured then, it is not the work.
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }
}
