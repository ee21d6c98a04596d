/// The roles every tenant has; each holds what the one before it holds. The only table of roles and their scopes.
package enum Role: String, CaseIterable, Codable, Hashable, Sendable {
    case viewer, `operator`, manager, admin, owner

    package var scopes: Set<Scope> {
        Self.scopes[self] ?? []
    }

    /// Nobody grants a scope that they do not hold. `tenant:delete` is an owner's alone, so only owners make owners.
    package func canBeGranted(by scopes: Set<Scope>) -> Bool {
        self.scopes.isSubset(of: scopes)
    }

    private static let scopes: [Role: Set<Scope>] = {
        var held: Set<Scope> = []
        return allCases.reduce(into: [:]) { table, role in
            held.formUnion(role.added)
            table[role] = held
        }
    }()

    /// What this role has beyond the one before it.
    private var added: Set<Scope> {
        switch self {
        case .viewer:
            Set(Scope.reads).subtracting(Self.administrativeReads)
        case .operator:
            [
                .reservationsWrite, .valesWrite, .valesDeliver, .stockMovementsWrite, .purchaseRequestsWrite,
                .orphanDevicesClaim, .alertsWrite, .dashboardsWrite,
            ]
        case .manager:
            [
                .sitesWrite, .spacesWrite, .devicesWrite, .deviceProfilesWrite, .productsWrite, .suppliersWrite,
                .purchaseRequestsApprove, .usersRead,
            ]
        case .admin:
            Self.administrativeReads.union([
                .usersWrite, .rolesWrite, .apiKeysWrite, .integrationsWrite, .quarantineWrite, .webhookEndpointsWrite,
                .tenantWrite,
            ])
        case .owner: [.tenantDelete]
        }
    }

    private static let administrativeReads: Set<Scope> = [
        .usersRead, .rolesRead, .apiKeysRead, .integrationsRead, .quarantineRead, .auditLogsRead, .webhookEndpointsRead,
    ]
}
