import Foundation
import Postgres
import Shared

/// A delivery that this process has claimed, with what an attempt needs.
struct DueDelivery: Sendable {
    /// Why nothing is sent.
    static let deleted = "endpoint deleted"
    static let switchedOff = "endpoint is switched off"

    let id: UUID
    let endpointID: UUID
    /// With the one that is due.
    let attempts: Int32
    let giveUpAt: Timestamp
    let url: String
    let isActive: Bool
    let isDeleted: Bool
    let message: WebhookMessage
}

extension DueDelivery: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        endpointID = try row["endpoint_id"]
        attempts = try row["attempts"]
        giveUpAt = try row["give_up_at"]
        url = try row["url"]
        isActive = try row["is_active"]
        isDeleted = try row["is_deleted"]
        message = WebhookMessage(
            try row["event_id"], type: try row["type"], at: try row["at"], data: try row["data"])
    }
}

extension DueDelivery {
    /// Takes what is due, in turn from each endpoint, and puts its next attempt behind the lease: whoever claims it loses it by then, if it
    /// says nothing more. Rows that another process is just claiming are passed over.
    ///
    /// - Parameter busy: endpoints that get nothing now.
    static func claim(
        _ limit: Int, at now: Timestamp, lease: Duration, busy: [UUID], in tenant: TenantID
    ) -> Statement<DueDelivery> {
        """
        WITH due AS (
            SELECT d.id, d.next_attempt_at,
                   row_number() OVER (PARTITION BY d.endpoint_id ORDER BY d.next_attempt_at, d.id) AS turn
              FROM (SELECT id, endpoint_id, next_attempt_at FROM webhook_deliveries
                     WHERE tenant_id = \(tenant) AND status = 'pending' AND next_attempt_at <= \(now)
                       AND endpoint_id <> ALL (\(busy))
                     ORDER BY next_attempt_at LIMIT 1000) d
        ), locked AS (
            SELECT id FROM webhook_deliveries
             WHERE tenant_id = \(tenant) AND status = 'pending' AND next_attempt_at <= \(now)
               AND id IN (SELECT id FROM due WHERE turn <= \(Int64(SendingLanes.mostOfLane))
                           ORDER BY turn, next_attempt_at LIMIT \(Int64(limit)))
               FOR UPDATE SKIP LOCKED
        ), claimed AS (
            UPDATE webhook_deliveries d
               SET attempts = d.attempts + 1, next_attempt_at = \(now.adding(lease)), last_attempt_at = \(now), updated_at = now()
              FROM locked l
             WHERE d.tenant_id = \(tenant) AND d.id = l.id
            RETURNING d.id, d.endpoint_id, d.event_id, d.attempts, d.give_up_at
        )
        SELECT c.id, c.endpoint_id, c.event_id, c.attempts, c.give_up_at, w.url, w.is_active,
               w.deleted_at IS NOT NULL AS is_deleted, e.type, e.at, e.data
          FROM claimed c
          JOIN webhook_endpoints w ON w.tenant_id = \(tenant) AND w.id = c.endpoint_id
          JOIN events e ON e.tenant_id = \(tenant) AND e.id = c.event_id
        """
    }

    /// Of whoever claimed it last alone: another attempt, or a wish to send it again, has made this one's outcome old news.
    func record(
        _ outcome: SendOutcome, _ step: DeliveryPlan.Step, at now: Timestamp, in tenant: TenantID
    ) -> Command {
        """
        UPDATE webhook_deliveries
           SET status = \(step.status), next_attempt_at = \(step.next ?? now), last_status = \(outcome.status),
               last_error = \(outcome.reason), delivered_at = \(step == .delivered ? now : nil), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id) AND status = 'pending' AND attempts = \(attempts)
        """
    }
}

extension DeliveryPlan.Step {
    /// As the tables have it.
    var status: String {
        switch self {
        case .delivered: "delivered"
        case .pending: "pending"
        case .dead: "dead"
        }
    }

    /// Nil where there is no other attempt.
    var next: Timestamp? {
        if case .pending(let next) = self { next } else { nil }
    }
}

/// A secret of an endpoint to which something is due.
struct SigningSecret: RowDecodable, Sendable {
    let endpointID: UUID
    let secret: SealedSecret

    init(_ row: Row) throws {
        endpointID = try row["endpoint_id"]
        secret = try SealedSecret(row)
    }

    /// Those that count, the newest first.
    static func all(of endpoints: [UUID], at now: Timestamp, in tenant: TenantID) -> Statement<SigningSecret> {
        """
        SELECT endpoint_id, id, master_key_id, sealed FROM webhook_secrets
         WHERE tenant_id = \(tenant) AND endpoint_id = ANY (\(endpoints)) AND (expires_at IS NULL OR expires_at > \(now))
         ORDER BY id DESC
        """
    }
}
