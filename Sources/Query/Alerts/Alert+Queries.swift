import Foundation
import Postgres
import Shared

extension Alert {
    struct Filter: Hashable, Sendable {
        var statuses: [Status] = []
        var kinds: [String] = []
        var severities: [Severity] = []
        var sites = References()
    }

    /// Where one stands in the list, newest first.
    struct Position: Hashable, Sendable, Codable {
        /// Microseconds since the Unix epoch.
        let raisedAt: Int64
        let id: UUID
    }

    var position: Position { Position(raisedAt: raisedAt.microseconds, id: id) }

    private static let columns: Fragment = """
        a.id, a.kind, a.severity, a.subject_type, a.subject_id, a.subject_name, a.site_id, a.detail, a.status, a.raised_at,
        a.acknowledged_at, a.acknowledged_by, a.resolved_at, a.resolved_by, a.recovered_at, a.created_at, a.updated_at
        """

    /// Newest first, without their comments.
    static func page(_ filter: Filter, before: Position?, limit: Int, in scope: TenantScope) -> Statement<Alert> {
        var conditions = [visible(in: scope)]
        if !filter.statuses.isEmpty { conditions.append("a.status = ANY (\(filter.statuses.map(\.rawValue)))") }
        if !filter.kinds.isEmpty { conditions.append("a.kind = ANY (\(filter.kinds))") }
        if !filter.severities.isEmpty { conditions.append("a.severity = ANY (\(filter.severities.map(\.rawValue)))") }
        if !filter.sites.isEmpty {
            let matches = filter.sites.matchSite(of: scope.tenantID)
            conditions.append("a.site_id = ANY (ARRAY(SELECT id FROM sites WHERE \(matches)))")
        }
        if let before {
            conditions.append("(a.raised_at, a.id) < (\(Timestamp(microseconds: before.raisedAt)), \(before.id))")
        }
        return """
            SELECT \(columns) FROM alerts a
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY a.raised_at DESC, a.id DESC LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in scope: TenantScope) -> Statement<Alert> {
        "SELECT \(columns) FROM alerts a WHERE \(visible(in: scope)) AND a.id = \(id)"
    }

    /// Nobody else changes it before this transaction ends.
    static func lock(_ id: UUID, in scope: TenantScope) -> Statement<Alert> {
        "SELECT \(columns) FROM alerts a WHERE \(visible(in: scope)) AND a.id = \(id) FOR NO KEY UPDATE"
    }

    /// What became of it by a step.
    func settle(in tenant: TenantID) -> Command {
        """
        UPDATE alerts
           SET status = \(status.rawValue), acknowledged_at = \(acknowledgedAt), acknowledged_by = \(acknowledgedBy),
               resolved_at = \(resolvedAt), resolved_by = \(resolvedBy), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        """
    }

    /// Something of what belongs to it changed.
    static func touch(_ id: UUID, in tenant: TenantID) -> Command {
        "UPDATE alerts SET updated_at = now() WHERE tenant_id = \(tenant) AND id = \(id)"
    }

    /// Nothing where one of its kind stands already of the same subject.
    static func raise(_ new: NewAlert, at now: Timestamp, in tenant: TenantID) -> Statement<Alert> {
        """
        INSERT INTO alerts AS a (tenant_id, id, kind, severity, subject_type, subject_id, subject_name, site_id, detail, raised_at)
        VALUES (\(tenant), \(UUID.v7()), \(new.kind), \(new.severity.rawValue), \(new.subject.type), \(new.subject.id),
                \(new.subject.name), \(new.siteID), \(new.detail), \(now))
        ON CONFLICT DO NOTHING
        RETURNING \(columns)
        """
    }

    /// Those of these that have not recovered, locked.
    static func lockStanding(_ ids: [UUID], in tenant: TenantID) -> Statement<Alert> {
        """
        SELECT \(columns) FROM alerts a
         WHERE a.tenant_id = \(tenant) AND a.id = ANY (\(ids)) AND a.recovered_at IS NULL
         ORDER BY a.id FOR NO KEY UPDATE
        """
    }

    static func recover(_ id: UUID, at now: Timestamp, in tenant: TenantID) -> Command {
        """
        UPDATE alerts
           SET recovered_at = \(now), status = 'resolved', resolved_at = coalesce(resolved_at, \(now)), updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        """
    }

    private static func visible(in scope: TenantScope) -> Fragment {
        "a.tenant_id = \(scope.tenantID) AND \(scope.sees(site: "a.site_id"))"
    }
}

extension TenantTransaction {
    /// One alert with what was said of it.
    func foundAlert(_ statement: Statement<Alert>) async throws -> Alert {
        var alert = try await found(statement, "alert")
        alert.comments = try await all(AlertComment.all(of: [alert.id], in: tenantID))
        return alert
    }

    /// Alerts with what was said of them.
    func allAlerts(_ statement: Statement<Alert>) async throws -> [Alert] {
        var alerts = try await all(statement)
        guard !alerts.isEmpty else { return [] }
        let comments = try await all(AlertComment.all(of: alerts.map(\.id), in: tenantID))
        let byAlert = Dictionary(grouping: comments, by: \.alertID)
        for index in alerts.indices { alerts[index].comments = byAlert[alerts[index].id] ?? [] }
        return alerts
    }
}
