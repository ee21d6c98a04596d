import Foundation
import Postgres
import Shared

/// A key that is about to be kept: its hash, and the prefix by which people know it.
struct NewAPIKey: Sendable {
    let id = UUID.v7()
    let name: String
    let kind: APIKey.Kind
    let siteID: UUID?
    let scopes: [String]
    let expiresAt: Timestamp?
    let secret: String
    let prefix: String
    let sha256: [UInt8]

    init(
        ofStore site: Site, in tenant: Tenant, name: String, expiresAt: Timestamp?
    ) throws {
        guard let slug = Slug(tenant.slug), let code = Code(site.code) else {
            throw Problem.internal("the slug or code of a store is none")
        }
        let key = StoreKey.make(tenant: slug, store: code)
        (kind, siteID, scopes) = (.store, site.id, [])
        (secret, prefix, sha256) = (key.secret, key.prefix, key.sha256)
        (self.name, self.expiresAt) = (name, expiresAt)
    }

    init(with scopes: [String], in tenant: Tenant, name: String, expiresAt: Timestamp?) throws {
        guard let slug = Slug(tenant.slug) else { throw Problem.internal("the slug of a tenant is none") }
        let key = ServiceKey.make(tenant: slug)
        (kind, siteID, self.scopes) = (.service, nil, scopes)
        (secret, prefix, sha256) = (key.secret, key.prefix, key.sha256)
        (self.name, self.expiresAt) = (name, expiresAt)
    }
}
