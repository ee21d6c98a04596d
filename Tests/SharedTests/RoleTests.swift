import Foundation
import HTTPTypes
import Shared
import Testing

struct RoleTests {
    @Test func eachRoleHoldsWhatTheOneBeforeItHolds() {
        for (lower, higher) in zip(Role.allCases, Role.allCases.dropFirst()) {
            #expect(lower.scopes.isStrictSubset(of: higher.scopes), "\(lower) and \(higher)")
        }
        #expect(Role.owner.scopes == Set(Scope.allCases))
    }

    @Test func viewersReadWhatIsNotAdministration() {
        #expect(Role.viewer.scopes.allSatisfy { $0.rawValue.hasSuffix(":read") })
        for hidden in [
            Scope.usersRead, .rolesRead, .apiKeysRead, .integrationsRead, .quarantineRead, .auditLogsRead,
            .webhookEndpointsRead,
        ] {
            #expect(!Role.operator.scopes.contains(hidden))
        }
        #expect(Role.manager.scopes.contains(.usersRead))
        #expect(
            Role.viewer.scopes.isSuperset(of: [.sitesRead, .devicesRead, .tenantRead, .seriesRead, .orphanDevicesRead]))
    }

    @Test func whoMayDoWhat() {
        #expect(Role.operator.scopes.isSuperset(of: [.valesDeliver, .orphanDevicesClaim, .dashboardsWrite]))
        #expect(Role.operator.scopes.isDisjoint(with: [.sitesWrite, .purchaseRequestsApprove]))
        #expect(Role.manager.scopes.isDisjoint(with: [.usersWrite, .apiKeysRead, .tenantWrite]))
        #expect(Role.admin.scopes.subtracting(Role.manager.scopes).contains(.auditLogsRead))
        #expect(!Role.admin.scopes.contains(.tenantDelete))
    }

    @Test func nobodyGrantsWhatTheyDoNotHold() {
        #expect(Role.admin.canBeGranted(by: Role.admin.scopes))
        #expect(!Role.owner.canBeGranted(by: Role.admin.scopes))
        #expect(Role.owner.canBeGranted(by: Role.owner.scopes))
    }

    @Test func aPrincipalMustHoldTheScope() throws {
        let principal = Principal(kind: .apiKey, id: UUID.v7(), name: "BI", scopes: [.devicesRead])
        try principal.require(.devicesRead)
        let problem = try #require(throws: Problem.self) { try principal.require(.devicesWrite) }
        #expect(problem.status == .forbidden)
        #expect(problem.code == "insufficient_scope")
    }
}
