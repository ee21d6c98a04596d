-- Sites, spaces, profiles and devices that people change over the API; which device a space had when, and since when it is taken.

GRANT UPDATE (code, name, kind, timezone, address, latitude, longitude, expected_interval_s, settings, updated_at, deleted_at)
    ON sites TO pulsegate_query;
GRANT INSERT (tenant_id, id, site_id, code, name, kind, floor, capacity, is_bookable, opening_hours, metadata),
      UPDATE (site_id, code, name, kind, floor, capacity, is_bookable, opening_hours, metadata, updated_at, deleted_at)
    ON spaces TO pulsegate_query;
GRANT INSERT (tenant_id, id, name, decoder, decoder_fields, occupied_field, expected_interval_s),
      UPDATE (name, decoder, decoder_fields, occupied_field, expected_interval_s, updated_at, deleted_at)
    ON device_profiles TO pulsegate_query;
GRANT INSERT (tenant_id, id, owner_id, device_eui, name, profile_id, site_id, space_id, metadata),
      UPDATE (name, profile_id, site_id, space_id, metadata, updated_at, deleted_at)
    ON devices TO pulsegate_query;

CREATE INDEX spaces_of_site ON spaces (tenant_id, site_id, id) WHERE deleted_at IS NULL;
CREATE INDEX devices_of_profile ON devices (tenant_id, profile_id) WHERE deleted_at IS NULL AND profile_id IS NOT NULL;
CREATE INDEX devices_of_site ON devices (tenant_id, site_id) WHERE deleted_at IS NULL AND site_id IS NOT NULL;

-- What the other references lack: where a device names both, its space lies in its site, also when the space moves.
ALTER TABLE spaces ADD CONSTRAINT spaces_with_site UNIQUE (tenant_id, id, site_id);
UPDATE devices d SET site_id = sp.site_id
  FROM spaces sp
 WHERE sp.tenant_id = d.tenant_id AND sp.id = d.space_id AND d.site_id IS DISTINCT FROM sp.site_id;
ALTER TABLE devices ADD CONSTRAINT devices_space_in_site
    FOREIGN KEY (tenant_id, space_id, site_id) REFERENCES spaces (tenant_id, id, site_id) ON UPDATE CASCADE;

-- {"mon":[["08:00","12:00"],["13:00","20:00"]],…}, in the site's zone; a day that is missing is closed, NULL is always open.
CREATE FUNCTION are_opening_hours(hours jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT jsonb_typeof(hours) = 'object' AND NOT EXISTS (
        SELECT FROM jsonb_each(CASE WHEN jsonb_typeof(hours) = 'object' THEN hours ELSE '{}' END) AS d (day, spans)
         WHERE d.day NOT IN ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun') OR jsonb_typeof(d.spans) <> 'array'
            OR EXISTS (SELECT FROM jsonb_array_elements(CASE WHEN jsonb_typeof(d.spans) = 'array' THEN d.spans ELSE '[]' END) AS s
                        WHERE jsonb_typeof(s) <> 'array' OR jsonb_array_length(CASE WHEN jsonb_typeof(s) = 'array' THEN s ELSE '[]' END) <> 2
                           OR (s ->> 0) !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$' OR (s ->> 1) !~ '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'
                           OR (s ->> 0) COLLATE "C" >= (s ->> 1) COLLATE "C"
                           OR (s ->> 0) IS NULL OR (s ->> 1) IS NULL))
$$;
-- Hours that nobody could read are no hours; what stood there stays beside.
UPDATE spaces SET metadata = metadata || jsonb_build_object('unreadable_opening_hours', opening_hours), opening_hours = NULL
 WHERE NOT are_opening_hours(opening_hours);
ALTER TABLE spaces
    ADD CONSTRAINT spaces_opening_hours CHECK (are_opening_hours(opening_hours)),
    ADD CONSTRAINT spaces_metadata_size CHECK (length(metadata::text) <= 65536) NOT VALID;
ALTER TABLE devices ADD CONSTRAINT devices_metadata_size CHECK (length(metadata::text) <= 65536) NOT VALID;
ALTER TABLE device_profiles
    ADD CONSTRAINT device_profiles_fields CHECK (jsonb_typeof(decoder_fields) = 'object' AND length(decoder_fields::text) <= 65536) NOT VALID;

-- Whether this server knows the zone: others know others.
CREATE FUNCTION is_timezone(zone text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 'epoch'::timestamptz AT TIME ZONE zone;
    RETURN true;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;
END
$$;
UPDATE sites SET timezone = 'UTC' WHERE NOT is_timezone(timezone);
ALTER TABLE sites ADD CONSTRAINT sites_timezone CHECK (is_timezone(timezone));

-- A local time as an instant: of two where clocks go back, the first or the last; where clocks go forward over it, when they do (on the
-- hour, as they do everywhere).
CREATE FUNCTION local_instant(local timestamp, zone text, is_first boolean) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE WHEN last AT TIME ZONE zone <> local THEN last - (local - date_trunc('hour', local))
                WHEN is_first AND (last - interval '1 hour') AT TIME ZONE zone = local THEN last - interval '1 hour'
                WHEN is_first AND (last - interval '30 minutes') AT TIME ZONE zone = local THEN last - interval '30 minutes'
                ELSE last END
      FROM (SELECT local AT TIME ZONE zone AS last) AS w
$$;

-- When a space with these hours opens and closes, as far as it touches the span. An hour that a change of clocks leaves out is none.
CREATE FUNCTION open_windows(hours jsonb, zone text, since timestamptz, until timestamptz)
RETURNS TABLE (opens_at timestamptz, closes_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT since, until WHERE hours IS NULL
    UNION ALL
    SELECT w.opens_at, w.closes_at
      FROM (SELECT local_instant(d.day + (s.span ->> 0)::interval, zone, true) AS opens_at,
                   local_instant(d.day + (s.span ->> 1)::interval, zone, false) AS closes_at
              FROM generate_series(date_trunc('day', since AT TIME ZONE zone) - interval '1 day',
                                   date_trunc('day', until AT TIME ZONE zone) + interval '1 day', interval '1 day') AS d (day),
                   LATERAL jsonb_array_elements(
                       hours -> ('{mon,tue,wed,thu,fri,sat,sun}'::text[])[extract(isodow FROM d.day)::int]) AS s (span)) AS w
     WHERE w.opens_at < w.closes_at AND w.closes_at > since AND w.opens_at < until
$$;

-- Whether both ends of a stay lie inside opening hours. Who begins at closing time comes too late.
CREATE FUNCTION admits_stay(hours jsonb, zone text, starts_at timestamptz, ends_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT hours IS NULL
        OR EXISTS (SELECT FROM open_windows(hours, zone, starts_at, starts_at + interval '1 microsecond') w
                    WHERE w.opens_at <= starts_at AND starts_at < w.closes_at)
       AND EXISTS (SELECT FROM open_windows(hours, zone, ends_at - interval '1 microsecond', ends_at + interval '1 microsecond') w
                    WHERE w.opens_at <= ends_at AND ends_at <= w.closes_at)
$$;

-- Which device told of a space, from when to when: what is asked of a space's past is asked of these. The database keeps it
-- itself, whoever changes a device.
CREATE TABLE space_devices (
    tenant_id int NOT NULL,
    id        uuid NOT NULL DEFAULT gen_random_uuid(),
    space_id  uuid NOT NULL,
    owner_id  int NOT NULL,
    since     timestamptz NOT NULL, -- -infinity: all that the device said before it was registered was said there
    until     timestamptz,          -- NULL: to this day
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, space_id) REFERENCES spaces,
    CHECK (since <= until)
);
CREATE INDEX space_devices_of_space ON space_devices (tenant_id, space_id, since);
CREATE UNIQUE INDEX space_devices_today ON space_devices (tenant_id, space_id) WHERE until IS NULL;
CREATE INDEX space_devices_of_device ON space_devices (tenant_id, owner_id);
CALL fence('space_devices');
GRANT SELECT, INSERT, UPDATE (until) ON space_devices TO pulsegate_query, pulsegate_system;

CREATE FUNCTION note_placement() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    left_space uuid := CASE WHEN TG_OP = 'UPDATE' AND OLD.deleted_at IS NULL THEN OLD.space_id END;
    new_space  uuid := CASE WHEN NEW.deleted_at IS NULL THEN NEW.space_id END;
    free_since timestamptz;
BEGIN
    IF left_space IS NOT DISTINCT FROM new_space THEN
        RETURN NULL;
    END IF;
    IF left_space IS NOT NULL THEN
        UPDATE space_devices s SET until = greatest(s.since, clock_timestamp())
         WHERE s.tenant_id = NEW.tenant_id AND s.space_id = left_space AND s.owner_id = NEW.owner_id AND s.until IS NULL;
    END IF;
    IF new_space IS NOT NULL THEN
        SELECT coalesce(max(s.until), '-infinity') INTO free_since
          FROM space_devices s WHERE s.tenant_id = NEW.tenant_id AND s.space_id = new_space;
        INSERT INTO space_devices (tenant_id, space_id, owner_id, since)
        VALUES (NEW.tenant_id, new_space, NEW.owner_id,
                CASE WHEN TG_OP = 'INSERT' THEN free_since ELSE greatest(free_since, clock_timestamp()) END);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER note_placement AFTER INSERT OR UPDATE OF space_id, deleted_at ON devices
    FOR EACH ROW EXECUTE FUNCTION note_placement();
INSERT INTO space_devices (tenant_id, space_id, owner_id, since)
SELECT tenant_id, space_id, owner_id, '-infinity' FROM devices WHERE deleted_at IS NULL AND space_id IS NOT NULL;
