import Foundation
import Postgres
import Shared

/// A source of uplinks, without its secrets.
struct Integration: Sendable {
    let id: UUID
    let name: String
    let dialect: IntegrationDialect
    let auth: IntegrationAuth
    let headerName: String?
    let username: String?
    let isActive: Bool
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

extension Integration: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        name = try row["name"]
        dialect = IntegrationDialect(rawValue: try row["dialect"]) ?? .generic
        auth = IntegrationAuth(rawValue: try row["auth"]) ?? .hmac
        headerName = try row["header_name"]
        username = try row["username"]
        isActive = try row["is_active"]
        createdAt = try row["created_at"]
        updatedAt = try row["updated_at"]
    }
}

extension Integration: JSONWritable {
    /// As the audit log keeps it.
    func write(to json: inout JSONWriter) {
        json.object { write(fieldsOf: &$0) }
    }

    func write(fieldsOf object: inout JSONWriter) {
        object.field("id", id)
        object.field("name", name)
        object.field("dialect", dialect.rawValue)
        object.field("auth", auth.rawValue)
        object.field("header_name", headerName)
        object.field("username", username)
        object.field("is_active", isActive)
        object.field("created_at", createdAt)
        object.field("updated_at", updatedAt)
    }
}

/// An integration as a client sees it: with what is to be typed into the network server.
struct IntegrationView: JSONWritable {
    let integration: Integration
    /// Where ingest is reached.
    let ingestURL: String
    /// Shown this once.
    var secret: String?

    private var url: String { "\(ingestURL)/v1/webhooks/\(integration.id.lowercaseString)" }

    func write(to json: inout JSONWriter) {
        json.object { object in
            integration.write(fieldsOf: &object)
            object.field("url", url)
            object.field("setup", Setup(integration: integration, url: url))
            if let secret { object.field("secret", secret) }
        }
    }

    private struct Setup: JSONWritable {
        let integration: Integration
        let url: String

        func write(to json: inout JSONWriter) {
            json.object { object in
                object.field("method", "POST")
                object.field("url", url)
                object.field("authentication", authentication)
                object.field("headers", headers)
            }
        }

        /// What the sender must do with the secret.
        private var authentication: String {
            switch integration.auth {
            case .hmac: "Sign each body with HMAC-SHA256; the key is the secret. Send the hex digits in the header."
            case .standardWebhooks:
                "Sign as Standard Webhooks say (https://www.standardwebhooks.com); the key is the secret."
            case .header: "Send the secret in the header."
            case .basic: "Sign in with HTTP Basic; the password is the secret."
            }
        }

        private var headers: [Header] {
            switch integration.auth {
            case .hmac: [Header(name: "X-Webhook-Signature", value: "sha256=<hex>")]
            case .standardWebhooks:
                [
                    Header(name: "webhook-id", value: "<a unique id of the message>"),
                    Header(name: "webhook-timestamp", value: "<seconds since 1970>"),
                    Header(name: "webhook-signature", value: "v1,<base64>"),
                ]
            case .header: [Header(name: integration.headerName ?? "", value: "<secret>")]
            case .basic:
                [Header(name: "Authorization", value: "Basic <base64 of \(integration.username ?? ""):secret>")]
            }
        }
    }

    private struct Header: JSONWritable {
        let name: String
        let value: String

        func write(to json: inout JSONWriter) {
            json.object { object in
                object.field("name", name)
                object.field("value", value)
            }
        }
    }
}
