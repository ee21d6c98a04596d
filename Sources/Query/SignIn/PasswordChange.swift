import Shared

/// What a person types to have another password.
struct PasswordChange: Sendable {
    let old: String
    let new: String

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        old = body.requiredText("old_password")
        new = body.required("new_password") { $0.newPassword($1) } ?? ""
        if old.utf8.count > SignIn.maxLength { body.refuse("old_password", "too_long", "No password is that long.") }
        if new == old, !new.isEmpty { body.refuse("new_password", "unchanged", "This is the old password.") }
        try body.check()
    }

    static var wrongOldPassword: Problem {
        .unprocessable([.init(field: "old_password", code: "wrong_password", detail: "This is not the password.")])
    }
}
