-- A person who is forgotten is forgotten in the ledger, in the history of purchase requests, in events, alerts and notifications, too:
-- the rows stay, the name goes.
CREATE FUNCTION erase_person_from_goods(person uuid, known_as text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    tenant int := nullif(current_setting('app.tenant_id', true), '')::int;
BEGIN
    IF EXISTS (SELECT FROM memberships m LEFT JOIN users u ON u.id = m.user_id
                WHERE m.tenant_id = tenant AND (m.user_id = person OR u.email = known_as)) THEN
        RAISE EXCEPTION 'a member is not erased' USING ERRCODE = '55000';
    END IF;
    known_as := coalesce(known_as, (SELECT u.email FROM users u WHERE u.id = person),
                         (SELECT a.actor_name FROM audit_logs a
                           WHERE a.tenant_id = tenant AND a.actor_kind = 'user' AND a.actor_id = person
                             AND a.actor_name <> 'erased' LIMIT 1));
    UPDATE stock_movements m SET actor_name = 'erased'
     WHERE m.tenant_id = tenant AND m.actor_kind = 'user' AND m.actor_id = person;
    UPDATE purchase_request_steps s SET actor_name = 'erased'
     WHERE s.tenant_id = tenant AND s.actor_kind = 'user' AND s.actor_id = person;
    UPDATE alert_comments c SET actor_name = 'erased'
     WHERE c.tenant_id = tenant AND c.actor_kind = 'user' AND c.actor_id = person;
    UPDATE alerts a
       SET acknowledged_by = CASE WHEN a.acknowledged_by = known_as THEN 'erased' ELSE a.acknowledged_by END,
           resolved_by = CASE WHEN a.resolved_by = known_as THEN 'erased' ELSE a.resolved_by END
     WHERE a.tenant_id = tenant AND (a.acknowledged_by = known_as OR a.resolved_by = known_as);
    DELETE FROM notifications n WHERE n.tenant_id = tenant AND n.recipient = known_as;
    UPDATE events e SET data = e.data || '{"holder": {"name": "erased"}, "note": null}'
     WHERE e.tenant_id = tenant AND e.type LIKE 'reservation.%' AND is_held_by(e.data, person, known_as);
    -- Wherever else the name stands as that of who did something: as a whole JSON string.
    UPDATE events e SET data = replace(e.data::text, to_json(known_as)::text, '"erased"')::jsonb
     WHERE e.tenant_id = tenant AND strpos(e.data::text, to_json(known_as)::text) > 0;
    UPDATE audit_logs a
       SET before = replace(a.before::text, to_json(known_as)::text, '"erased"')::jsonb,
           after = replace(a.after::text, to_json(known_as)::text, '"erased"')::jsonb
     WHERE a.tenant_id = tenant AND a.resource_type IN ('stock_movement', 'stock_transfer', 'purchase_request', 'alert')
       AND (strpos(a.before::text, to_json(known_as)::text) > 0 OR strpos(a.after::text, to_json(known_as)::text) > 0);
    UPDATE idempotency_keys k SET answer = replace(k.answer, to_json(known_as)::text, '"erased"')
     WHERE k.tenant_id = tenant AND k.operation IN ('stock-movements', 'stock-transfers', 'purchase-requests', 'purchase-requests/receive')
       AND strpos(k.answer, to_json(known_as)::text) > 0;
END
$$;
REVOKE ALL ON FUNCTION erase_person_from_goods FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_person_from_goods TO pulsegate_query;
