import Testing

@testable import Postgres

@Suite struct StatementTests {
    @Test func valuesBecomeParameters() {
        let name = "x'; DROP TABLE t; --"
        let statement: Command = "UPDATE t SET name = \(name), size = \(Optional<Int32>.none) WHERE id = \(Int64(3))"
        #expect(statement.sql == "UPDATE t SET name = $1, size = $2 WHERE id = $3")
        #expect(statement.parameters.map(\.oid) == [25, 23, 20])
        #expect(statement.parameters.map { $0.bytes == nil } == [false, true, false])
    }

    @Test func fragmentsAreRenumbered() {
        let conditions: [Fragment] = ["a = \(Int32(1))", "b = \("two")"]
        let order: Fragment = " ORDER BY \(.identifier("od\"d"))"
        let statement: Command =
            "SELECT \(Int32(0)) FROM t WHERE \(conditions.joined(separator: " AND "))\(fragment: order) LIMIT \(9)"
        #expect(statement.sql == "SELECT $1 FROM t WHERE a = $2 AND b = $3 ORDER BY \"od\"\"d\" LIMIT $4")
        #expect(statement.parameters.map(\.oid) == [23, 23, 25, 20])
        #expect(Statement<NoRow>(conditions[1]).sql == "b = $1")
    }

    @Test func literalsAreEscaped() {
        #expect(Command("SELECT \(.literal(#"a'b\c"#))").sql == #"SELECT  E'a''b\\c'"#)
    }

    @Test func theCacheForgetsTheLeastRecentlyUsed() {
        var cache = StatementCache(capacity: 2)
        let (one, two, three) = (Command("SELECT 1").erased, Command("SELECT 2").erased, Command("SELECT 3").erased)
        let first = cache.insert(one)
        let second = cache.insert(two)
        #expect(cache.find(one) == first)
        _ = cache.insert(three)
        #expect(cache.find(two) == nil)
        #expect(cache.find(one) == first)
        let evicted = cache.takeEvicted()
        #expect(evicted == [second.name])
        let rest = cache.takeEvicted()
        #expect(rest == [])
        #expect(cache.count == 2)
    }

    @Test func theCacheTellsTypesApart() {
        var cache = StatementCache(capacity: 8)
        let number: Command = "SELECT \(Int32(1))"
        let text: Command = "SELECT \("1")"
        let entry = cache.insert(number.erased)
        #expect(cache.find(text.erased) == nil)
        #expect(cache.insert(text.erased) != entry)
        #expect(cache.find(number.erased) == entry)
    }

    @Test func aForgottenStatementIsPreparedAnew() {
        var cache = StatementCache(capacity: 8)
        let statement = Command("SELECT 1").erased
        let entry = cache.insert(statement)
        cache.forget(entry.name, of: statement.sql)
        #expect(cache.find(statement) == nil)
        #expect(cache.insert(statement).name != entry.name)
    }

    @Test func backoffDoublesUpToItsLimit() {
        let backoff = Backoff(base: .milliseconds(100), limit: .seconds(1))
        #expect(backoff.delay(afterFailures: 1, jitter: 1) == .milliseconds(100))
        #expect(backoff.delay(afterFailures: 3, jitter: 0) == .milliseconds(200))
        #expect(backoff.delay(afterFailures: 500, jitter: 1) == .seconds(1))
    }

    @Test func badURLsAreFoundWithoutRepeatingThem() async {
        let error = await postgresError {
            try await PostgresConnection.connect(ConnectionConfiguration(url: "postgresql://u:hunter2@h:port/d"))
        }
        #expect(error?.kind == .connectFailed)
        #expect(error?.message.contains("hunter2") == false)
    }

    @Test func settingsBecomeStartupOptions() throws {
        let configuration = ConnectionConfiguration(
            url: "postgresql://h/d?options=-c%20geqo%3Doff", statementTimeout: .seconds(2),
            settings: ["search_path": "a, b", "lock_timeout": "2s"])
        let options = try configuration.keywords().last { $0.0 == "options" }?.1
        #expect(
            options
                == "-c geqo=off -c TimeZone=UTC -c lock_timeout=2s -c search_path=a,\\ b -c statement_timeout=2000")
    }
}
