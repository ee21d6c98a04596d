import Postgres
import Shared

@testable import Query

/// Reads as `pulsegate_query`, in each way that people and programs read samples.
struct SampleReader: Sendable {
    enum Way: CaseIterable {
        case view, between, seriesQuery
    }

    /// What is asked for: a span, of all series or of one.
    struct Question: TenantScoped {
        let tenant: TenantID
        let span: Range<Int64>
        let series: Int32?

        var tenantID: TenantID { tenant }
    }

    let seed: UInt64

    /// - Parameter began: by the model's clock, before the transaction.
    func read(
        _ question: Question, _ way: Way, in transaction: TenantTransaction, isolation: String, began: Int
    ) async throws -> Reading {
        let samples =
            switch way {
            case .view: try await rows(Self.view(question), question, in: transaction)
            case .between: try await rows(Self.between(question), question, in: transaction)
            case .seriesQuery: try await seriesQuery(question, in: transaction)
            }
        return Reading(
            tenant: question.tenant, way: "\(way) in \(isolation)", began: began, span: question.span,
            series: question.series, samples: samples)
    }

    private static func view(_ question: Question) -> Statement<ReadSample> {
        """
        SELECT tenant_id, series_id, ts, value FROM samples
         WHERE series_id = coalesce(\(question.series), series_id)
           AND ts >= \(question.span.lowerBound) AND ts < \(question.span.upperBound)
        """
    }

    private static func between(_ question: Question) -> Statement<ReadSample> {
        """
        SELECT tenant_id, series_id, ts, value
          FROM samples_between(\(question.span.lowerBound), \(question.span.upperBound))
         WHERE series_id = coalesce(\(question.series), series_id)
        """
    }

    private func rows(
        _ statement: Statement<ReadSample>, _ question: Question, in transaction: TenantTransaction
    ) async throws -> [SamplePlace: Double] {
        var samples: [SamplePlace: Double] = [:]
        for row in try await transaction.all(statement) {
            guard row.tenant == question.tenant else {
                throw HistoryFailure(seed: seed, what: "a row of tenant \(row.tenant.rawValue), not of the reader's")
            }
            try add(row.place, row.value, to: &samples)
        }
        return samples
    }

    /// The way of `GET /series/query`, from the filter to the decoded samples.
    private func seriesQuery(
        _ question: Question, in transaction: TenantTransaction
    ) async throws -> [SamplePlace: Double] {
        let budget = ReadingBudget()
        let rows = try await transaction.all(
            SeriesFilter().reading(question.span, in: TenantScope(question.tenant), budget))
        try budget.check(rows)
        let reading = SeriesReading(rows, within: question.span)
        var samples: [SamplePlace: Double] = [:]
        for series in reading.series where question.series == nil || question.series == series.id {
            let read = reading.samples(of: series)
            for (ts, value) in zip(read.times, read.values) {
                try add(SamplePlace(series: series.id, ts: ts), value, to: &samples)
            }
        }
        return samples
    }

    private func add(_ place: SamplePlace, _ value: Double, to samples: inout [SamplePlace: Double]) throws {
        guard samples.updateValue(value, forKey: place) == nil else {
            throw HistoryFailure(seed: seed, what: "a sample twice: series \(place.series), ts \(place.ts)")
        }
    }
}
