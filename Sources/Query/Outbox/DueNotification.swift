import Foundation
import Postgres
import Shared

/// A notification that this process has claimed.
struct DueNotification: Sendable {
    /// With the one that is due.
    let attempts: Int32
    let giveUpAt: Timestamp
    /// Under the row's id, so that a service which knows it sends it once.
    let letter: Letter
}

extension DueNotification: RowDecodable {
    init(_ row: Row) throws {
        attempts = try row["attempts"]
        giveUpAt = try row["give_up_at"]
        letter = Letter(
            id: try row["id"], to: try row["recipient"], subject: try row["subject"], text: try row["body"])
    }
}

extension DueNotification {
    /// As for webhooks; see ``DueDelivery/claim(_:at:lease:busy:in:)``.
    static func claim(
        _ limit: Int, by channel: NewNotification.Channel, at now: Timestamp, lease: Duration, in tenant: TenantID
    ) -> Statement<DueNotification> {
        """
        WITH locked AS (
            SELECT id FROM notifications
             WHERE tenant_id = \(tenant) AND status = 'pending' AND next_attempt_at <= \(now) AND channel = \(channel.rawValue)
             ORDER BY next_attempt_at LIMIT \(Int64(limit))
               FOR UPDATE SKIP LOCKED
        ), claimed AS (
            UPDATE notifications n
               SET attempts = n.attempts + 1, next_attempt_at = \(now.adding(lease)), last_attempt_at = \(now)
              FROM locked l
             WHERE n.tenant_id = \(tenant) AND n.id = l.id
            RETURNING n.id, n.attempts, n.give_up_at, n.recipient, n.subject, n.body
        )
        SELECT id, attempts, give_up_at, recipient, subject, body FROM claimed
        """
    }

    /// Of whoever claimed it last alone.
    func record(
        _ outcome: SendOutcome, _ step: DeliveryPlan.Step, at now: Timestamp, in tenant: TenantID
    ) -> Command {
        """
        UPDATE notifications
           SET status = \(step.status), next_attempt_at = \(step.next ?? now), last_error = \(outcome.reason),
               delivered_at = \(step == .delivered ? now : nil)
         WHERE tenant_id = \(tenant) AND id = \(letter.id) AND status = 'pending' AND attempts = \(attempts)
        """
    }
}
