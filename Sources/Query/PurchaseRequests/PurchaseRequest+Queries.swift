import Foundation
import Postgres
import Shared

extension PurchaseRequest {
    struct Filter: Sendable {
        var sites = References()
        var statuses: [Status] = []
    }

    private static let columns: Fragment = """
        r.id, r.site_id, r.status, r.currency, r.needed_by::text AS needed_by, r.note, r.request_id, r.requester_id, r.created_at, r.updated_at,
        ARRAY(SELECT l.product_id FROM purchase_request_lines l WHERE \(isLine) ORDER BY l.position) AS product_ids,
        ARRAY(SELECT l.quantity FROM purchase_request_lines l WHERE \(isLine) ORDER BY l.position) AS quantities,
        ARRAY(SELECT l.price FROM purchase_request_lines l WHERE \(isLine) ORDER BY l.position) AS prices,
        ARRAY(SELECT l.supplier_id FROM purchase_request_lines l WHERE \(isLine) ORDER BY l.position) AS supplier_ids,
        ARRAY(SELECT l.received FROM purchase_request_lines l WHERE \(isLine) ORDER BY l.position) AS received,
        ARRAY(SELECT s.actor_id FROM purchase_request_steps s
               WHERE s.tenant_id = r.tenant_id AND s.purchase_request_id = r.id AND s.actor_id IS NOT NULL
                 AND s.step IN ('create', 'change', 'submit')) AS asked_by,
        (SELECT count(*) FROM purchase_request_steps s
          WHERE s.tenant_id = r.tenant_id AND s.purchase_request_id = r.id) AS steps,
        (SELECT jsonb_agg(jsonb_build_object(
                    'step', s.step, 'status', s.status, 'at', to_char(s.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                    'actor', jsonb_build_object('kind', s.actor_kind, 'id', s.actor_id, 'name', s.actor_name),
                    'reason', s.reason, 'lines', s.lines) ORDER BY s.at, s.id)
           FROM purchase_request_steps s WHERE s.tenant_id = r.tenant_id AND s.purchase_request_id = r.id) AS history
        """

    private static let isLine: Fragment = """
        l.tenant_id = r.tenant_id AND l.purchase_request_id = r.id
        """

    /// Newest first.
    static func page(_ filter: Filter, after: UUID?, limit: Int, in scope: TenantScope) -> Statement<PurchaseRequest> {
        var conditions = [visible(in: scope)]
        if !filter.sites.isEmpty {
            conditions.append(filter.sites.includes(site: "r.site_id", of: scope.tenantID))
        }
        if !filter.statuses.isEmpty { conditions.append("r.status = ANY (\(filter.statuses.map(\.rawValue)))") }
        if let after { conditions.append("r.id < \(after)") }
        return """
            SELECT \(columns) FROM purchase_requests r
             WHERE \(conditions.joined(separator: " AND "))
             ORDER BY r.id DESC LIMIT \(Int64(limit))
            """
    }

    static func find(_ id: UUID, in scope: TenantScope) -> Statement<PurchaseRequest> {
        "SELECT \(columns) FROM purchase_requests r WHERE \(visible(in: scope)) AND r.id = \(id)"
    }

    /// Nobody else changes it before this transaction ends.
    static func lock(_ id: UUID, in scope: TenantScope) -> Statement<UUID> {
        "SELECT r.id FROM purchase_requests r WHERE \(visible(in: scope)) AND r.id = \(id) FOR NO KEY UPDATE"
    }

    static func insert(
        _ id: UUID, _ new: PurchaseRequestFields, currency: String, key: String?, by requester: UUID,
        into tenant: TenantID
    ) -> Command {
        """
        INSERT INTO purchase_requests (tenant_id, id, site_id, currency, needed_by, note, request_id, requester_id)
        VALUES (\(tenant), \(id), \(new.siteID), \(currency), \(new.neededBy)::text::date, \(new.note), \(key), \(requester))
        """
    }

    static func update(_ id: UUID, _ fields: PurchaseRequestFields, currency: String, in tenant: TenantID) -> Command {
        """
        UPDATE purchase_requests
           SET site_id = \(fields.siteID), currency = \(currency), needed_by = \(fields.neededBy)::text::date, note = \(fields.note),
               updated_at = now()
         WHERE tenant_id = \(tenant) AND id = \(id)
        """
    }

    /// Takes the place of those before.
    static func insertLines(of id: UUID, _ lines: [Line], in tenant: TenantID) -> [Command] {
        let positions = lines.indices.map { Int32($0) }
        return [
            "DELETE FROM purchase_request_lines WHERE tenant_id = \(tenant) AND purchase_request_id = \(id)",
            """
            INSERT INTO purchase_request_lines (tenant_id, purchase_request_id, product_id, position, quantity, price, supplier_id)
            SELECT \(tenant), \(id), *
              FROM unnest(\(lines.map(\.productID))::uuid[], \(positions)::int[], \(lines.map(\.quantity))::numeric[],
                          \(lines.map(\.price))::numeric[], \(lines.map(\.supplierID))::uuid[])
            """,
        ]
    }

    /// The request's row is locked, so nobody else counts meanwhile.
    static func receive(_ arrived: [(productID: UUID, quantity: Quantity)], of id: UUID, in tenant: TenantID) -> Command
    {
        """
        UPDATE purchase_request_lines l SET received = l.received + w.quantity
          FROM unnest(\(arrived.map(\.productID))::uuid[], \(arrived.map(\.quantity))::numeric[]) AS w (product_id, quantity)
         WHERE l.tenant_id = \(tenant) AND l.purchase_request_id = \(id) AND l.product_id = w.product_id
        """
    }

    static func settle(_ id: UUID, _ status: Status, in tenant: TenantID) -> Command {
        "UPDATE purchase_requests SET status = \(status.rawValue), updated_at = now() WHERE tenant_id = \(tenant) AND id = \(id)"
    }

    static func delete(_ id: UUID, in tenant: TenantID) -> Command {
        "UPDATE purchase_requests SET deleted_at = now(), updated_at = now() WHERE tenant_id = \(tenant) AND id = \(id)"
    }

    private static func visible(in scope: TenantScope) -> Fragment {
        "r.tenant_id = \(scope.tenantID) AND r.deleted_at IS NULL AND \(scope.covers(site: "r.site_id"))"
    }
}

/// One step of a request, for its history.
struct PurchaseHistoryEntry: Sendable {
    /// `create` or a ``PurchaseStep``.
    let step: String
    /// Afterwards.
    let status: PurchaseRequest.Status
    let actor: AuditEntry.Actor
    var reason: String?
    /// What was received.
    var lines: [Vale.Line]?

    func insert(of request: UUID, in tenant: TenantID) -> Command {
        """
        INSERT INTO purchase_request_steps (tenant_id, id, purchase_request_id, step, status, at, actor_kind, actor_id, actor_name, reason, lines)
        VALUES (\(tenant), \(UUID.v7()), \(request), \(step), \(status.rawValue), clock_timestamp(), \(actor.kind), \(actor.id),
                \(actor.name), \(reason), \(lines?.document))
        """
    }
}
