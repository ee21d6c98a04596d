import Shared

/// How much one request may read: what is past it is refused, with a word on what to narrow.
struct ReadingBudget: Sendable {
    /// Series that may match.
    var series = 1_000
    /// Samples that may be decoded.
    var samples = 2_000_000
    /// Chunks and rows of the log; bounds what is read where they hold few samples each.
    var rows = 50_000
    /// Points of one series in an answer.
    var points = 11_000
}

extension ReadingBudget {
    /// Before anything is decoded: a refusal should cost less than an answer.
    ///
    /// - Throws: `Problem` 422 that says what to narrow.
    func check(_ rows: [SeriesReadingRow]) throws {
        let stored = rows.lazy.compactMap { if case .samples(let samples) = $0 { samples } else { nil } }
        guard rows.count - stored.count <= series else {
            throw Problem.tooMuch(
                "metric", "too_many_series",
                "More than \(series) series match: name metrics, a store, a device or labels.")
        }
        guard allows(stored) else {
            throw Problem.tooMuch(
                "from", "too_many_samples",
                "More than \(samples) samples to read: narrow from and to, or name fewer series.")
        }
    }

    /// Whether this is all there was to read: a statement stops where the budget does.
    func allows(_ stored: some Sequence<StoredSamples>) -> Bool {
        var (read, count) = (Int64(0), 0)
        for samples in stored { (read, count) = (max(read, samples.readSoFar), count + 1) }
        return read <= samples && count < rows
    }
}

extension Problem {
    /// Whether more would have to be read than one request may.
    var isTooMuch: Bool { errors.contains { $0.code == "too_many_samples" } }

    /// - Parameter field: the parameter to narrow.
    static func tooMuch(_ field: String, _ code: String, _ detail: String) -> Problem {
        unprocessable([FieldError(field: field, code: code, detail: detail)])
    }
}
