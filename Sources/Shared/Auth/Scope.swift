/// One permission: `<resource>:read`, `<resource>:write`, or a verb of its own. Every endpoint names the one it needs.
package enum Scope: String, CaseIterable, Codable, Hashable, Sendable {
    case alertsRead = "alerts:read"
    case alertsWrite = "alerts:write"
    case apiKeysRead = "api-keys:read"
    case apiKeysWrite = "api-keys:write"
    case auditLogsRead = "audit-logs:read"
    case dashboardsRead = "dashboards:read"
    case dashboardsWrite = "dashboards:write"
    case deviceProfilesRead = "device-profiles:read"
    case deviceProfilesWrite = "device-profiles:write"
    case devicesRead = "devices:read"
    case devicesWrite = "devices:write"
    case eventsRead = "events:read"
    case integrationsRead = "integrations:read"
    case integrationsWrite = "integrations:write"
    case jobsRead = "jobs:read"
    case orphanDevicesRead = "orphan-devices:read"
    case orphanDevicesClaim = "orphan-devices:claim"
    case productsRead = "products:read"
    case productsWrite = "products:write"
    case purchaseRequestsRead = "purchase-requests:read"
    case purchaseRequestsWrite = "purchase-requests:write"
    case purchaseRequestsApprove = "purchase-requests:approve"
    case quarantineRead = "quarantine:read"
    case quarantineWrite = "quarantine:write"
    case reportsRead = "reports:read"
    case reservationsRead = "reservations:read"
    case reservationsWrite = "reservations:write"
    case rolesRead = "roles:read"
    case rolesWrite = "roles:write"
    case seriesRead = "series:read"
    case sitesRead = "sites:read"
    case sitesWrite = "sites:write"
    case spacesRead = "spaces:read"
    case spacesWrite = "spaces:write"
    case stockLevelsRead = "stock-levels:read"
    case stockMovementsRead = "stock-movements:read"
    case stockMovementsWrite = "stock-movements:write"
    case suppliersRead = "suppliers:read"
    case suppliersWrite = "suppliers:write"
    case tenantRead = "tenant:read"
    case tenantWrite = "tenant:write"
    case tenantDelete = "tenant:delete"
    case usersRead = "users:read"
    case usersWrite = "users:write"
    case valesRead = "vales:read"
    case valesWrite = "vales:write"
    case valesDeliver = "vales:deliver"
    case webhookEndpointsRead = "webhook-endpoints:read"
    case webhookEndpointsWrite = "webhook-endpoints:write"
}

extension Set<Scope> {
    /// - Parameter names: those that this version does not know are left out.
    package init(named names: [String]) {
        self.init(names.compactMap(Scope.init(rawValue:)))
    }
}

extension Scope {
    /// Those that show and change nothing.
    package static let reads = allCases.filter { $0.rawValue.hasSuffix(":read") }

    /// - Parameters:
    ///   - role: one of the house, or one of the tenant's own.
    ///   - own: what the latter holds; scopes that this version does not know are left out.
    package static func held(by role: String, own: [String]?) -> Set<Scope> {
        Role(rawValue: role)?.scopes ?? Set(named: own ?? [])
    }
}
