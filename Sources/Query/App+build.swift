import Hummingbird
import Shared

/// The API's routes, and the list of those behind sign-in with the scopes that they demand.
func buildRouter(_ services: QueryServices) -> (router: Router<QueryContext>, access: RouteList) {
    let router = Router(context: QueryContext.self, options: .autoGenerateHeadEndpoints)
    router.get("health-check") { _, _ in try JSONResponse.make(["status": "ok"]) }

    let open = router.group("api/v1")
    let check = PasswordCheck(database: services.database, passwords: services.passwords, door: services.door)
    let sessions = Sessions(
        database: services.database, tokens: services.tokens, directory: services.directory, metrics: services.metrics)
    SignInRoutes(check: check, sessions: sessions).register(on: open)

    let authentication = Authentication(
        tokens: services.tokens, directory: services.directory, refusals: TokenRefusals(services.metrics))
    let closed = router.group("api/v1").add(middleware: authentication).group(context: TenantContext.self)
    let api = TenantRoutes(closed, prefix: "/api/v1", keyUses: KeyUses(services.metrics))
    let database = services.database
    SessionRoutes(check: check, sessions: sessions).register(on: api)
    UserRoutes(database: database).register(on: api)
    APIKeyRoutes(database: database, directory: services.directory).register(on: api)
    AuditLogRoutes(database: database).register(on: api)
    TenantProfileRoutes(database: database).register(on: api)
    SiteRoutes(database: database).register(on: api)
    SpaceRoutes(database: database).register(on: api)
    DeviceProfileRoutes(database: database).register(on: api)
    DeviceRoutes(database: database).register(on: api)
    OrphanDeviceRoutes(database: database).register(on: api)
    SeriesRoutes(database: database).register(on: api)
    return (router, api.entries)
}

/// The API with what holds for each of its requests.
func buildEdge(_ services: QueryServices, origins: [String] = []) -> HTTPEdge<QueryContext> {
    HTTPEdge(buildRouter(services).router, metrics: services.metrics, origins: origins)
}
