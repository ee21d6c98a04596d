import Postgres
import Shared

/// What `GET /series/query` asks for.
struct SeriesQuery: Sendable {
    /// Buckets of one length; nil where raw samples are wanted.
    struct Buckets: Sendable {
        let step: Step
        let aggregation: Aggregation
    }

    let filter: SeriesFilter
    /// Half-open, in microseconds since the Unix epoch.
    let span: Range<Int64>
    let buckets: Buckets?
}

extension SeriesQuery {
    static let defaultSpan: Int64 = 3_600_000_000

    /// Without `to` the span ends now, without `from` it is an hour long. With neither `step` nor `max_points` the
    /// samples themselves are answered, and `agg` says nothing.
    ///
    /// - Throws: `Problem` 422.
    init(_ query: inout QueryParameters, now: Timestamp, _ budget: ReadingBudget) throws {
        filter = SeriesFilter(&query)
        let to = query.time("to") ?? now
        let from = query.time("from") ?? to.adding(microseconds: -Self.defaultSpan)
        if from >= to { query.refuse("from", "empty_span", "Must be before to.") }
        span = from.microseconds..<max(from, to).microseconds
        let aggregations: [Aggregation] = query.words("agg")
        if aggregations.count > 1 { query.refuse("agg", "too_many", "Must be one.") }
        let step = Self.step(&query, span, budget)
        buckets = step.map { Buckets(step: $0, aggregation: aggregations.first ?? .avg) }
        try query.check()
    }

    private static func step(
        _ query: inout QueryParameters, _ span: Range<Int64>, _ budget: ReadingBudget
    ) -> Step? {
        let maxPoints = query.integer("max_points", in: 1...budget.points)
        guard let text = query.text("step") else {
            return maxPoints.map { Step.dividing(span, into: Int64($0)) }
        }
        guard let step = Step(text) else {
            query.refuse("step", "invalid_step", "Must be seconds, or a number with ms, s, m, h, d or w; at least 1ms.")
            return nil
        }
        if step.buckets(in: span) > Int64(budget.points) {
            query.refuse(
                "step", "too_many_points",
                "More than \(budget.points) points a series: widen step, or narrow from and to.")
        }
        return step
    }
}

extension SeriesQuery {
    struct Line: Sendable {
        let series: SeriesDescription
        let points: Samples
    }

    /// The answer's lines, in the order of metrics.
    ///
    /// - Throws: `Problem` 422 where one has too many points.
    func lines(of reading: SeriesReading, _ budget: ReadingBudget) throws -> [Line] {
        try reading.series.map { series in
            let samples = reading.samples(of: series)
            let points = buckets.map { samples.bucketed(by: $0.step.microseconds, $0.aggregation) } ?? samples
            guard points.count <= budget.points else {
                throw Problem.tooMuch(
                    "step", "too_many_points",
                    """
                    More than \(budget.points) points of \(series.metric): give step or max_points, or narrow the span.
                    """)
            }
            return Line(series: series, points: points)
        }
    }
}
