import Foundation
import HTTPTypes
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct PasswordResetTests {
    private static let new = "a password never used"

    @Test func aForgottenPasswordIsReplacedByMail() async throws {
        try await Testbed.runWithMail(accessTimeToLive: .zero) { bed, mail in
            let access = try await bed.token(TwoTenants.viewer)
            #expect(try await bed.forgot(TwoTenants.email(TwoTenants.viewer).uppercased()).status == .accepted)
            let letter = try await mail.next()
            #expect(letter.to == [TwoTenants.email(TwoTenants.viewer)])
            #expect(letter.text.contains("https://pulsegate.test/reset?token="))
            let token = try letter.token
            let weak = try await bed.reset(token, "short")
            #expect(weak.faults == ["password: too_short"])
            #expect(try await bed.reset(token, Self.new).status == .noContent)
            #expect(try await bed.get("/api/v1/sites", as: access).status == .unauthorized, "sessions end")
            let old = try await bed.logIn(TwoTenants.viewer, TwoTenants.password)
            #expect(old.status == .unauthorized)
            #expect(try await bed.logIn(TwoTenants.viewer, Self.new).status == .ok)
            #expect(try await bed.reset(token, "yet another password").faults == ["token: invalid"], "single use")
            #expect(try await bed.audited("user.password_reset_asked") == 1)
            #expect(try await bed.audited("user.password_reset") == 1)
        }
    }

    /// The answer is the same, and comes before anything was looked up.
    @Test func nobodyLearnsWhoHasAnAccount() async throws {
        try await Testbed.runWithMail { bed, mail in
            let headers: HTTPFields = [.requestID: "same"]
            let known = try await bed.forgot(TwoTenants.email(TwoTenants.viewer), headers)
            let unknown = try await bed.forgot("stranger@example.com", headers)
            let memberOfNothing = try await bed.forgot(TwoTenants.email(TwoTenants.nobody), headers)
            for other in [unknown, memberOfNothing] {
                #expect(other.status == known.status && other.text == known.text && other.headers == known.headers)
            }
            #expect(try await bed.forgot("no address").faults == ["email: invalid_email"])
            #expect(try await mail.next().to == [TwoTenants.email(TwoTenants.viewer)])
        }
    }

    @Test func ofManyAtOnceOneSetsThePassword() async throws {
        try await Testbed.runWithMail { bed, mail in
            _ = try await bed.forgot(TwoTenants.email(TwoTenants.viewer))
            let token = try await mail.next().token
            let answers = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for number in 0..<8 { group.addTask { try await bed.reset(token, "password number \(number)").status } }
                return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(answers == [.noContent: 1, .unprocessableContent: 7])
        }
    }

    /// Whatever sets a password, all letters that lie in the mailbox are void.
    @Test func anyNewPasswordVoidsTheTokens() async throws {
        try await Testbed.runWithMail { bed, mail in
            for _ in 0..<2 { _ = try await bed.forgot(TwoTenants.email(TwoTenants.viewer)) }
            let (first, second) = (try await mail.next().token, try await mail.next().token)
            #expect(try await bed.reset(first, Self.new).status == .noContent)
            #expect(try await bed.reset(second, "yet another password").faults == ["token: invalid"])
        }
    }

    @Test func tokensExpireAndAreFew() async throws {
        try await Testbed.runWithMail { bed, mail in
            for _ in 0..<5 { _ = try await bed.forgot(TwoTenants.email(TwoTenants.viewer)) }
            var tokens: [String] = []
            for _ in 0..<3 { tokens.append(try await mail.next().token) }
            // Two were not written: another person's letter is the next that comes.
            _ = try await bed.forgot(TwoTenants.email(TwoTenants.owner))
            #expect(try await mail.next().to == [TwoTenants.email(TwoTenants.owner)])
            try await bed.database.asSuperuser {
                try await $0.execute(script: "UPDATE password_resets SET expires_at = now()")
            }
            #expect(try await bed.reset(tokens[0], Self.new).faults == ["token: invalid"])
            let unknown = OpaqueToken.make(tenant: TwoTenants.north).secret
            for token in [unknown, "nonsense", OpaqueToken.make(tenant: UUID.v7()).secret] {
                #expect(try await bed.reset(token, Self.new).faults == ["token: invalid"])
            }
        }
    }

    /// Somebody who was slowed down for guessing gets in with the new password at once.
    @Test func whoFailedTooOftenIsPardoned() async throws {
        let patient = FailureThrottle.Limits(shortestWait: .seconds(600), longestWait: .seconds(600))
        try await Testbed.runWithMail(failures: patient) { bed, mail in
            for _ in 0..<10 { _ = try await bed.logIn(TwoTenants.viewer, "wrong password") }
            #expect(try await bed.logIn(TwoTenants.viewer, TwoTenants.password).status == .tooManyRequests)
            _ = try await bed.forgot(TwoTenants.email(TwoTenants.viewer))
            #expect(try await bed.reset(mail.next().token, Self.new).status == .noContent)
            #expect(try await bed.logIn(TwoTenants.viewer, Self.new).status == .ok)
        }
    }
}

extension Testbed {
    fileprivate func forgot(_ email: String, _ headers: HTTPFields = [:]) async throws -> Answered {
        try await post("/api/v1/auth/forgot", "{\"email\":\"\(email)\"}", headers: headers)
    }

    fileprivate func reset(_ token: String, _ password: String) async throws -> Answered {
        try await post("/api/v1/auth/reset", "{\"token\":\"\(token)\",\"password\":\"\(password)\"}")
    }
}
