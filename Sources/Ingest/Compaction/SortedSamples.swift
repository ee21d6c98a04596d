import Shared

/// Samples of many series brought into order, each (series, time) once: of several, the one that came first stays.
struct SortedSamples {
    struct OneSeries {
        let id: Int32
        /// Microseconds since the Unix epoch; strictly ascending once sorted.
        fileprivate(set) var ts: [Int64] = []
        fileprivate(set) var values: [Double] = []
        fileprivate var isSorted = true

        /// Its first and its last time.
        var span: ClosedRange<Int64> { ts[0]...ts[ts.count - 1] }
    }

    private(set) var series: [OneSeries] = []
    private var places: [Int32: Int] = [:]
    /// Gateways send the same series in the same order again and again; their places are then found without a look-up.
    private var layout: (ids: [Int32], places: [Int]) = ([], [])

    var count: Int { series.reduce(0) { $0 + $1.ts.count } }

    /// What came earlier must be added earlier.
    mutating func add(series ids: [Int32], ts: [Int64], values: [Double]) {
        if layout.ids != ids { layout = (ids, ids.map { place(of: $0) }) }
        for (index, place) in layout.places.enumerated() { series[place].append(ts[index], values[index]) }
    }

    mutating func add(_ chunk: SampleChunk, of id: Int32) {
        let place = place(of: id)
        chunk.forEachSample { series[place].append($0, $1) }
    }

    /// Sorts and drops repetitions; then `ts` of each series is strictly ascending.
    mutating func sort() {
        for index in series.indices where !series[index].isSorted { series[index].sort() }
    }

    /// Takes out what is there already: it was accepted before. Call it after sorting.
    /// - Parameter held: times by series.
    mutating func remove(_ held: [Int32: Set<Int64>]) {
        for (id, times) in held {
            guard let place = places[id] else { continue }
            let kept = series[place].ts.indices.filter { !times.contains(series[place].ts[$0]) }
            series[place].ts = kept.map { series[place].ts[$0] }
            series[place].values = kept.map { series[place].values[$0] }
        }
    }

    private mutating func place(of id: Int32) -> Int {
        if let place = places[id] { return place }
        places[id] = series.count
        series.append(OneSeries(id: id))
        return series.count - 1
    }
}

extension SortedSamples.OneSeries {
    fileprivate mutating func append(_ time: Int64, _ value: Double) {
        if let last = ts.last, last >= time { isSorted = false }
        ts.append(time)
        values.append(value)
    }

    fileprivate mutating func sort() {
        // Among equal times the one that was added first comes first, and alone is kept.
        let order = ts.indices.sorted { (ts[$0], $0) < (ts[$1], $1) }
        var (sortedTS, sortedValues) = ([Int64](), [Double]())
        sortedTS.reserveCapacity(order.count)
        sortedValues.reserveCapacity(order.count)
        for index in order where sortedTS.last != ts[index] {
            sortedTS.append(ts[index])
            sortedValues.append(values[index])
        }
        (ts, values, isSorted) = (sortedTS, sortedValues, true)
    }
}
