import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Shared

/// What a gateway is told of its batch: `processed = stored + duplicates + rejected`, once that is known.
struct MetricBatchAnswer: Encodable {
    struct Rejection: Encodable {
        let index: Int
        let code: String
        let detail: String

        init(_ rejection: RowRejection) {
            index = rejection.index
            code = rejection.code.rawValue
            detail = rejection.detail
        }
    }

    enum CodingKeys: String, CodingKey {
        case status, processed, stored, duplicates, rejected
        case rejectedTotal = "rejected_total"
    }

    let status: String
    let processed: Int
    /// Nil while that is not known: the batch is spooled.
    let stored: Int?
    let duplicates: Int?
    let rejected: [Rejection]
    /// Only where not all are listed.
    let rejectedTotal: Int?

    /// - Parameter accepted: good rows.
    /// - Throws: `Problem` when PostgreSQL refused the record itself.
    init(batch: MetricBatch, accepted: Int, outcome: MetricOutcome) throws {
        guard outcome != .refused else {
            throw Problem.unprocessable(code: "refused", detail: "The database refused this batch.")
        }
        status = "success"
        processed = batch.processed
        stored = outcome == .stored ? accepted : 0
        duplicates = outcome == .duplicate ? accepted : 0
        (rejected, rejectedTotal) = Self.rejections(of: batch)
    }

    /// For a batch that is kept until the database is back.
    init(spooled batch: MetricBatch) {
        status = "spooled"
        processed = batch.processed
        (stored, duplicates) = (nil, nil)
        (rejected, rejectedTotal) = Self.rejections(of: batch)
    }

    private static func rejections(of batch: MetricBatch) -> ([Rejection], total: Int?) {
        let listed = batch.rejected.prefix(MetricBatchRoute.maxListed).map(Rejection.init)
        return (listed, batch.rejected.count > listed.count ? batch.rejected.count : nil)
    }

    func response() throws -> Response {
        guard stored != nil else { return try JSONResponse.make(self, status: .accepted) }
        return try JSONResponse.make(self, text: plainText)
    }

    /// What the encoder would write, in a twentieth of its time; nil where something was rejected, which is rare.
    var plainText: String? {
        guard rejected.isEmpty, let stored, let duplicates else { return nil }
        return
            #"{"duplicates":\#(duplicates),"processed":\#(processed),"rejected":[],"status":"\#(status)","stored":\#(stored)}"#
    }

    /// No good row: 422, with the same list.
    static func nothingStored(_ batch: MetricBatch) -> Problem {
        Problem.unprocessable(
            code: "no_good_row", detail: "None of the \(batch.processed) metrics can be stored.",
            errors: batch.rejected.prefix(MetricBatchRoute.maxListed).map { rejection in
                .init(
                    field: "metrics[\(rejection.index)]", code: rejection.code.rawValue, detail: rejection.detail)
            })
    }
}
