import FoundationEssentials
import Postgres
import Shared
import Support
import Synchronization

@testable import Ingest

/// A store of a tenant, whose gateways send. Both tenants' stores have the same owner ids and codes.
struct Shop: Sendable {
    let credential: StoreCredential
    var tenant: Tenant { credential.tenant }

    /// Two tenants with two stores each.
    static func plant(in clone: MigratedDatabase) async throws -> [Shop] {
        var shops: [Shop] = []
        for slug in ["north", "south"] {
            let tenant = try await clone.plantTenant(slug)
            for owner in Int32(1)...2 {
                try await clone.asSuperuser { connection in
                    try await connection.run(
                        """
                        INSERT INTO sites (tenant_id, id, owner_id, code, name)
                        VALUES (\(tenant.id), \(UUID()), \(owner), \("T0\(owner)"), 'Store')
                        """)
                }
                shops.append(Shop(credential: StoreCredential(tenant: tenant, keyID: UUID(), owner: owner)))
            }
        }
        return shops
    }
}

/// Which id each series got: always the same one, and no other series has it.
final class SeriesNames: Sendable {
    private struct Named: Hashable {
        let shop: Int
        let series: SeriesName
    }

    private struct State {
        var ids: [Named: Int32] = [:]
        var names: [Int32: Named] = [:]
    }

    private let state = Mutex(State())

    /// False when either has another already.
    func isConsistent(_ series: SeriesName, ofShop shop: Int, _ id: Int32) -> Bool {
        state.withLock { state in
            let named = Named(shop: shop, series: series)
            let (knownID, knownName) = (state.ids[named] ?? id, state.names[id] ?? named)
            state.ids[named] = knownID
            state.names[id] = knownName
            return knownID == id && knownName == named
        }
    }

    func ids(ofShops shops: Set<Int>) -> [Int32] {
        state.withLock { $0.names.filter { shops.contains($0.value.shop) }.keys.sorted() }
    }
}
