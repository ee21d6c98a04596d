import Foundation
import Postgres
import Shared

extension Cleanup {
    /// Those that have their place in line, up to the first of which something is on its way: whoever goes on after one that is kept finds
    /// all that came after it.
    static func events(before past: Timestamp, in tenant: TenantID) -> Statement<UUID> {
        """
        SELECT e.id FROM events e
         WHERE e.tenant_id = \(tenant) AND e.at < \(past) AND e.position IS NOT NULL
           AND e.position < coalesce((SELECT min(p.position) FROM webhook_deliveries d
                                        JOIN events p ON p.tenant_id = d.tenant_id AND p.id = d.event_id
                                       WHERE d.tenant_id = \(tenant) AND d.status = 'pending'), 9223372036854775807)
         ORDER BY e.position LIMIT \(Int64(Forgetting.portion))
        """
    }

    static func deleteDeliveries(of events: [UUID], in tenant: TenantID) -> Command {
        """
        DELETE FROM webhook_deliveries
         WHERE tenant_id = \(tenant) AND event_id = ANY (\(events)) AND status <> 'pending'
        """
    }

    static func deleteEvents(_ ids: [UUID], in tenant: TenantID) -> Command {
        """
        DELETE FROM events e
         WHERE e.tenant_id = \(tenant) AND e.id = ANY (\(ids))
           AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.tenant_id = e.tenant_id AND d.event_id = e.id)
        """
    }

    static func notifications(before past: Timestamp, in tenant: TenantID) -> Command {
        """
        DELETE FROM notifications n USING (
            SELECT id FROM notifications
             WHERE tenant_id = \(tenant) AND created_at < \(past) AND status <> 'pending'
             ORDER BY created_at LIMIT \(Int64(Forgetting.portion))) AS old
         WHERE n.tenant_id = \(tenant) AND n.id = old.id
        """
    }
}

extension JobRun {
    /// Those that are old, and those beyond the newest.
    static func forget(_ job: JobKind, before past: Timestamp, keeping kept: Int) -> Command {
        """
        DELETE FROM job_runs r USING (
            SELECT id FROM job_runs
             WHERE job = \(job.rawValue) AND status <> 'running'
               AND (started_at < \(past)
                 OR started_at < (SELECT started_at FROM job_runs WHERE job = \(job.rawValue)
                                   ORDER BY started_at DESC OFFSET \(Int64(kept - 1)) LIMIT 1))
             ORDER BY started_at LIMIT \(Int64(Forgetting.portion))) AS old
         WHERE r.id = old.id
        """
    }
}

/// A purchase request that was begun and forgotten, as the audit log keeps it.
struct StaleDraft: Audited {
    static let resourceType = "purchase_request"

    let id: UUID
    let siteID: UUID
    let status: String
    let note: String?
    let createdAt: Timestamp
    var tiedSite: UUID? { siteID }

    func write(to json: inout JSONWriter) {
        json.object { object in
            object.field("id", id)
            object.field("site_id", siteID)
            object.field("status", status)
            object.field("note", note)
            object.field("created_at", createdAt)
        }
    }
}

extension StaleDraft: RowDecodable {
    init(_ row: Row) throws {
        id = try row["id"]
        siteID = try row["site_id"]
        status = try row["status"]
        note = try row["note"]
        createdAt = try row["created_at"]
    }

    /// Of one that somebody just changed nothing is deleted: it is looked at again once its lock is had.
    static func delete(before past: Timestamp, in tenant: TenantID) -> Statement<StaleDraft> {
        """
        UPDATE purchase_requests r SET deleted_at = now(), updated_at = now()
          FROM (SELECT id FROM purchase_requests
                 WHERE tenant_id = \(tenant) AND deleted_at IS NULL AND status = 'draft' AND updated_at < \(past)
                 ORDER BY updated_at LIMIT \(Int64(Forgetting.portion)) FOR NO KEY UPDATE SKIP LOCKED) AS old
         WHERE r.tenant_id = \(tenant) AND r.id = old.id
        RETURNING r.id, r.site_id, r.status, r.note, r.created_at
        """
    }
}
