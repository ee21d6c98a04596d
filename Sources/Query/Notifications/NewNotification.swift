import Foundation
import Postgres
import Shared

/// Something that a person is to be sent, written in the transaction of what it tells of; the outbox sends it until it was taken.
struct NewNotification: Sendable {
    enum Channel: String, CaseIterable, Sendable {
        case email, whatsapp
    }

    let channel: Channel
    /// An e-mail address or a telephone number.
    let recipient: String
    let subject: String
    let body: String

    func insert(into tenant: TenantID) -> Command {
        """
        INSERT INTO notifications (tenant_id, id, channel, recipient, subject, body)
        VALUES (\(tenant), \(UUID.v7()), \(channel.rawValue), \(recipient), \(subject), \(body))
        """
    }
}
