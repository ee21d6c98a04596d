import Foundation
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct SeriesQueryTests {
    private static let path = "/api/v1/series/query?from=2026-01-05T00:00:00Z&to=2026-01-05T00:20:00Z"

    @Test func answersRawSamplesOfLogAndChunks() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let answered = try await bed.get(Self.path + "&metric=pos.sales&store=T01&label.till=1", as: token)
            #expect(answered.status == .ok, "\(answered.text)")
            let minutes = (0...11).map { 1_767_571_200_000 + $0 * 60_000 }
            let values = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1_000, 1_100]
            let points = zip(minutes, values).map { "[\($0),\($1)]" }.joined(separator: ",")
            let owner = "{\"kind\":\"store\",\"id\":\"\(TwoTenants.t01.lowercaseString)\",\"code\":\"T01\"}"
            #expect(
                answered.text == """
                    {"data":[{"metric":"pos.sales","owner":\(owner),"labels":{"till": "1"},"points":[\(points)]}],\
                    "step":null,"agg":null,"source":"raw"}
                    """)
        }
    }

    @Test(arguments: [
        ("avg", "[[1767571200000,2],[1767571500000,7],[1767571800000,1050]]"),
        ("min", "[[1767571200000,0],[1767571500000,5],[1767571800000,1000]]"),
        ("max", "[[1767571200000,4],[1767571500000,9],[1767571800000,1100]]"),
        ("sum", "[[1767571200000,10],[1767571500000,35],[1767571800000,2100]]"),
        ("count", "[[1767571200000,5],[1767571500000,5],[1767571800000,2]]"),
    ])
    func aggregatesBuckets(aggregation: String, points: String) async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            for how in ["step=5m", "step=300", "max_points=4"] {
                let answered = try await bed.get(
                    Self.path + "&metric=pos.sales&store=T01&label.till=1&agg=\(aggregation)&\(how)", as: token)
                #expect(answered.text.contains("\"points\":\(points)"), "\(answered.text)")
                #expect(answered.json["step"] as? Int == 300)
                #expect(answered.json["agg"] as? String == aggregation)
            }
        }
    }

    @Test func spansAreHalfOpenAndBucketsCountFromTheEpoch() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let what = "metric=pos.sales&store=T01&label.till=1"
            let raw = try await bed.get(
                "/api/v1/series/query?\(what)&from=1767571260000&to=2026-01-05T01:03:00%2B01:00", as: token)
            #expect(raw.text.contains("\"points\":[[1767571260000,1],[1767571320000,2]]"), "\(raw.text)")
            let buckets = try await bed.get(
                "/api/v1/series/query?\(what)&from=1767571260000&to=1767571380000&step=5m&agg=sum", as: token)
            #expect(buckets.text.contains("\"points\":[[1767571200000,3]]"), "\(buckets.text)")
            let fine = try await bed.get(Self.path + "&metric=temperature&device=70-B3-D5-7E-D0-00-00-01", as: token)
            #expect(fine.text.contains("\"points\":[[1767571200000.500,21.5]]"), "\(fine.text)")
        }
    }

    @Test(arguments: [
        ("metric=pos.sales", ["pos.sales T01", "pos.sales T01", "pos.sales T02"]),
        ("metric=pos.*", ["pos.returns T01", "pos.sales T01", "pos.sales T01", "pos.sales T02"]),
        ("metric=pos.sale%3F&store=T02", ["pos.sales T02"]),
        ("metric=pos_*", []),
        ("metric=*.sales&store=T02", ["pos.sales T02"]),
        (
            "metric=pos.returns,temperature",
            ["pos.returns T01", "temperature \(TwoTenants.bayEUI)", "temperature \(TwoTenants.looseEUI)"]
        ),
        ("metric=pos.returns&metric=nothing", ["pos.returns T01"]),
        ("store=\(TwoTenants.t02)", ["pos.sales T02"]),
        ("site=P01", ["temperature \(TwoTenants.bayEUI)"]),
        ("site=T01&site=T02", ["pos.returns T01", "pos.sales T01", "pos.sales T01", "pos.sales T02"]),
        ("space=B1", ["temperature \(TwoTenants.bayEUI)"]),
        ("device=\(TwoTenants.looseEUI)", ["temperature \(TwoTenants.looseEUI)"]),
        ("label.till=1", ["pos.sales T01", "pos.sales T02"]),
        ("label.till=1&label.till=2&store=T01", ["pos.sales T01", "pos.sales T01"]),
        ("label.till=1&label.floor=2", []),
        ("store=T09", []),
    ])
    func filters(query: String, expected: [String]) async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            for path in ["/api/v1/series?", Self.path + "&"] {
                let answered = try await bed.get(path + query, as: token)
                let found = answered.data.map { line in
                    "\(line["metric"] ?? "") \((line["owner"] as? [String: Any])?["code"] ?? "")"
                }
                #expect(found == expected, "\(path): \(answered.text)")
            }
        }
    }

    @Test(arguments: [
        ("from=yesterday", ["from: invalid_time"]),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", ["from: empty_span"]),
        ("step=0&agg=median", ["agg: unknown_value", "step: invalid_step"]),
        ("max_points=0", ["max_points: out_of_range"]),
        ("from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z&step=1s", ["step: too_many_points"]),
    ])
    func refusesWhatItCannotAnswer(query: String, faults: [String]) async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            let answered = try await bed.get("/api/v1/series/query?\(query)", as: token)
            #expect(answered.status == .unprocessableContent)
            #expect(answered.faults == faults, "\(answered.text)")
        }
    }

    /// Past a budget the answer says what to narrow, and never a part of the truth.
    @Test func budgetsRefuseRatherThanCut() async throws {
        try await Testbed.run { bed in
            let tenant = try #require(try await bed.services.database.lookUp(Tenant.bySlug("north")).first)
            let scope = TenantScope(tenant.id)
            let query = try Self.parsed(
                "metric=pos.sales&label.till=1&from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z")
            let cases: [(ReadingBudget, String?)] = [
                (ReadingBudget(), nil), (ReadingBudget(series: 2, samples: 16, rows: 5, points: 12), nil),
                (ReadingBudget(series: 1), "metric: too_many_series"),
                (ReadingBudget(samples: 15), "from: too_many_samples"),
                (ReadingBudget(rows: 4), "from: too_many_samples"),
                (ReadingBudget(points: 11), "step: too_many_points"),
            ]
            for (budget, fault) in cases {
                let rows = try await bed.services.database.read(
                    scope, query.filter.reading(query.span, in: scope, budget))
                do {
                    try budget.check(rows)
                    let lines = try query.lines(of: SeriesReading(rows, within: query.span), budget)
                    #expect(fault == nil && lines.map(\.points.count) == [12, 1])
                } catch let problem as Problem {
                    #expect(problem.errors.map { "\($0.field): \($0.code)" } == [fault], "\(budget)")
                }
            }
        }
    }

    private static func parsed(_ query: String) throws -> SeriesQuery {
        let values = query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1)
            return (name: String(parts[0]), value: String(parts[1]))
        }
        var parameters = QueryParameters(values)
        return try SeriesQuery(&parameters, now: .now(), ReadingBudget())
    }

    @Test func theListGoesPageByPage() async throws {
        try await Testbed.run { bed in
            let token = try await bed.token(TwoTenants.viewer)
            var (seen, path) = ([String](), "/api/v1/series?limit=2")
            while true {
                let page = try await bed.get(path, as: token)
                seen += page.data.texts("metric")
                guard let cursor = page.json["next_cursor"] as? String else { break }
                #expect(page.data.count == 2)
                path = "/api/v1/series?limit=2&cursor=\(cursor)"
            }
            #expect(seen == ["pos.returns", "pos.sales", "pos.sales", "pos.sales", "temperature", "temperature"])
        }
    }
}
