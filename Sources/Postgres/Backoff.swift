/// Exponential back-off with jitter: the first wait is at most `base`, each further one twice that, up to `limit`.
/// Half of it is left to chance, so that many clients don't come back at once.
struct Backoff: Sendable {
    var base: Duration = .milliseconds(100)
    var limit: Duration = .seconds(10)

    /// - Parameters:
    ///   - failures: how many attempts failed in a row, from 1.
    ///   - jitter: 0 to 1, from a random source.
    func delay(afterFailures failures: Int, jitter: Double) -> Duration {
        let doublings = min(max(failures - 1, 0), 20)
        let full = min(base * (1 << doublings), limit)
        return full / 2 + full / 2 * jitter
    }
}
