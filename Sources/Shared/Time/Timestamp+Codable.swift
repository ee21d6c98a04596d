import Postgres

/// In JSON a time is an RFC 3339 string; epoch milliseconds are understood too.
extension Timestamp: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            guard let time = Timestamp(rfc3339: text) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an RFC 3339 time")
            }
            self = time
            return
        }
        guard let time = Timestamp(epochMilliseconds: try container.decode(Double.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time in milliseconds")
        }
        self = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339)
    }

    /// Milliseconds since the Unix epoch, fractions kept to the microsecond.
    /// - Returns: nil for what is not finite or outside of the years 0001 to 9999.
    package init?(epochMilliseconds: Double) {
        let microseconds = (epochMilliseconds * 1_000).rounded(.down)
        guard microseconds >= Double(Self.rfc3339Range.lowerBound.microseconds),
            microseconds <= Double(Self.rfc3339Range.upperBound.microseconds), // false for NaN, too
            let exact = Int64(exactly: microseconds)
        else { return nil }
        self.init(microseconds: exact)
        guard Self.rfc3339Range.contains(self) else { return nil }
    }
}
