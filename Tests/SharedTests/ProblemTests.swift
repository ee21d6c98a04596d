import Foundation
import HTTPTypes
import HummingbirdCore
import Postgres
import Shared
import Testing

struct ProblemTests {
    @Test(arguments: [
        ("23505", 409, "already_exists"), ("23P01", 409, "overlaps"), ("23503", 409, "reference_conflict"),
        ("23514", 422, "invalid"), ("22003", 422, "invalid"), ("22P02", 422, "invalid"), ("40001", 503, "try_again"),
        ("40P01", 503, "try_again"), ("08006", 503, "unavailable"), ("57P01", 503, "unavailable"),
        ("57014", 503, "unavailable"), ("53300", 503, "unavailable"), ("55P03", 503, "unavailable"),
        ("42P01", 500, "internal"), ("42501", 500, "internal"), ("XX000", 500, "internal"),
    ])
    func sqlStates(state: String, status: Int, code: String) {
        let error = PostgresError(kind: .server, sqlState: state, constraint: "sites_code", message: "secret detail")
        for problem in [
            Problem(postgres: error), Problem(anyError: error),
            Problem(postgres: PipelineError(index: 1, underlying: error)),
        ] {
            #expect(problem.status.code == status)
            #expect(problem.code == code)
            #expect(!problem.detail.contains("secret") && !problem.detail.contains("sites_code"))
            #expect((problem.headers[.retryAfter] != nil) == (status == 503))
            #expect((problem.cause != nil) == (status >= 500))
        }
    }

    @Test(arguments: [
        (PostgresError.Kind.connectionLost, 503), (.connectFailed, 503), (.timeout, 503), (.poolExhausted, 503),
        (.poolClosed, 503), (.cancelled, 503), (.decoding, 500), (.protocolViolation, 500),
    ])
    func kinds(kind: PostgresError.Kind, status: Int) {
        #expect(Problem(postgres: PostgresError(kind: kind, message: "x")).status.code == status)
    }

    @Test func headersThatStatusesDemand() {
        #expect(Problem.unauthorized().headers[.wwwAuthenticate] == "Bearer realm=\"pulsegate\"")
        #expect(Problem.unauthorized(challenge: "Signature").headers[.wwwAuthenticate] == "Signature")
        let policy = RateLimitPolicy("key", rate: 50, burst: 120)
        #expect(Problem.tooManyRequests(policy, retryAfter: 0).headers[.retryAfter] == "1")
        let slowDown = Problem.tooManyRequests(policy, retryAfter: 7).headers
        #expect(slowDown[.retryAfter] == "7")
        #expect(slowDown[.rateLimitPolicy] == "\"key\";q=120;w=3")
        #expect(slowDown[.rateLimit] == "\"key\";r=0;t=7")
        #expect(Problem.methodNotAllowed([.put, .get]).headers[.allow] == "GET, PUT")
        #expect(Problem.quotaExceeded(detail: "30 stores").status == .tooManyRequests)
    }

    @Test func fieldsAtFaultAreListed() throws {
        let problem = Problem.unprocessable([.init(field: "name", code: "required", detail: "A name is needed.")])
        let response = try problem.response(requestID: "r1")
        #expect(response.status == .unprocessableContent)
        #expect(response.headers[.contentType] == "application/problem+json")
        #expect(response.headers[.contentLength] == "\(response.body.contentLength ?? 0)")
    }

    @Test func unknownErrorsAreOurs() {
        struct Odd: Error {}
        #expect(Problem(anyError: Odd()).status == .internalServerError)
        #expect(Problem(anyError: CancellationError()).status == .serviceUnavailable)
        #expect(Problem(anyError: Problem.notFound()).status == .notFound)
        #expect(Problem.bare(.expectationFailed).code == "expectation_failed")
        #expect(Problem.bare(.contentTooLarge).code == Problem.payloadTooLarge(limit: 1).code)
        #expect(Problem.bare(.init(code: 499, reasonPhrase: "")).code == "error_499")
    }
}
