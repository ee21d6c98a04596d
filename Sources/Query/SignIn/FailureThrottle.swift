/// Slows down who fails to sign in, without locking anybody out: past `freeFailures` within `window`, the next attempt
/// has to wait after the last failure, twice as long each time, up to `longestWait`.
///
/// An attempt counts as failed from its beginning and is forgiven when it succeeds; otherwise many at once would pass
/// before the first has failed.
struct FailureThrottle: Sendable {
    struct Limits: Sendable {
        var freeFailures = 10
        var window = Duration.seconds(15 * 60)
        /// After the first failure too many; each further one doubles it.
        var shortestWait = Duration.seconds(1)
        var longestWait = Duration.seconds(60)
        /// Accounts and addresses remembered; past it, those longest without a failure are forgotten.
        var capacity = 20_000
    }

    enum Subject: Hashable, Sendable {
        /// By e-mail, whether there is such a user or not.
        case account(String)
        case address(String)
    }

    private let limits: Limits
    private var failures: [Subject: [ContinuousClock.Instant]] = [:]

    init(_ limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Accounts and addresses remembered.
    var count: Int { failures.count }

    /// - Returns: how long all of them have to wait before they may try; nil when they may now, which then counts as a
    ///   failure until it is forgiven.
    mutating func attempt(_ subjects: [Subject], now: ContinuousClock.Instant) -> Duration? {
        let waits = subjects.compactMap { wait(of: $0, now) }
        if let longest = waits.max() { return longest }
        makeRoom(now)
        for subject in subjects { failures[subject, default: []].append(now) }
        return nil
    }

    /// The attempt succeeded. An account's earlier failures are forgotten with it, an address's are not: it may be one
    /// that tries many accounts and owns one of them.
    mutating func forgive(_ subjects: [Subject]) {
        for subject in subjects {
            switch subject {
            case .account: failures[subject] = nil
            case .address: withdraw([subject])
            }
        }
    }

    /// The attempt came to nothing for a reason of ours, so it was neither a success nor a failure.
    mutating func withdraw(_ subjects: [Subject]) {
        for subject in subjects where failures[subject] != nil {
            failures[subject]?.removeLast()
            if failures[subject]?.isEmpty == true { failures[subject] = nil }
        }
    }

    private mutating func wait(of subject: Subject, _ now: ContinuousClock.Instant) -> Duration? {
        guard var recent = failures[subject] else { return nil }
        recent.removeAll { $0 + limits.window <= now }
        failures[subject] = recent.isEmpty ? nil : recent
        guard let last = recent.last, recent.count >= limits.freeFailures else { return nil }
        let doublings = min(recent.count - limits.freeFailures, 20)
        let wait = min(limits.shortestWait * (1 << doublings), limits.longestWait)
        return last + wait > now ? now.duration(to: last + wait) : nil
    }

    private mutating func makeRoom(_ now: ContinuousClock.Instant) {
        guard failures.count >= limits.capacity else { return }
        failures = failures.filter { entry in entry.value.contains { $0 + limits.window > now } }
        let surplus = failures.count - limits.capacity * 7 / 8
        guard surplus > 0 else { return }
        let oldest = failures.sorted { ($0.value.last ?? now) < ($1.value.last ?? now) }.prefix(surplus)
        for (subject, _) in oldest { failures[subject] = nil }
    }
}
