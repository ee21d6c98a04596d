/// Spreads a pass over the time that there is until the next, so that requests have a steady neighbour instead of one that takes a
/// processor for seconds and is gone. A pass with more to do than fits does not rest at all.
struct Pace: Sendable {
    private let start = ContinuousClock.now
    private let span: Duration
    /// In any unit, the same for all of it.
    private let work: Int64
    private var done: Int64 = 0

    init(_ span: Duration, work: Int64) {
        self.span = span
        self.work = work
    }

    mutating func did(_ some: Int64) {
        done += some
    }

    /// Until as much of the time has gone by as of the work is done.
    func rest() async throws {
        guard done > 0, done < work else { return }
        try await Task.sleep(until: start + span * (Double(done) / Double(work)), clock: .continuous)
    }
}
