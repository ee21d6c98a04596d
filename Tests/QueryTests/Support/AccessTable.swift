import HTTPTypes
import Support

@testable import Query

/// What the access test knows of one endpoint. Every registration must have a row here.
struct AccessRow: Sendable {
    /// The route as registered.
    let route: String
    /// A request for north's own that is answered with 200.
    let own: String
    /// A request for what is south's alone, answered to north as if it weren't there; nil where nothing can be named.
    let foreign: String?
    /// Who holds the scope.
    var who = TwoTenants.viewer
    var method = HTTPRequest.Method.get
    var body: String?
    var type = "application/json"
    /// Whoever may send the request is answered so.
    var success = HTTPResponse.Status.ok
    /// An owner who is limited to T02 is answered so; nil: as everybody.
    var limited: HTTPResponse.Status?

    /// What it names is of another site than T02.
    var elsewhere: AccessRow {
        var row = self
        row.limited = .notFound
        return row
    }

    /// It reaches all sites.
    var everywhere: AccessRow {
        var row = self
        row.limited = .forbidden
        return row
    }

    static func post(
        _ route: String, _ body: String = "", answers success: HTTPResponse.Status = .ok
    ) -> AccessRow {
        var row = row(route, route)
        (row.method, row.body, row.success) = (.post, body, success)
        return row
    }

    /// For what everybody may change.
    static func everybody(
        _ method: HTTPRequest.Method, _ route: String, _ body: String, answers success: HTTPResponse.Status = .ok
    ) -> AccessRow {
        var row = post(route, body, answers: success)
        row.method = method
        return row
    }

    /// For what changes something and viewers may not do.
    static func change(
        _ method: HTTPRequest.Method, _ route: String, _ own: String, _ body: String = "",
        answers success: HTTPResponse.Status = .ok, foreign: String? = nil
    ) -> AccessRow {
        var row = administrative(route, own, foreign: foreign)
        (row.method, row.body, row.success) = (method, body, success)
        return row
    }

    /// For a file.
    static func csv(_ route: String, _ body: String) -> AccessRow {
        var row = change(.post, route, route, body)
        row.type = "text/csv"
        return row
    }

    /// For what viewers may not see.
    static func administrative(_ route: String, _ own: String, foreign: String? = nil) -> AccessRow {
        var row = row(route, own, foreign: foreign)
        row.who = TwoTenants.owner
        return row
    }

    static func row(_ route: String, _ own: String, foreign: String? = nil) -> AccessRow {
        AccessRow(route: "/api/v1/" + route, own: "/api/v1/" + own, foreign: foreign.map { "/api/v1/" + $0 })
    }

    static let table: [AccessRow] = places + goods + goodbyes

    private static let places: [AccessRow] = [
        row("users/me", "users/me"),
        everybody(.patch, "users/me", "{\"name\":\"Renamed\"}"),
        administrative("users", "users"),
        administrative(
            "users/:id", "users/\(TwoTenants.invitation)", foreign: "users/\(TwoTenants.southernInvitation)"),
        change(
            .post, "users", "users",
            "{\"email\":\"added@example.com\",\"name\":\"Added\",\"role\":\"viewer\",\"password\":\"long enough to do\"}",
            answers: .created
        ).everywhere,
        change(
            .put, "users/:id", "users/\(TwoTenants.invitation)", "{\"role\":\"operator\"}",
            foreign: "users/\(TwoTenants.southernInvitation)"
        ).everywhere,
        change(
            .delete, "users/:id", "users/\(TwoTenants.invitation)", answers: .noContent,
            foreign: "users/\(TwoTenants.southernInvitation)"
        ).everywhere,
        change(
            .post, "users/:id/erase", "users/\(TwoTenants.erasable)/erase", answers: .noContent,
            foreign: "users/\(TwoTenants.southernInvitation)/erase"
        ).everywhere,
        administrative("roles", "roles"),
        administrative("roles/:id", "roles/\(TwoTenants.role)", foreign: "roles/\(TwoTenants.southernRole)"),
        change(.post, "roles", "roles", "{\"name\":\"Night shift\",\"scopes\":[\"sites:read\"]}", answers: .created)
            .everywhere,
        change(
            .patch, "roles/:id", "roles/\(TwoTenants.role)", "{\"scopes\":[]}",
            foreign: "roles/\(TwoTenants.southernRole)"
        ).everywhere,
        change(
            .delete, "roles/:id", "roles/\(TwoTenants.unusedRole)", answers: .noContent,
            foreign: "roles/\(TwoTenants.southernRole)"
        ).everywhere,
        row("tenants", "tenants"),
        everybody(.post, "tenants", "{\"name\":\"Mine\",\"slug\":\"mine\"}", answers: .forbidden),
        row("tenants/current", "tenants/current"),
        change(.patch, "tenants/current", "tenants/current", "{\"billing_email\":\"bills@example.com\"}").everywhere,
        administrative("api-keys", "api-keys"),
        administrative(
            "api-keys/:id", "api-keys/\(TwoTenants.storeKey)", foreign: "api-keys/\(TwoTenants.southernKey)"
        ).elsewhere,
        change(
            .post, "api-keys", "api-keys", "{\"name\":\"BI\",\"kind\":\"service\",\"scopes\":[\"series:read\"]}",
            answers: .created
        ).everywhere,
        change(
            .patch, "api-keys/:id", "api-keys/\(TwoTenants.storeKey)", "{\"name\":\"Till\"}",
            foreign: "api-keys/\(TwoTenants.southernKey)"
        ).elsewhere,
        change(
            .post, "api-keys/:id/rotate", "api-keys/\(TwoTenants.storeKey)/rotate", "{}",
            foreign: "api-keys/\(TwoTenants.southernKey)/rotate"
        ).elsewhere,
        change(
            .delete, "api-keys/:id", "api-keys/\(TwoTenants.storeKey)", answers: .noContent,
            foreign: "api-keys/\(TwoTenants.southernKey)"
        ).elsewhere,
        administrative("tenants/current/exports", "tenants/current/exports").everywhere,
        administrative(
            "tenants/current/exports/:id", "tenants/current/exports/\(TwoTenants.export)",
            foreign: "tenants/current/exports/\(TwoTenants.southernExport)"
        ).everywhere,
        administrative(
            "tenants/current/exports/:id/archive", "tenants/current/exports/\(TwoTenants.export)/archive",
            foreign: "tenants/current/exports/\(TwoTenants.southernExport)/archive"
        ).everywhere,
        // It takes the place of the archive there is.
        change(.post, "tenants/current/export", "tenants/current/export", answers: .accepted).everywhere,
        administrative("integrations", "integrations"),
        administrative(
            "integrations/:id", "integrations/\(TwoTenants.integration)",
            foreign: "integrations/\(TwoTenants.southernIntegration)"),
        change(
            .post, "integrations", "integrations", "{\"name\":\"N\",\"dialect\":\"tts\",\"auth\":\"hmac\"}",
            answers: .created
        ).everywhere,
        change(
            .patch, "integrations/:id", "integrations/\(TwoTenants.integration)", "{\"is_active\":false}",
            foreign: "integrations/\(TwoTenants.southernIntegration)"
        ).everywhere,
        administrative(
            "integrations/:id/secrets", "integrations/\(TwoTenants.integration)/secrets",
            foreign: "integrations/\(TwoTenants.southernIntegration)/secrets"),
        change(
            .post, "integrations/:id/secrets", "integrations/\(TwoTenants.integration)/secrets", "{}",
            answers: .created, foreign: "integrations/\(TwoTenants.southernIntegration)/secrets"
        ).everywhere,
        administrative(
            "integrations/:id/secrets/:secret",
            "integrations/\(TwoTenants.integration)/secrets/\(TwoTenants.integrationSecret)",
            foreign: "integrations/\(TwoTenants.southernIntegration)/secrets/\(TwoTenants.southernSecret)"),
        change(
            .delete, "integrations/:id/secrets/:secret",
            "integrations/\(TwoTenants.integration)/secrets/\(TwoTenants.integrationSecret)", answers: .noContent,
            foreign: "integrations/\(TwoTenants.southernIntegration)/secrets/\(TwoTenants.southernSecret)"
        ).everywhere,
        change(
            .delete, "integrations/:id", "integrations/\(TwoTenants.integration)", answers: .noContent,
            foreign: "integrations/\(TwoTenants.southernIntegration)"
        ).everywhere,
        administrative("audit-logs", "audit-logs"),
        administrative(
            "audit-logs/:id", "audit-logs/\(TwoTenants.auditLog)",
            foreign: "audit-logs/\(TwoTenants.southernAuditLog)"
        ).elsewhere,
        row("sites", "sites"),
        change(
            .post, "sites", "sites", "{\"code\":\"S1\",\"name\":\"S\",\"timezone\":\"UTC\",\"kind\":\"office\"}",
            answers: .created
        ).everywhere,
        change(.post, "stores", "stores", "{\"code\":\"S2\",\"name\":\"S\",\"timezone\":\"UTC\"}", answers: .created)
            .everywhere,
        change(
            .post, "warehouses", "warehouses", "{\"code\":\"S3\",\"name\":\"S\",\"timezone\":\"UTC\"}",
            answers: .created
        ).everywhere,
        change(
            .patch, "sites/:site", "sites/T01", "{\"name\":\"N\"}", foreign: "sites/\(TwoTenants.southernStore)"
        ).elsewhere,
        change(
            .put, "sites/:site", "sites/T01", "{\"code\":\"T01\",\"name\":\"N\",\"timezone\":\"UTC\"}",
            foreign: "sites/\(TwoTenants.southernStore)"
        ).elsewhere,
        change(
            .patch, "stores/:site", "stores/T01", "{\"name\":\"N\"}", foreign: "stores/\(TwoTenants.southernStore)"
        ).elsewhere,
        change(
            .put, "stores/:site", "stores/T01", "{\"code\":\"T01\",\"name\":\"N\",\"timezone\":\"UTC\"}",
            foreign: "stores/\(TwoTenants.southernStore)"
        ).elsewhere,
        change(
            .patch, "warehouses/:site", "warehouses/W01", "{\"name\":\"N\"}",
            foreign: "warehouses/\(TwoTenants.southernStore)"
        ).elsewhere,
        change(
            .put, "warehouses/:site", "warehouses/W01", "{\"code\":\"W01\",\"name\":\"N\",\"timezone\":\"UTC\"}",
            foreign: "warehouses/\(TwoTenants.southernStore)"
        ).elsewhere,
        // Those that the rows before made.
        change(
            .delete, "sites/:site", "sites/S1", answers: .noContent, foreign: "sites/\(TwoTenants.southernStore)"
        ).everywhere,
        change(
            .delete, "stores/:site", "stores/S2", answers: .noContent, foreign: "stores/\(TwoTenants.southernStore)"
        ).everywhere,
        change(
            .delete, "warehouses/:site", "warehouses/S3", answers: .noContent,
            foreign: "warehouses/\(TwoTenants.southernStore)"
        ).everywhere,
        row("sites/:site", "sites/T01", foreign: "sites/\(TwoTenants.southernStore)").elsewhere,
        row("stores", "stores"),
        row("stores/:site", "stores/\(TwoTenants.t01)", foreign: "stores/\(TwoTenants.southernStore)").elsewhere,
        row("stores/:site/status", "stores/T01/status", foreign: "stores/\(TwoTenants.southernStore)/status").elsewhere,
        row("warehouses", "warehouses"),
        row("warehouses/:site", "warehouses/W01", foreign: "warehouses/\(TwoTenants.southernStore)").elsewhere,
        row("sites/:site/occupancy", "sites/T01/occupancy", foreign: "sites/\(TwoTenants.southernStore)/occupancy")
            .elsewhere,
        row("stores/:site/occupancy", "stores/T01/occupancy", foreign: "stores/\(TwoTenants.southernStore)/occupancy")
            .elsewhere,
        row(
            "warehouses/:site/occupancy", "warehouses/W01/occupancy",
            foreign: "warehouses/\(TwoTenants.southernStore)/occupancy"
        ).elsewhere,
        row(
            "sites/:site/availability", "sites/T01/availability",
            foreign: "sites/\(TwoTenants.southernStore)/availability"
        ).elsewhere,
        row("spaces", "spaces"),
        change(
            .post, "spaces", "spaces", "{\"site_id\":\"\(TwoTenants.t02)\",\"code\":\"N1\",\"name\":\"N\"}",
            answers: .created),
        change(
            .patch, "spaces/:id", "spaces/\(TwoTenants.bay)", "{\"name\":\"N\"}",
            foreign: "spaces/\(TwoTenants.southernSpace)"
        ).elsewhere,
        change(
            .put, "spaces/:id", "spaces/\(TwoTenants.bay)",
            "{\"site_id\":\"\(TwoTenants.p01)\",\"code\":\"B1\",\"name\":\"N\",\"is_bookable\":true}",
            foreign: "spaces/\(TwoTenants.southernSpace)"
        ).elsewhere,
        row(
            "spaces/:id/history", "spaces/\(TwoTenants.bay)/history",
            foreign: "spaces/\(TwoTenants.southernSpace)/history"
        ).elsewhere,
        row(
            "spaces/:id/availability", "spaces/\(TwoTenants.bay)/availability",
            foreign: "spaces/\(TwoTenants.southernSpace)/availability"
        ).elsewhere,
        change(
            .delete, "spaces/:id", "spaces/\(TwoTenants.secondBay)", answers: .noContent,
            foreign: "spaces/\(TwoTenants.southernSpace)"
        ).elsewhere,
        row("reservations", "reservations"),
        row(
            "reservations/:id", "reservations/\(TwoTenants.reservation)",
            foreign: "reservations/\(TwoTenants.southernReservation)"
        ).elsewhere,
        change(
            .post, "reservations", "reservations",
            """
            {"space_id":"\(TwoTenants.room)","starts_at":"2031-01-06T10:00:00Z","ends_at":"2031-01-06T11:00:00Z",
             "holder":{"name":"Ana"}}
            """, answers: .created),
        change(
            .patch, "reservations/:id", "reservations/\(TwoTenants.reservation)", "{\"note\":\"N\"}",
            foreign: "reservations/\(TwoTenants.southernReservation)"
        ).elsewhere,
        change(
            .put, "reservations/:id", "reservations/\(TwoTenants.reservation)",
            """
            {"space_id":"\(TwoTenants.bay)","starts_at":"2031-01-08T10:00:00Z","ends_at":"2031-01-08T11:00:00Z",
             "holder":{"name":"Ana"}}
            """, foreign: "reservations/\(TwoTenants.southernReservation)"
        ).elsewhere,
        change(
            .post, "reservations/:id/confirm", "reservations/\(TwoTenants.reservation)/confirm",
            foreign: "reservations/\(TwoTenants.southernReservation)/confirm"
        ).elsewhere,
        change(
            .post, "reservations/:id/cancel", "reservations/\(TwoTenants.reservation)/cancel",
            foreign: "reservations/\(TwoTenants.southernReservation)/cancel"
        ).elsewhere,
        change(
            .post, "reservations/:id/check-in", "reservations/\(TwoTenants.begunReservation)/check-in",
            foreign: "reservations/\(TwoTenants.southernReservation)/check-in"
        ).elsewhere,
        change(
            .post, "reservations/:id/complete", "reservations/\(TwoTenants.begunReservation)/complete",
            foreign: "reservations/\(TwoTenants.southernReservation)/complete"
        ).elsewhere,
        change(
            .delete, "reservations/:id", "reservations/\(TwoTenants.reservation)", answers: .noContent,
            foreign: "reservations/\(TwoTenants.southernReservation)"
        ).elsewhere,
        row("calendar-feeds", "calendar-feeds"),
        change(.post, "calendar-feeds", "calendar-feeds", "{}", answers: .created),
        // Feeds are persons' own.
        change(
            .delete, "calendar-feeds/:id", "calendar-feeds/\(TwoTenants.feed)", answers: .noContent,
            foreign: "calendar-feeds/\(TwoTenants.southernFeed)"
        ).elsewhere,
        row("spaces/:id", "spaces/\(TwoTenants.bay)", foreign: "spaces/\(TwoTenants.southernSpace)").elsewhere,
        row("device-profiles", "device-profiles"),
        change(.post, "device-profiles", "device-profiles", "{\"name\":\"N\"}", answers: .created).everywhere,
        change(
            .patch, "device-profiles/:id", "device-profiles/\(TwoTenants.profile)", "{\"expected_interval_s\":60}",
            foreign: "device-profiles/\(TwoTenants.southernProfile)"
        ).everywhere,
        change(
            .put, "device-profiles/:id", "device-profiles/\(TwoTenants.profile)", "{\"name\":\"Bay sensor\"}",
            foreign: "device-profiles/\(TwoTenants.southernProfile)"
        ).everywhere,
        change(
            .delete, "device-profiles/:id", "device-profiles/\(TwoTenants.unusedProfile)", answers: .noContent,
            foreign: "device-profiles/\(TwoTenants.southernProfile)"
        ).everywhere,
        row(
            "device-profiles/:id", "device-profiles/\(TwoTenants.profile)",
            foreign: "device-profiles/\(TwoTenants.southernProfile)"),
        row("devices", "devices"),
        row("devices/:eui", "devices/\(TwoTenants.bayEUI)", foreign: "devices/\(TwoTenants.southernEUI)").elsewhere,
        row(
            "devices/:eui/readings", "devices/\(TwoTenants.bayEUI)/readings",
            foreign: "devices/\(TwoTenants.southernEUI)/readings"
        ).elsewhere,
        row("devices/export", "devices/export"),
        change(
            .post, "devices", "devices", "{\"device_eui\":\"70b3d57ed0000055\",\"name\":\"N\"}", answers: .created),
        csv("devices/import", "device_eui,name\n70b3d57ed0000056,N\n"),
        change(
            .patch, "devices/:eui", "devices/\(TwoTenants.bayEUI)", "{\"name\":\"N\"}",
            foreign: "devices/\(TwoTenants.southernEUI)"
        ).elsewhere,
        change(
            .put, "devices/:eui", "devices/\(TwoTenants.bayEUI)", "{\"name\":\"N\",\"site_id\":\"\(TwoTenants.p01)\"}",
            foreign: "devices/\(TwoTenants.southernEUI)"
        ).elsewhere,
        change(
            .delete, "devices/:eui", "devices/\(TwoTenants.bayEUI)", answers: .noContent,
            foreign: "devices/\(TwoTenants.southernEUI)"
        ).elsewhere,
        row("orphan-devices", "orphan-devices"),
        row(
            "orphan-devices/:eui", "orphan-devices/\(TwoTenants.orphanEUI)",
            foreign: "orphan-devices/\(TwoTenants.southernOrphanEUI)"),
        change(
            .delete, "orphan-devices/:eui", "orphan-devices/\(TwoTenants.orphanEUI)", answers: .noContent,
            foreign: "orphan-devices/\(TwoTenants.southernOrphanEUI)"),
        change(
            .post, "orphan-devices/:eui/unignore", "orphan-devices/\(TwoTenants.orphanEUI)/unignore",
            foreign: "orphan-devices/\(TwoTenants.southernOrphanEUI)/unignore"),
        change(
            .post, "orphan-devices/:eui/claim", "orphan-devices/\(TwoTenants.orphanEUI)/claim", "{\"name\":\"N\"}",
            foreign: "orphan-devices/\(TwoTenants.southernOrphanEUI)/claim"),
        administrative("webhook-endpoints", "webhook-endpoints").everywhere,
        administrative(
            "webhook-endpoints/:id", "webhook-endpoints/\(TwoTenants.endpoint)",
            foreign: "webhook-endpoints/\(TwoTenants.southernEndpoint)"
        ).everywhere,
        change(
            .post, "webhook-endpoints", "webhook-endpoints", "{\"url\":\"https://1.1.1.1/hook\"}", answers: .created
        ).everywhere,
        change(
            .patch, "webhook-endpoints/:id", "webhook-endpoints/\(TwoTenants.endpoint)",
            "{\"event_types\":[\"vale.created\"]}", foreign: "webhook-endpoints/\(TwoTenants.southernEndpoint)"
        ).everywhere,
        change(
            .put, "webhook-endpoints/:id", "webhook-endpoints/\(TwoTenants.endpoint)",
            "{\"url\":\"https://1.1.1.1/hook\"}", foreign: "webhook-endpoints/\(TwoTenants.southernEndpoint)"
        ).everywhere,
        change(
            .post, "webhook-endpoints/:id/rotate", "webhook-endpoints/\(TwoTenants.endpoint)/rotate",
            foreign: "webhook-endpoints/\(TwoTenants.southernEndpoint)/rotate"
        ).everywhere,
        administrative(
            "webhook-endpoints/:id/deliveries", "webhook-endpoints/\(TwoTenants.endpoint)/deliveries",
            foreign: "webhook-endpoints/\(TwoTenants.southernEndpoint)/deliveries"
        ).everywhere,
        change(
            .post, "webhook-endpoints/:id/deliveries/:delivery/resend",
            "webhook-endpoints/\(TwoTenants.endpoint)/deliveries/\(TwoTenants.delivery)/resend",
            foreign: "webhook-endpoints/\(TwoTenants.southernEndpoint)/deliveries/\(TwoTenants.southernDelivery)/resend"
        ).everywhere,
        change(
            .post, "webhook-endpoints/deliveries/:delivery/resend",
            "webhook-endpoints/deliveries/\(TwoTenants.delivery)/resend",
            foreign: "webhook-endpoints/deliveries/\(TwoTenants.southernDelivery)/resend"
        ).everywhere,
        change(
            .post, "deliveries/:delivery/resend", "deliveries/\(TwoTenants.delivery)/resend",
            foreign: "deliveries/\(TwoTenants.southernDelivery)/resend"
        ).everywhere,
        change(
            .delete, "webhook-endpoints/:id", "webhook-endpoints/\(TwoTenants.endpoint)", answers: .noContent,
            foreign: "webhook-endpoints/\(TwoTenants.southernEndpoint)"
        ).everywhere,
        row("series", "series"),
        row("series/query", "series/query?from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z"),
        row("alerts", "alerts"),
        row("alerts/:id", "alerts/\(TwoTenants.alert)", foreign: "alerts/\(TwoTenants.southernAlert)"),
        change(
            .post, "alerts/:id/acknowledge", "alerts/\(TwoTenants.alert)/acknowledge",
            foreign: "alerts/\(TwoTenants.southernAlert)/acknowledge"
        ).everywhere,
        change(
            .post, "alerts/:id/comments", "alerts/\(TwoTenants.alert)/comments", "{\"text\":\"Seen\"}",
            foreign: "alerts/\(TwoTenants.southernAlert)/comments"
        ).everywhere,
        change(
            .post, "alerts/:id/resolve", "alerts/\(TwoTenants.alert)/resolve",
            foreign: "alerts/\(TwoTenants.southernAlert)/resolve"
        ).everywhere,
        row("reports/weekly", "reports/weekly"),
        row("jobs", "jobs"),
        row("jobs/:name/runs", "jobs/cleanup/runs"),
    ]

    private static let goodbyes: [AccessRow] = [
        post("auth/logout", answers: .noContent),
        post("auth/logout-all", answers: .noContent),
        post("auth/switch", "{\"tenant\":\"north\"}"),
        // From here on the password is another, and then there is no tenant.
        post(
            "auth/password", "{\"old_password\":\"\(TwoTenants.password)\",\"new_password\":\"\(otherPassword)\"}"),
        change(.delete, "tenants/current", "tenants/current", answers: .noContent).everywhere,
    ]

    static let otherPassword = "another one, long enough"
}
