import Foundation
import HTTPTypes
import Hummingbird
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct InvitationTests {
    private static let invited = #"{"email":"ana@example.com","name":"Ana","role":"operator"}"#
    private static let own = "chosen by Ana alone"

    @Test func whoIsInvitedJoinsWithAPasswordOfTheirOwn() async throws {
        try await Testbed.runWithMail { bed, mail in
            let token = try await bed.token(TwoTenants.owner)
            let made = try await bed.post("/api/v1/users", Self.invited, as: token)
            #expect(made.status == .created && made.json["status"] as? String == "invited", "\(made.text)")
            let letter = try await mail.next()
            #expect(letter.to == ["ana@example.com"] && letter.subject.contains("North Ltd"))
            #expect(letter.text.contains("https://pulsegate.test/join?token="))
            #expect(try await bed.accept(letter.token, "short").faults == ["password: too_short"])
            let joined = try await bed.accept(letter.token, Self.own)
            #expect(joined.status == .created, "\(joined.text)")
            let access = try #require(joined.json["access_token"] as? String)
            let me = try await bed.get("/api/v1/users/me", as: access)
            #expect(me.json["role"] as? String == "operator" && me.json["password_change_required"] as? Bool == false)
            #expect(try await bed.accept(letter.token, Self.own).faults == ["token: invalid"], "single use")
            #expect(try await bed.logIn("ana", Self.own).status == .ok)
            #expect(try await bed.audited("user.joined") == 1)
        }
    }

    /// Nobody is drawn into a tenant, and nobody's name is shown to one, without their doing.
    @Test func whoHasAnAccountJoinsWithItsPassword() async throws {
        try await Testbed.runWithMail { bed, mail in
            let token = try await bed.token(TwoTenants.owner)
            let body = #"{"email":"southern@example.com","name":"?","role":"viewer","password":"set by somebody else"}"#
            let made = try await bed.post("/api/v1/users", body, as: token)
            #expect(made.json["status"] as? String == "invited" && made.json["name"] as? String == "?")
            #expect(try await bed.logIn(TwoTenants.southern, "set by somebody else").status == .unauthorized)
            let secret = try await mail.next().token
            #expect(try await bed.accept(secret, "set by somebody else").faults == ["password: wrong_password"])
            #expect(try await bed.accept(secret, TwoTenants.password, name: "Other").status == .created)
            let users = try await bed.get("/api/v1/users", as: token).data
            let joined = try #require(users.first { $0["email"] as? String == "southern@example.com" })
            #expect(joined["status"] as? String == "active" && joined["name"] as? String == "Southern")
        }
    }

    @Test func ofManyAtOnceOneJoins() async throws {
        try await Testbed.runWithMail { bed, mail in
            _ = try await bed.post("/api/v1/users", Self.invited, as: bed.token(TwoTenants.owner))
            let token = try await mail.next().token
            let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for _ in 0..<6 { group.addTask { try await bed.accept(token, Self.own).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == .created }.count == 1, "\(statuses)")
            #expect(statuses.allSatisfy { [.created, .unprocessableContent, .conflict].contains($0) }, "\(statuses)")
        }
    }

    @Test func invitingAgainVoidsTheEarlierLetterAndWithdrawingAll() async throws {
        try await Testbed.runWithMail { bed, mail in
            let token = try await bed.token(TwoTenants.owner)
            let first = try await bed.post("/api/v1/users", Self.invited, as: token)
            let second = try await bed.post("/api/v1/users", Self.invited, as: token)
            #expect(first.json["id"] as? String == second.json["id"] as? String)
            let (early, late) = (try await mail.next().token, try await mail.next().token)
            #expect(try await bed.accept(early, Self.own).faults == ["token: invalid"])
            let id = try #require(second.json["id"] as? String)
            #expect(try await bed.send(.delete, "/api/v1/users/\(id)", nil, as: token).status == .noContent)
            #expect(try await bed.accept(late, Self.own).faults == ["token: invalid"])
            #expect(try await bed.audited("user.invitation_withdrawn") == 1)
        }
    }

    @Test func invitationsExpire() async throws {
        try await Testbed.runWithMail { bed, mail in
            _ = try await bed.post("/api/v1/users", Self.invited, as: bed.token(TwoTenants.owner))
            try await bed.database.asSuperuser {
                try await $0.execute(script: "UPDATE invitations SET expires_at = now()")
            }
            #expect(try await bed.accept(mail.next().token, Self.own).faults == ["token: invalid"])
        }
    }

    @Test func withoutMailNobodyIsInvited() async throws {
        try await Testbed.run { bed in
            let refused = try await bed.post("/api/v1/users", Self.invited, as: bed.token(TwoTenants.owner))
            #expect(refused.status == .conflict && refused.code == "no_mail")
        }
    }

    /// Whoever chose the password at first can't follow the person into another tenant.
    @Test func aPasswordThatSomebodyElseChoseProvesNothing() async throws {
        try await Testbed.runWithMail(accessTimeToLive: .zero) { bed, mail in
            let south = try await bed.token(TwoTenants.southern)
            let chosen = "chosen by south's admin"
            let body = #"{"email":"ana@example.com","name":"Ana","role":"viewer","password":"\#(chosen)"}"#
            #expect(try await bed.post("/api/v1/users", body, as: south).status == .created)
            let spy = try #require(try await bed.logIn("ana", chosen).json["access_token"] as? String)
            _ = try await bed.post("/api/v1/users", Self.invited, as: bed.token(TwoTenants.owner))
            #expect(try await bed.accept(mail.next().token, Self.own).status == .created)
            #expect(try await bed.logIn("ana", chosen).status == .unauthorized)
            #expect(try await bed.get("/api/v1/users/me", as: spy).status == .unauthorized)
            let both = try await bed.logIn("ana", Self.own)
            #expect(both.code == "tenant_required", "\(both.text)")
        }
    }

    /// Nobody can keep an address out by making an account of it first.
    @Test func anAccountThatIsAMemberOfNothingIsItsMailboxs() async throws {
        try await Testbed.runWithMail { bed, mail in
            let email = TwoTenants.email(TwoTenants.nobody)
            let body = #"{"email":"\#(email)","name":"N","role":"viewer"}"#
            _ = try await bed.post("/api/v1/users", body, as: bed.token(TwoTenants.owner))
            #expect(try await bed.accept(mail.next().token, Self.own).status == .created)
            #expect(try await bed.logIn(TwoTenants.nobody, Self.own).status == .ok)
            #expect(try await bed.logIn(TwoTenants.nobody, TwoTenants.password).status == .unauthorized)
        }
    }

    @Test func anOldLetterDoesNotBringARemovedMemberBack() async throws {
        try await Testbed.runWithMail { bed, mail in
            let token = try await bed.token(TwoTenants.owner)
            _ = try await bed.post("/api/v1/users", Self.invited, as: token)
            let letter = try await mail.next().token
            let body = #"{"email":"ana@example.com","name":"Ana","role":"viewer","password":"chosen by an admin"}"#
            let made = try await bed.post("/api/v1/users", body, as: token)
            let id = try #require(made.json["id"] as? String)
            let listed = try await bed.get("/api/v1/users", as: token).data.texts("email").filter {
                $0 == "ana@example.com"
            }
            #expect(listed.count == 1)
            #expect(try await bed.send(.delete, "/api/v1/users/\(id)", nil, as: token).status == .noContent)
            #expect(try await bed.accept(letter, Self.own).faults == ["token: invalid"])
        }
    }

    @Test func nobodyReplacesAnInvitationBeyondTheirOwnRights() async throws {
        try await Testbed.runWithMail(accessTimeToLive: .zero) { bed, mail in
            let high = #"{"email":"ana@example.com","name":"Ana","role":"owner"}"#
            _ = try await bed.post("/api/v1/users", high, as: bed.token(TwoTenants.owner))
            let letter = try await mail.next().token
            try await bed.promote(TwoTenants.viewer, to: "admin")
            let refused = try await bed.post("/api/v1/users", Self.invited, as: bed.token(TwoTenants.viewer))
            #expect(refused.status == .forbidden && refused.code == "scope_not_held")
            let joined = try await bed.accept(letter, Self.own)
            #expect((joined.json["user"] as? [String: Any])?["role"] as? String == "owner")
        }
    }

    /// A program does not live on in a person.
    @Test func programsInviteAndMakeNobody() async throws {
        try await Testbed.runWithMail { bed, mail in
            let made = try await bed.post(
                "/api/v1/api-keys", #"{"name":"HR","kind":"service","scopes":["users:write","users:read"]}"#,
                as: bed.token(TwoTenants.owner))
            let key = try #require(made.json["key"] as? String)
            let body = #"{"email":"ana@example.com","name":"Ana","role":"unused","password":"chosen by a program"}"#
            #expect(try await bed.post("/api/v1/users", body, as: key).code == "no_session")
            let invited = #"{"email":"ana@example.com","name":"Ana","role":"unused"}"#
            #expect(try await bed.post("/api/v1/users", invited, as: key).status == .created)
            #expect(try await mail.next().to == ["ana@example.com"])
        }
    }

    @Test func aMailboxIsNotFilled() async throws {
        try await Testbed.runWithMail { bed, _ in
            let token = try await bed.token(TwoTenants.owner)
            for _ in 0..<3 { #expect(try await bed.post("/api/v1/users", Self.invited, as: token).status == .created) }
            let refused = try await bed.post("/api/v1/users", Self.invited, as: token)
            #expect(refused.status == .tooManyRequests && refused.headers[.retryAfter] != nil)
            // Who has an account gets a letter also where the request brings a password.
            let known = #"{"email":"southern@example.com","name":"S","role":"viewer","password":"long enough to do"}"#
            for _ in 0..<3 { #expect(try await bed.post("/api/v1/users", known, as: token).status == .created) }
            #expect(try await bed.post("/api/v1/users", known, as: token).status == .tooManyRequests)
        }
    }

    /// Whom a member invited does not come once that member is gone.
    @Test func invitationsGoWithWhoMadeThem() async throws {
        try await Testbed.runWithMail(accessTimeToLive: .zero) { bed, mail in
            try await bed.promote(TwoTenants.viewer, to: "admin")
            let (admin, owner) = (try await bed.token(TwoTenants.viewer), try await bed.token(TwoTenants.owner))
            _ = try await bed.post("/api/v1/users", Self.invited, as: admin)
            let letter = try await mail.next().token
            let id = try await bed.userID(TwoTenants.viewer)
            #expect(try await bed.send(.delete, "/api/v1/users/\(id)", nil, as: owner).status == .noContent)
            #expect(try await bed.accept(letter, Self.own).faults == ["token: invalid"])
        }
    }
}
