import Foundation
import Postgres
import Shared

/// Why a command was not carried out, for the person who typed it. Exit statuses are those of `sysexits.h`.
struct Refusal: Error, Equatable, CustomStringConvertible {
    enum Reason: Int32 {
        case conflict = 1
        case data = 65
        case unavailable = 69
        case failed = 70
        case settings = 78
    }

    let reason: Reason
    let description: String

    init(_ reason: Reason, _ description: String) {
        self.reason = reason
        self.description = description
    }

    func exit() -> Never {
        Console.complain("pulsegate: \(description)")
        Foundation.exit(reason.rawValue)
    }
}

extension Refusal {
    /// Nil for errors that are not of the database, the migrations or ours: ArgumentParser tells those better.
    init?(_ error: any Error) {
        switch error {
        case let error as Refusal: self = error
        case let error as MigrationError: self.init(.failed, error.description)
        case let error as PipelineError: self.init(database: error.underlying)
        case let error as PostgresError: self.init(database: error)
        default: return nil
        }
    }

    private init(database error: PostgresError) {
        switch error.kind {
        case .connectFailed, .connectionLost, .poolExhausted, .poolClosed:
            self.init(.unavailable, "no connection to the database: \(error.message)")
        case .server:
            self = Self.constraints[error.constraint ?? ""] ?? Refusal(.failed, error.description)
        default:
            self.init(.failed, error.description)
        }
    }

    /// What the database's constraints mean to whoever ran into them.
    private static let constraints: [String: Refusal] = [
        "tenants_slug_key": Refusal(.conflict, "there is a tenant with this slug already"),
        "tenants_slug_check": Refusal(.data, "a slug has 2 to 49 characters a-z, 0-9 and -, and begins with no -"),
        "tenants_name_check": Refusal(.data, "a tenant's name has 1 to 200 characters"),
        "users_email_check": Refusal(.data, "that is no e-mail address"),
        "users_name_check": Refusal(.data, "a user's name has 1 to 200 characters"),
        "memberships_pkey": Refusal(.conflict, "this user is a member of the tenant already"),
        "sites_code": Refusal(.conflict, "there is a site with this code already"),
        "api_keys_name_check": Refusal(.data, "a key's name has 1 to 200 characters"),
        "integrations_name_check": Refusal(.data, "an integration's name has 1 to 200 characters"),
        "integrations_header_name_check": Refusal(.data, "a header's name has 1 to 64 letters, digits and -"),
        "integrations_username_check": Refusal(.data, "a user name for basic is not empty and has no colon"),
        "devices_space": Refusal(.conflict, "the space has another device already"),
    ]
}
