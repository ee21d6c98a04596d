import Foundation
import Postgres
import Shared

/// Whom a tenant wants told of what the house finds: its administrator by e-mail, where `admin_contact` holds an address, else all its
/// owners; and its telephones by WhatsApp.
struct TenantContacts: Sendable {
    let addresses: [String]
    let telephones: [String]

    /// - Parameter contact: free text, such as `Ana <ana@example.com>`.
    init(contact: String?, owners: [String], telephones: [String]) {
        let address = contact?.firstMatch(of: /[^@\s<>,;:"]+@[^@\s<>,;:"]+/.matchingSemantics(.unicodeScalar))
            .map { String($0.output) }
        addresses = (address.map { [$0] } ?? owners).filter { $0.utf8.count <= 254 }
        self.telephones = telephones
    }

    func emails(_ subject: String, _ body: String) -> [NewNotification] {
        addresses.map { NewNotification(channel: .email, recipient: $0, subject: subject, body: body) }
    }

    func messages(_ subject: String, _ body: String) -> [NewNotification] {
        telephones.map { NewNotification(channel: .whatsapp, recipient: $0, subject: subject, body: body) }
    }
}

extension TenantContacts: RowDecodable {
    init(_ row: Row) throws {
        self.init(
            contact: try row["admin_contact"], owners: try row["owners"], telephones: try row["whatsapp_numbers"])
    }

    static func find(_ tenant: TenantID) -> Statement<TenantContacts> {
        """
        SELECT t.admin_contact, t.whatsapp_numbers,
               ARRAY(SELECT u.email FROM memberships m JOIN users u ON u.id = m.user_id
                      WHERE m.tenant_id = t.id AND m.role = 'owner' ORDER BY u.email) AS owners
          FROM tenants t WHERE t.id = \(tenant)
        """
    }
}
