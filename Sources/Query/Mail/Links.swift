import Shared

/// The letters with a token, and where their links lead.
struct Links: Sendable {
    /// `https://pulsegate.example.com`, without a slash at its end.
    let publicURL: String

    func invitation(of member: Member, by inviter: String, _ token: OpaqueToken) -> Letter {
        Letter(
            to: member.email, subject: "\(inviter) invites you to \(member.tenantName)",
            text: """
                \(inviter) invites you to \(member.tenantName) on Pulsegate. To join, open this within 7 days:

                \(publicURL)/join?token=\(token.secret)

                If you did not expect this, ignore it.
                """)
    }

    func passwordReset(for email: String, _ token: OpaqueToken) -> Letter {
        Letter(
            to: email, subject: "Your new password",
            text: """
                Somebody, probably you, forgot the password of \(email) on Pulsegate. To choose another, open this within an hour:

                \(publicURL)/reset?token=\(token.secret)

                If it was not you, ignore this: the password stays as it is.
                """)
    }
}
