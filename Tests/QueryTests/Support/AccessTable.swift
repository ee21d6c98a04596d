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
    /// Whoever may send the request is answered so.
    var success = HTTPResponse.Status.ok

    static func post(
        _ route: String, _ body: String = "", answers success: HTTPResponse.Status = .ok
    ) -> AccessRow {
        var row = row(route, route)
        (row.method, row.body, row.success) = (.post, body, success)
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

    /// For what viewers may not see.
    static func administrative(_ route: String, _ own: String, foreign: String? = nil) -> AccessRow {
        var row = row(route, own, foreign: foreign)
        row.who = TwoTenants.owner
        return row
    }

    static func row(_ route: String, _ own: String, foreign: String? = nil) -> AccessRow {
        AccessRow(route: "/api/v1/" + route, own: "/api/v1/" + own, foreign: foreign.map { "/api/v1/" + $0 })
    }

    static let table: [AccessRow] = [
        row("users/me", "users/me"),
        row("tenants/current", "tenants/current"),
        administrative("api-keys", "api-keys"),
        administrative(
            "api-keys/:id", "api-keys/\(TwoTenants.storeKey)", foreign: "api-keys/\(TwoTenants.southernKey)"),
        change(
            .post, "api-keys", "api-keys", "{\"name\":\"BI\",\"kind\":\"service\",\"scopes\":[\"series:read\"]}",
            answers: .created),
        change(
            .patch, "api-keys/:id", "api-keys/\(TwoTenants.storeKey)", "{\"name\":\"Till\"}",
            foreign: "api-keys/\(TwoTenants.southernKey)"),
        change(
            .post, "api-keys/:id/rotate", "api-keys/\(TwoTenants.storeKey)/rotate", "{}",
            foreign: "api-keys/\(TwoTenants.southernKey)/rotate"),
        change(
            .delete, "api-keys/:id", "api-keys/\(TwoTenants.storeKey)", answers: .noContent,
            foreign: "api-keys/\(TwoTenants.southernKey)"),
        administrative("audit-logs", "audit-logs"),
        administrative(
            "audit-logs/:id", "audit-logs/\(TwoTenants.auditLog)",
            foreign: "audit-logs/\(TwoTenants.southernAuditLog)"),
        row("sites", "sites"),
        row("sites/:site", "sites/T01", foreign: "sites/\(TwoTenants.southernStore)"),
        row("stores", "stores"),
        row("stores/:site", "stores/\(TwoTenants.t01)", foreign: "stores/\(TwoTenants.southernStore)"),
        row("stores/:site/status", "stores/T01/status", foreign: "stores/\(TwoTenants.southernStore)/status"),
        row("warehouses", "warehouses"),
        row("warehouses/:site", "warehouses/W01", foreign: "warehouses/\(TwoTenants.southernStore)"),
        row("spaces", "spaces"),
        row("spaces/:id", "spaces/\(TwoTenants.bay)", foreign: "spaces/\(TwoTenants.southernSpace)"),
        row("device-profiles", "device-profiles"),
        row(
            "device-profiles/:id", "device-profiles/\(TwoTenants.profile)",
            foreign: "device-profiles/\(TwoTenants.southernProfile)"),
        row("devices", "devices"),
        row("devices/:eui", "devices/\(TwoTenants.bayEUI)", foreign: "devices/\(TwoTenants.southernEUI)"),
        row(
            "devices/:eui/readings", "devices/\(TwoTenants.bayEUI)/readings",
            foreign: "devices/\(TwoTenants.southernEUI)/readings"),
        row("orphan-devices", "orphan-devices"),
        row(
            "orphan-devices/:eui", "orphan-devices/\(TwoTenants.orphanEUI)",
            foreign: "orphan-devices/\(TwoTenants.southernOrphanEUI)"),
        row("series", "series"),
        row("series/query", "series/query?from=2026-01-05T00:00:00Z&to=2026-01-06T00:00:00Z"),
        post("auth/logout", answers: .noContent),
        post("auth/logout-all", answers: .noContent),
        post("auth/switch", "{\"tenant\":\"north\"}"),
        // The last: from here on the password is another.
        post(
            "auth/password",
            "{\"old_password\":\"\(TwoTenants.password)\",\"new_password\":\"another one, long enough\"}"),
    ]
}
