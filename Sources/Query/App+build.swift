import Hummingbird
import Shared

/// The API's routes, and the list of those behind sign-in with the scopes that they demand.
func buildRouter(_ services: QueryServices) -> (router: Router<QueryContext>, access: RouteList) {
    let router = Router(context: QueryContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: TenantNames(baseDomain: services.baseDomain))
    router.get("health-check") { _, _ in try JSONResponse.make(["status": "ok"]) }

    let open = router.group("api/v1").add(middleware: StrangerLimit(admission: services.admission))
    let check = PasswordCheck(database: services.database, passwords: services.passwords, door: services.door)
    let sessions = Sessions(
        database: services.database, tokens: services.tokens, directory: services.directory, metrics: services.metrics)
    let (postman, links, registration) = (services.postman, services.links, services.registration)
    SignInRoutes(check: check, sessions: sessions).register(on: open)
    PasswordResetRoutes(check: check, directory: services.directory, postman: postman, links: links).register(on: open)
    InvitationRoutes(check: check, sessions: sessions).register(on: open)
    RegistrationRoutes(registration: registration, sessions: sessions).register(on: open)

    let authentication = Authentication(
        tokens: services.tokens, directory: services.directory, refusals: TokenRefusals(services.metrics),
        admission: services.admission)
    let closed = router.group("api/v1").add(middleware: authentication).group(context: TenantContext.self)
    let api = TenantRoutes(closed, prefix: "/api/v1", keyUses: KeyUses(services.metrics))
    let database = services.database
    SessionRoutes(check: check, sessions: sessions).register(on: api)
    let members = Members(
        database: database, directory: services.directory, passwords: services.passwords, postman: postman,
        admission: services.admission, links: links
    )
    UserRoutes(database: database, members: members).register(on: api)
    RoleRoutes(database: database, directory: services.directory).register(on: api)
    APIKeyRoutes(database: database, directory: services.directory).register(on: api)
    IntegrationRoutes(database: database, ingestURL: services.ingestURL, secretBox: services.secretBox).register(
        on: api)
    IntegrationSecretRoutes(database: database, secretBox: services.secretBox).register(on: api)
    AuditLogRoutes(database: database).register(on: api)
    TenantProfileRoutes(database: database, directory: services.directory, registration: registration)
        .register(on: api)
    ExportRoutes(database: database, exporter: services.exporter).register(on: api)
    SiteRoutes(database: database).register(on: api)
    SpaceRoutes(database: database).register(on: api)
    OccupancyRoutes(database: database).register(on: api)
    AvailabilityRoutes(database: database).register(on: api)
    ReservationRoutes(database: database).register(on: api)
    CalendarFeedRoutes(database: database, directory: services.directory, publicURL: links.publicURL)
        .register(on: api, and: open)
    DeviceProfileRoutes(database: database).register(on: api)
    DeviceFileRoutes(database: database).register(on: api)
    DeviceRoutes(database: database).register(on: api)
    OrphanDeviceRoutes(database: database).register(on: api)
    SeriesRoutes(database: database).register(on: api)
    EventRoutes(database: database, streams: services.streams, authentication: authentication).register(on: api)
    SupplierRoutes(database: database).register(on: api)
    ProductRoutes(database: database).register(on: api)
    StockRoutes(database: database).register(on: api)
    StockTransferRoutes(database: database).register(on: api)
    ValeRoutes(database: database).register(on: api)
    PurchaseRequestRoutes(database: database).register(on: api)
    let addresses = AddressLookup(services.addressGuard)
    WebhookEndpointRoutes(database: database, secretBox: services.secretBox, addresses: addresses).register(on: api)
    WebhookDeliveryRoutes(database: database).register(on: api)
    AlertRoutes(database: database).register(on: api)
    WeeklyReportRoutes(database: database).register(on: api)
    JobRoutes(database: database, interval: services.jobsInterval).register(on: api)
    return (router, api.entries)
}

/// The API with what holds for each of its requests.
func buildEdge(
    _ services: QueryServices, origins: [String] = [], proxies: TrustedProxies = TrustedProxies()
) -> HTTPEdge<QueryContext> {
    HTTPEdge(buildRouter(services).router, metrics: services.metrics, origins: origins, proxies: proxies)
}
