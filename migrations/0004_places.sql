-- Sites, spaces, device profiles and devices.

-- Series, log, chunks and dedupe keys name a store or a device by an int4, its owner id. One sequence serves both (and
-- orphans, which keep theirs when they become devices), so an owner id names one thing.
CREATE SEQUENCE owner_ids AS int;
GRANT USAGE ON SEQUENCE owner_ids TO pulsegate_ingest, pulsegate_query, pulsegate_system;

CREATE TABLE sites (
    tenant_id           int NOT NULL REFERENCES tenants,
    id                  uuid NOT NULL,
    owner_id            int NOT NULL DEFAULT nextval('owner_ids'),
    code                text NOT NULL CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9-]{0,31}$'),
    name                text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind                text NOT NULL DEFAULT 'store' CHECK (kind IN ('store', 'warehouse', 'parking', 'office', 'other')),
    timezone            text NOT NULL DEFAULT 'UTC',
    address             text,
    latitude            float8 CHECK (latitude BETWEEN -90 AND 90),
    longitude           float8 CHECK (longitude BETWEEN -180 AND 180),
    expected_interval_s int NOT NULL DEFAULT 60 CHECK (expected_interval_s BETWEEN 1 AND 31536000),
    settings            jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    deleted_at          timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, owner_id)
);
CREATE UNIQUE INDEX sites_code ON sites (tenant_id, code) WHERE deleted_at IS NULL;
CALL fence('sites');
GRANT SELECT ON sites TO pulsegate_ingest, pulsegate_query;
GRANT SELECT, INSERT, UPDATE ON sites TO pulsegate_system;
CREATE TRIGGER tell_caches AFTER INSERT OR UPDATE OF code, deleted_at ON sites
    FOR EACH STATEMENT EXECUTE FUNCTION notify_change();

-- What ingest learns of a gateway; apart from sites, so that the writer of every second touches nothing people edit.
CREATE TABLE site_states (
    tenant_id       int NOT NULL,
    owner_id        int NOT NULL,
    last_seen_at    timestamptz NOT NULL,
    gateway_version text,
    PRIMARY KEY (tenant_id, owner_id)
) WITH (fillfactor = 50);
CALL fence('site_states');
GRANT SELECT, INSERT, UPDATE ON site_states TO pulsegate_ingest;
GRANT SELECT ON site_states TO pulsegate_query, pulsegate_system;

CREATE TABLE spaces (
    tenant_id     int NOT NULL REFERENCES tenants,
    id            uuid NOT NULL,
    site_id       uuid NOT NULL,
    code          text NOT NULL CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9-]{0,31}$'),
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind          text NOT NULL DEFAULT 'room' CHECK (kind IN ('room', 'desk', 'bay', 'zone', 'other')),
    floor         text,
    capacity      int NOT NULL DEFAULT 1 CHECK (capacity >= 0),
    is_bookable   boolean NOT NULL DEFAULT false,
    opening_hours jsonb,
    metadata      jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    deleted_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites
);
CREATE UNIQUE INDEX spaces_code ON spaces (tenant_id, site_id, code) WHERE deleted_at IS NULL;
CALL fence('spaces');
GRANT SELECT ON spaces TO pulsegate_query, pulsegate_ingest;
GRANT SELECT, INSERT, UPDATE ON spaces TO pulsegate_system;

CREATE TABLE device_profiles (
    tenant_id           int NOT NULL REFERENCES tenants,
    id                  uuid NOT NULL,
    name                text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    decoder             text NOT NULL DEFAULT 'none' CHECK (decoder IN ('none', 'cayenne_lpp', 'fields')),
    decoder_fields      jsonb,
    occupied_field      text NOT NULL DEFAULT 'occupied',
    expected_interval_s int NOT NULL DEFAULT 3600 CHECK (expected_interval_s BETWEEN 1 AND 31536000),
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    deleted_at          timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE TRIGGER tell_caches AFTER UPDATE OF occupied_field ON device_profiles
    FOR EACH STATEMENT EXECUTE FUNCTION notify_change();
CREATE UNIQUE INDEX device_profiles_name ON device_profiles (tenant_id, name) WHERE deleted_at IS NULL;
CALL fence('device_profiles');
GRANT SELECT ON device_profiles TO pulsegate_ingest, pulsegate_query;
GRANT SELECT, INSERT, UPDATE ON device_profiles TO pulsegate_system;

CREATE TABLE devices (
    tenant_id  int NOT NULL REFERENCES tenants,
    id         uuid NOT NULL,
    owner_id   int NOT NULL DEFAULT nextval('owner_ids'),
    device_eui text NOT NULL CHECK (device_eui ~ '^[0-9a-f]{16}$'),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    profile_id uuid,
    site_id    uuid,
    space_id   uuid,
    metadata   jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, owner_id),
    FOREIGN KEY (tenant_id, profile_id) REFERENCES device_profiles,
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites,
    FOREIGN KEY (tenant_id, space_id) REFERENCES spaces
);
CREATE UNIQUE INDEX devices_eui ON devices (tenant_id, device_eui) WHERE deleted_at IS NULL;
-- The state of a space is that of its device, so a space has one at most.
CREATE UNIQUE INDEX devices_space ON devices (tenant_id, space_id) WHERE deleted_at IS NULL;
CALL fence('devices');
GRANT SELECT ON devices TO pulsegate_ingest, pulsegate_query;
GRANT SELECT, INSERT, UPDATE ON devices TO pulsegate_system;
CREATE TRIGGER tell_caches AFTER INSERT OR UPDATE OF device_eui, deleted_at ON devices
    FOR EACH STATEMENT EXECUTE FUNCTION notify_change();
