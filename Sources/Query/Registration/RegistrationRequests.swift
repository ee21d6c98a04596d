import Foundation
import Postgres
import Shared

/// A person who wants to become one.
struct NewPerson: Sendable {
    let email: String
    let name: String
    let password: String

    init(_ body: inout JSONBody) {
        email = body.required("email") { $0.email($1) } ?? ""
        name = body.required("name") { $0.name($1) } ?? ""
        password = body.required("password") { $0.newPassword($1) } ?? ""
    }
}

/// A tenant that somebody wants to found.
struct NewTenant: Sendable {
    let uuid = UUID.v7()
    let name: String
    let slug: String

    init(_ body: inout JSONBody) {
        name = body.required("name") { $0.name($1) } ?? ""
        slug = body.required("slug") { $0.slug($1) } ?? ""
    }

    func found() -> Statement<Tenant> {
        """
        SELECT id, uuid, slug, plan, is_active
          FROM found_tenant(\(uuid), \(slug), \(name), \(Plan.basic.rawValue), \(Plan.basic.maxStores))
        """
    }
}

extension JSONBody {
    fileprivate mutating func slug(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        let slug = Slug(text).flatMap { TenantNames.reserved.contains($0.rawValue) ? nil : $0.rawValue }
        if slug == nil {
            refuse(name, "invalid_slug", "Must be 2 to 49 characters a-z, 0-9 and -, and begin with no -.")
        }
        return slug
    }
}
