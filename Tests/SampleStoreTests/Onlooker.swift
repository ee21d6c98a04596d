import Postgres
import Shared
import Support

/// A reader of the history: asks this and that, in either isolation, and holds every answer against the model.
struct Onlooker {
    let number: Int
    let ground: HistoryGround
    let database: Database
    let reader: SampleReader

    init(number: Int, ground: HistoryGround, database: Database) {
        (self.number, self.ground, self.database) = (number, ground, database)
        reader = SampleReader(seed: ground.plan.seed)
    }

    func run() async throws {
        var random = ground.plan.random(.reader, number)
        while !ground.curtain.hasFallen {
            try Task.checkCancellation()
            let question = question(&random)
            let ways = [SampleReader.Way.view, .between, .seriesQuery].shuffled(using: &random)
            if Bool.random(using: &random) {
                try await readCommitted(question, ways[0])
            } else {
                try await readRepeatedly(question, ways, pause: .milliseconds(Int.random(in: 0...30, using: &random)))
            }
        }
    }

    /// Everything of every tenant in every way.
    func readAll() async throws {
        for tenant in ground.tenants {
            let all = SampleReader.Question(tenant: tenant.id, span: 0..<Int64.max, series: nil)
            for way in SampleReader.Way.allCases { try await readCommitted(all, way) }
        }
    }

    private func readCommitted(_ question: SampleReader.Question, _ way: SampleReader.Way) async throws {
        let began = ground.model.now()
        let reading = try await database.withTenant(question, .init(readOnly: true)) { tx in
            try await reader.read(question, way, in: tx, isolation: "READ COMMITTED", began: began)
        }
        try ground.model.check(reading)
        ground.tally.count(.reads)
    }

    /// The same question in every way, in one snapshot: the answers are one.
    private func readRepeatedly(
        _ question: SampleReader.Question, _ ways: [SampleReader.Way], pause: Duration
    ) async throws {
        let began = ground.model.now()
        let options = TransactionOptions(isolation: .repeatableRead, readOnly: true)
        let readings = try await database.withTenant(question, options) { tx in
            var readings: [Reading] = []
            for way in ways + ways.prefix(1) {
                readings.append(
                    try await reader.read(question, way, in: tx, isolation: "REPEATABLE READ", began: began))
                try await Task.sleep(for: pause)
            }
            return readings
        }
        for reading in readings {
            guard reading.samples == readings[0].samples else {
                throw ground.failure("\(reading.way) differs from \(readings[0].way) in one snapshot: \(question)")
            }
            try ground.model.check(reading)
        }
        ground.tally.count(.reads, readings.count)
    }

    private func question(_ random: inout SplitMix) -> SampleReader.Question {
        let tenants = ground.tenants
        let tenant = tenants[Int.random(in: 0..<tenants.count, using: &random)]
        let begin = ground.plan.begin.microseconds
        let span: Range<Int64>
        switch Int.random(in: 0..<6, using: &random) {
        case 0: span = begin - 60_000_000..<begin + 600_000_000
        case 1: span = begin - 302_000_000..<begin - 298_000_000 // where a period begins
        case 2: span = begin - Int64.random(in: 1...1_000, using: &random) * 86_400_000_000..<begin
        default: span = 0..<Int64.max
        }
        let shops = Set(ground.shops.indices.filter { ground.shops[$0].tenant == tenant })
        let wantsOne = Int.random(in: 0..<3, using: &random) == 0
        return SampleReader.Question(
            tenant: tenant.id, span: span,
            series: wantsOne ? ground.names.ids(ofShops: shops).randomElement(using: &random) : nil)
    }
}
