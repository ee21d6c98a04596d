import Shared

/// Samples of one series: each time once, in time order.
struct Samples: Sendable, Equatable {
    /// Microseconds since the Unix epoch.
    private(set) var times: [Int64] = []
    private(set) var values: [Double] = []

    var count: Int { times.count }

    mutating func reserveCapacity(_ count: Int) {
        times.reserveCapacity(count)
        values.reserveCapacity(count)
    }

    mutating func append(_ ts: Int64, _ value: Double) {
        times.append(ts)
        values.append(value)
    }

    /// Without those before a time.
    func from(_ ts: Int64) -> Samples {
        guard let first = times.first, first < ts else { return self }
        var rest = Samples()
        for index in times.indices where times[index] >= ts { rest.append(times[index], values[index]) }
        return rest
    }
}

/// Puts the samples of one series together from the two places where they lie.
///
/// Of two samples of one time the first accepted counts: a chunk holds what was accepted before anything that is still
/// in the log, and within the log the order of arrival decides.
struct SampleMerge: Sendable {
    private var chunked = Samples()
    private var chunkedInOrder = true
    private var logged = Samples()
    private var loggedInOrder = true

    /// Samples taken in so far, those of equal times included.
    var count: Int { chunked.count + logged.count }

    /// Chunks may come in any order.
    mutating func add(_ chunk: SampleChunk, within span: Range<Int64>) {
        chunk.forEachSample(in: span) { ts, value in
            if let last = chunked.times.last, ts <= last { chunkedInOrder = false }
            chunked.append(ts, value)
        }
    }

    /// Samples of the log must come in the order of acceptance: by the row's id, then by place in its arrays.
    mutating func addLogged(_ ts: Int64, _ value: Double) {
        if let last = logged.times.last, ts <= last { loggedInOrder = false }
        logged.append(ts, value)
    }

    func merged() -> Samples {
        let chunked = chunkedInOrder ? chunked : chunked.inTimeOrder()
        let logged = loggedInOrder ? logged : logged.inTimeOrder()
        if logged.count == 0 { return chunked }
        if chunked.count == 0 { return logged }
        return chunked.joined(with: logged)
    }
}

extension Samples {
    /// Sorted by time; of equal times the one that stood first.
    fileprivate func inTimeOrder() -> Samples {
        let order = times.indices.sorted { left, right in
            times[left] == times[right] ? left < right : times[left] < times[right]
        }
        var sorted = Samples()
        sorted.reserveCapacity(count)
        for index in order where sorted.times.last != times[index] {
            sorted.append(times[index], values[index])
        }
        return sorted
    }

    /// Both in time order; of equal times, `self`'s.
    fileprivate func joined(with later: Samples) -> Samples {
        var joined = Samples()
        joined.reserveCapacity(count + later.count)
        var (mine, theirs) = (0, 0)
        while mine < count || theirs < later.count {
            if theirs == later.count || (mine < count && times[mine] <= later.times[theirs]) {
                if theirs < later.count, times[mine] == later.times[theirs] { theirs += 1 }
                joined.append(times[mine], values[mine])
                mine += 1
            } else {
                joined.append(later.times[theirs], later.values[theirs])
                theirs += 1
            }
        }
        return joined
    }
}
