import Foundation
import Postgres
import Shared

/// What a client wants a new member to be.
struct MemberRequest: Sendable {
    let email: String
    let name: String
    let role: String
    /// Empty: every site.
    let siteIDs: [UUID]
    /// Nil: the person is invited, and chooses one.
    let password: String?

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        email = body.required("email") { $0.email($1) } ?? ""
        name = body.required("name") { $0.name($1) } ?? ""
        role = body.required("role") { $0.name($1) } ?? ""
        siteIDs = body.ids("site_ids") ?? []
        password = body.newPassword()
        try body.check()
    }
}

/// What a client wants a member to be from now on. The e-mail, the name and the password are the person's own.
struct MemberChange: Sendable {
    let role: String
    let siteIDs: [UUID]
    private let email, name: String?

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        role = body.required("role") { $0.name($1) } ?? ""
        siteIDs = body.ids("site_ids") ?? []
        email = body.email()
        name = body.name()
        body.skip("id", "status", "password_change_required", "last_login_at", "created_at", "updated_at")
        try body.check()
    }

    /// Who sends back all that was read changes nothing by that.
    /// - Throws: `Problem` 422 for a change of what is the person's own.
    func check(against member: Member) throws {
        let others = [("email", email, member.email), ("name", name, member.name)].filter { $1 != nil && $1 != $2 }
        guard others.isEmpty else {
            throw Problem.unprocessable(
                others.map { .init(field: $0.0, code: "read_only", detail: "Only the person can change this.") })
        }
    }
}
