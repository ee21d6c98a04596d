import Postgres
import Shared

/// What endpoints work with.
struct QueryServices: Sendable {
    let database: Database
    let tokens: AccessTokens
    let passwords: PasswordHasher
    let metrics: MetricRegistry
    let directory: AccessDirectory
    let door: SignInGuard

    init(
        database: Database, tokenKey: TokenKey, passwords: PasswordHasher, metrics: MetricRegistry,
        accessTimeToLive: Duration = .seconds(4), failures: FailureThrottle.Limits = .init()
    ) async {
        self.database = database
        self.passwords = passwords
        self.metrics = metrics
        tokens = await AccessTokens(current: tokenKey)
        directory = AccessDirectory(database: database, timeToLive: accessTimeToLive)
        door = SignInGuard(failures, metrics: metrics)
    }
}
