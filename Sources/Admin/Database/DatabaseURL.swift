import Foundation

/// The credentials in a `postgresql://user:password@host/database` URL.
struct DatabaseURL: Equatable {
    let user: String
    let password: String

    /// - Throws: `Refusal` that names the setting, never the URL, which holds a password.
    init(_ text: String, setting: String) throws {
        let fault = Refusal(.settings, "\(setting) must look like postgresql://user:password@host:port/database")
        guard text.hasPrefix("postgresql://") || text.hasPrefix("postgres://"), let scheme = text.range(of: "://")
        else {
            throw fault
        }
        let authority = text[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        // Passwords may hold an @ that was not encoded; hosts cannot.
        guard let at = authority.lastIndex(of: "@") else { throw fault }
        let credentials = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard credentials.count == 2, let user = String(credentials[0]).removingPercentEncoding,
            let password = String(credentials[1]).removingPercentEncoding, !user.isEmpty, !password.isEmpty
        else { throw fault }
        self.user = user
        self.password = password
    }
}
