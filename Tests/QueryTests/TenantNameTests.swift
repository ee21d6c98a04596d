import HTTPTypes
import Hummingbird
import Shared
import Support
import Testing

@testable import Query

/// A tenant named by header or host, beside what says who asks.
@Suite struct TenantNameTests {
    private static let body =
        "{\"email\":\"\(TwoTenants.email(TwoTenants.both))\",\"password\":\"\(TwoTenants.password)\"}"

    private static var options: QueryServices.Options { .init(baseDomain: "Pulsegate.test") }

    @Test(arguments: [
        ("south.pulsegate.test", ["south"]), ("SOUTH.pulsegate.test:8081", ["south"]), ("pulsegate.test", []),
        ("api.pulsegate.test", []), ("south.elsewhere.test", []), ("a.south.pulsegate.test", ["a.south"]),
        ("southpulsegate.test", []),
    ])
    func aSubdomainNamesATenant(host: String, names: [String]) {
        let middleware = TenantNames(baseDomain: Self.options.baseDomain)
        #expect(middleware.names(header: nil, host: host) == names)
        #expect(middleware.names(header: "north", host: host) == ["north"] + names)
        #expect(TenantNames(baseDomain: nil).names(header: nil, host: host).isEmpty)
    }

    @Test func allNamesMustBeOfOneTenant() async throws {
        try await Testbed.run(options: Self.options) { bed in
            let south: HTTPFields = [.tenantID: "south"]
            #expect(try await bed.post("/api/v1/auth/login", Self.body, headers: south).status == .ok)
            let other = Self.body.dropLast() + ",\"tenant\":\"north\"}"
            let contradicting = try await bed.post("/api/v1/auth/login", String(other), headers: south)
            #expect(contradicting.status == .forbidden && contradicting.code == "no_membership")
            let uuid = Self.body.dropLast() + ",\"tenant\":\"\(TwoTenants.south)\"}"
            #expect(try await bed.post("/api/v1/auth/login", String(uuid), headers: south).status == .ok)
        }
    }

    /// A refresh token is not used up by a request that names another tenant.
    @Test func renewingStaysInTheTenant() async throws {
        try await Testbed.run { bed in
            let token = try #require(try await bed.signIn(TwoTenants.viewer).json["refresh_token"] as? String)
            let body = "{\"refresh_token\":\"\(token)\"}"
            let refused = try await bed.post("/api/v1/auth/refresh", body, headers: [.tenantID: "south"])
            #expect(refused.status == .forbidden && refused.code == "wrong_tenant")
            #expect(try await bed.post("/api/v1/auth/refresh", body, headers: [.tenantID: "north"]).status == .ok)
        }
    }
}
