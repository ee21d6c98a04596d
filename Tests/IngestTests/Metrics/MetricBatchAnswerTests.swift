import Foundation
import Shared
import Testing

@testable import Ingest

@Suite struct MetricBatchAnswerTests {
    private func answer(_ outcome: MetricOutcome, rejected: [RowRejection] = []) throws -> MetricBatchAnswer {
        let batch = MetricBatch(
            batchID: nil, processed: 3 + rejected.count, everyRowHasOwnTime: true, positions: [0, 1, 2],
            microseconds: [1, 2, 3], values: [1, 2, 3], seriesHashes: [1, 2, 3], rejected: rejected,
            canonicalEnds: [0, 0, 0],
            canonicalBytes: [])
        return try MetricBatchAnswer(batch: batch, accepted: 3, outcome: outcome)
    }

    @Test(arguments: [MetricOutcome.stored, .duplicate])
    func theShortWayWritesWhatTheEncoderDoes(_ outcome: MetricOutcome) throws {
        let answer = try answer(outcome)
        #expect(try answer.plainText == String(decoding: JSONCoding.encoder.encode(answer), as: UTF8.self))
    }

    @Test func whatIsRejectedTakesTheEncoder() throws {
        #expect(try answer(.stored, rejected: [RowRejection(index: 3, code: .seriesLimit)]).plainText == nil)
    }
}
