import Foundation
import Postgres
import Support
import Synchronization
import Testing

/// Random dealings with goods from many connections to two query processes, which are killed, and whose connections to the database are cut,
/// all the while: the laws of the ledger hold, and what was acknowledged is there, once.
@Suite(.timeLimit(.minutes(10)))
struct GoodsKillTests {
    /// `LEDGER_OPERATIONS=5000` goes on for longer.
    private static let operations = ProcessInfo.processInfo.environment["LEDGER_OPERATIONS"].flatMap { Int($0) } ?? 400
    private static let dealers = 8

    @Test func theLawsOfTheLedgerHold() async throws {
        try await Installation.run { installation in
            let tenant = try await installation.onboard("acme")
            let (first, second) = (Restartable(), Restartable())
            first.put(try await installation.startQuery())
            let replica = try await installation.startReplica()
            second.put(replica.process)
            let token = try await installation.signIn(tenant)
            let home = API(installation: installation, token: token)
            let goods = try await Goods(home)
            let book = DealersBook()
            try await withThrowingTaskGroup { group in
                for number in 0..<Self.dealers {
                    let api = API(
                        installation: installation, token: token, url: number.isMultiple(of: 2) ? nil : replica.url)
                    group.addTask {
                        var dealer = Dealer(api: api, goods: goods, book: book, number: number)
                        while book.begin() <= Self.operations {
                            try await dealer.deal()
                        }
                    }
                }
                group.addTask {
                    for round in 1...6 {
                        try await eventually("more is done", within: .seconds(120)) {
                            book.begun >= Self.operations * round / 8
                        }
                        if round.isMultiple(of: 2) {
                            try await installation.execute(
                                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'pulsegate_query'"
                            )
                        } else {
                            await first.kill()
                            first.put(try await installation.startQuery())
                        }
                    }
                }
                try await group.waitForAll()
            }
            let broken: [Int64] = try await installation.rows(
                """
                SELECT count(*) FROM stock_differences UNION ALL SELECT count(*) FROM broken_transfers
                UNION ALL SELECT count(*) FROM vale_differences UNION ALL SELECT count(*) FROM vale_number_gaps
                UNION ALL SELECT count(*) FROM receipt_differences
                """)
            #expect(broken == [0, 0, 0, 0, 0])
            let kept: [String] = try await installation.rows("SELECT request_id FROM vales ORDER BY request_id")
            #expect(Set(kept).count == kept.count, "none twice")
            #expect(Set(kept).isSuperset(of: book.all), "none lost")
            #expect(book.all.count > Self.operations / 20, "\(book.all.count)")
            let overReceived: [Int64] = try await installation.rows(
                """
                SELECT count(*) FROM purchase_request_lines l
                 WHERE l.received <> coalesce((SELECT sum(m.quantity) FROM stock_movements m
                                                WHERE m.tenant_id = l.tenant_id AND m.purchase_request_id = l.purchase_request_id
                                                  AND m.product_id = l.product_id), 0)
                """)
            #expect(overReceived == [0])
            for process in [first, second] { await process.stop() }
        }
    }
}

/// What is dealt with.
private struct Goods: Sendable {
    let products: [String]
    let sites: [String]

    init(_ api: API) async throws {
        sites = try await api.get("/sites")
        var products: [String] = []
        for index in 0..<4 {
            let made = try await api.send(
                .post, "/products",
                "{\"sku\":\"P\(index)\",\"name\":\"P\",\"unit\":\"piece\",\"price\":\"1.10\",\"currency\":\"EUR\"}")
            let id = try #require(made.json["id"] as? String, "\(made.text)")
            let receipt = "{\"product_id\":\"\(id)\",\"site_id\":\"\(sites[0])\",\"kind\":\"receipt\",\"quantity\":40}"
            #expect(try await api.send(.post, "/stock-movements", receipt).status == 201)
            products.append(id)
        }
        self.products = products
    }
}

/// How much was begun, and the keys of vales that were acknowledged.
private final class DealersBook: Sendable {
    private let keys = Mutex<Set<String>>([])
    private let count = Atomic(0)

    var begun: Int { count.load(ordering: .relaxed) }

    func begin() -> Int { count.wrappingAdd(1, ordering: .relaxed).newValue }

    var all: Set<String> { keys.withLock { $0 } }

    func note(_ key: String) {
        keys.withLock { _ = $0.insert(key) }
    }
}

/// One of those who deal.
private struct Dealer {
    let api: API
    let goods: Goods
    let book: DealersBook
    let number: Int
    private var random: SplitMix
    private var count = 0
    private var vales: [String] = []
    private var purchases: [String] = []

    init(api: API, goods: Goods, book: DealersBook, number: Int) {
        (self.api, self.goods, self.book, self.number) = (api, goods, book, number)
        random = SplitMix(state: UInt64(number))
    }

    mutating func deal() async throws {
        count += 1
        let key = "d\(number)-\(count)"
        switch Int.random(in: 0..<10, using: &random) {
        case 0...3:
            let made = try await insist(
                .post, "/vales", "{\"site_id\":\"\(site())\",\"lines\":\(lines()),\"request_id\":\"\(key)\"}")
            if let id = made.json["id"] as? String {
                book.note(key)
                vales.append(id)
            } else {
                #expect(made.status == 409, "\(made.text)")
            }
        case 4:
            guard let vale = vales.randomElement(using: &random) else { return }
            try await attempt(.put, "/vales/\(vale)", "{\"site_id\":\"\(site())\",\"lines\":\(lines())}")
        case 5:
            guard let vale = vales.randomElement(using: &random) else { return }
            let step = ["deliver", "cancel"].randomElement(using: &random) ?? ""
            try await attempt(.post, "/vales/\(vale)/\(step)", nil)
        case 6:
            guard let vale = vales.randomElement(using: &random) else { return }
            try await attempt(.delete, "/vales/\(vale)", nil)
        case 7:
            let (from, to) = (goods.sites[0], goods.sites[1 + count % 2])
            try await insist(
                .post, "/stock-transfers",
                "{\"product_id\":\"\(product())\",\"from_site_id\":\"\(from)\",\"to_site_id\":\"\(to)\",\"quantity\":2,\"request_id\":\"\(key)\"}"
            )
        case 8:
            let kind = ["receipt", "issue"].randomElement(using: &random) ?? ""
            try await insist(
                .post, "/stock-movements",
                "{\"product_id\":\"\(product())\",\"site_id\":\"\(site())\",\"kind\":\"\(kind)\",\"quantity\":\"1.5\",\"request_id\":\"\(key)\"}"
            )
        default: try await buy(key)
        }
    }

    private mutating func buy(_ key: String) async throws {
        guard let open = purchases.popLast() else {
            let made = try await insist(
                .post, "/purchase-requests",
                "{\"site_id\":\"\(site())\",\"lines\":[\(line(quantity: 3))],\"request_id\":\"\(key)\"}")
            guard let id = made.json["id"] as? String else { return }
            for step in ["submit", "approve"] { try await insist(.post, "/purchase-requests/\(id)/\(step)", nil) }
            purchases.append(id)
            return
        }
        let ordered = try await insist(.get, "/purchase-requests/\(open)", nil)
        let lines = ordered.json["lines"] as? [[String: Any]] ?? []
        let product = lines.first?["product_id"] as? String ?? ""
        try await insist(
            .post, "/purchase-requests/\(open)/receive",
            "{\"lines\":[{\"product_id\":\"\(product)\",\"quantity\":1}],\"request_id\":\"\(key)\"}")
        if Int.random(in: 0..<3, using: &random) > 0 { purchases.append(open) }
    }

    private mutating func product() -> String { goods.products.randomElement(using: &random) ?? "" }
    private mutating func site() -> String { goods.sites.randomElement(using: &random) ?? "" }
    private mutating func line(quantity: Int) -> String { "{\"product_id\":\"\(product())\",\"quantity\":\(quantity)}" }

    /// In whatever order, and some twice.
    private mutating func lines() -> String {
        let lines = (0...Int.random(in: 0..<3, using: &random)).map { _ in
            line(quantity: Int.random(in: 1...2, using: &random))
        }
        return "[\(lines.joined(separator: ","))]"
    }

    /// Until somebody answers: whoever names a key may ask again.
    @discardableResult
    private func insist(_ method: TestClient.Method, _ path: String, _ body: String?) async throws -> TestClient.Answer
    {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            if let answer = try? await api.send(method, path, body), answer.status < 500 { return answer }
            try #require(ContinuousClock.now < end, "nobody answered \(path)")
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Once, whatever becomes of it.
    private func attempt(_ method: TestClient.Method, _ path: String, _ body: String?) async throws {
        guard let answer = try? await api.send(method, path, body) else { return }
        #expect([200, 204, 404, 409, 503].contains(answer.status), "\(method) \(path): \(answer.text)")
    }
}

/// A process that is killed and started again.
private final class Restartable: Sendable {
    private let process = Mutex<ServerProcess?>(nil)

    func put(_ new: ServerProcess) {
        process.withLock { $0 = new }
    }

    func kill() async {
        guard let process = process.withLock({ $0 }) else { return }
        process.send(SIGKILL)
        _ = await process.waitForExit()
    }

    func stop() async {
        guard let process = process.withLock({ $0 }) else { return }
        process.send(SIGTERM)
        #expect(await process.waitForExit() == 0, "\(process.output)")
    }
}
