-- The registry of cameras: what they see, how they stand, what their words mean.

-- What may be connected, and how long such a device may be silent: NULL, it says nothing while nothing happens.
CREATE TABLE camera_protocols (
  code           text PRIMARY KEY,
  name           text NOT NULL,
  silent_after_s integer CHECK (silent_after_s > 0)
);
INSERT INTO camera_protocols VALUES
  ('cloudevents', 'CloudEvents', NULL),
  ('dahua', 'Dahua HTTP', 300),
  ('frigate', 'Frigate', NULL),
  ('gat1400', 'GA/T 1400', 240),
  ('gb28181', 'GB/T 28181', 240),
  ('hikvision', 'Hikvision ISAPI', 300),
  ('json', 'JSON', NULL),
  ('onvif', 'ONVIF', NULL);
INSERT INTO camera_protocols SELECT DISTINCT protocol, protocol FROM cameras ON CONFLICT DO NOTHING;

ALTER TABLE cameras
  DROP CONSTRAINT cameras_state_check,
  ADD CONSTRAINT cameras_state_check CHECK (state IN ('active', 'off', 'maintenance')),
  ADD CONSTRAINT cameras_protocol_fkey FOREIGN KEY (protocol) REFERENCES camera_protocols,
  ADD COLUMN vendor text NOT NULL DEFAULT '',
  ADD COLUMN model text NOT NULL DEFAULT '',
  ADD COLUMN owning text REFERENCES departments,
  ADD COLUMN maintaining text REFERENCES departments,
  ADD COLUMN ptz boolean NOT NULL DEFAULT false,
  ADD COLUMN streams text[] NOT NULL DEFAULT '{}',
  ADD COLUMN silent_after_s integer CHECK (silent_after_s > 0),
  ADD COLUMN given_x double precision,
  ADD COLUMN given_y double precision,
  ADD COLUMN given_frame text NOT NULL DEFAULT 'wgs84',
  ADD COLUMN divisions text[] COLLATE "C" NOT NULL DEFAULT '{}',
  ADD COLUMN grid_set_id integer REFERENCES grid_sets,
  ADD COLUMN version integer NOT NULL DEFAULT 1,
  ADD COLUMN changed_at timestamptz NOT NULL DEFAULT city_now();

UPDATE cameras SET given_x = ST_X(place), given_y = ST_Y(place);
ALTER TABLE cameras
  ALTER COLUMN given_x SET NOT NULL,
  ALTER COLUMN given_y SET NOT NULL,
  ALTER COLUMN given_frame DROP DEFAULT,
  ALTER COLUMN changed_at DROP DEFAULT;
CREATE INDEX cameras_place ON cameras USING gist (place);
CREATE INDEX cameras_divisions ON cameras USING gin (divisions);

CREATE TABLE camera_changes (
  camera  text COLLATE "C" NOT NULL REFERENCES cameras,
  version integer NOT NULL,
  at      timestamptz NOT NULL,
  actor   text NOT NULL,
  source  text NOT NULL,
  facts   jsonb NOT NULL,
  PRIMARY KEY (camera, version)
);

CREATE TABLE camera_presets (
  camera      text COLLATE "C" NOT NULL REFERENCES cameras,
  name        text COLLATE "C" NOT NULL,
  bearing_deg double precision NOT NULL CHECK (bearing_deg >= 0 AND bearing_deg < 360),
  field_deg   double precision NOT NULL CHECK (field_deg > 0 AND field_deg <= 360),
  near_m      double precision NOT NULL CHECK (near_m >= 0),
  far_m       double precision NOT NULL,
  PRIMARY KEY (camera, name),
  CONSTRAINT near_before_far CHECK (near_m < far_m)
);

CREATE TABLE camera_zones (
  camera text COLLATE "C" NOT NULL REFERENCES cameras,
  name   text COLLATE "C" NOT NULL,
  ground geometry(Geometry, 4326) NOT NULL CHECK (GeometryType(ground) IN ('POINT', 'POLYGON')),
  PRIMARY KEY (camera, name)
);

CREATE TABLE camera_cells (
  camera      text COLLATE "C" NOT NULL REFERENCES cameras,
  kind        text NOT NULL CHECK (kind IN ('view', 'preset', 'reach', 'zone')),
  name        text COLLATE "C" NOT NULL,
  cell_code   text COLLATE "C" NOT NULL,
  grid_set_id integer NOT NULL,
  share       double precision NOT NULL CHECK (share > 0),
  spot        geometry(Point, 4326) NOT NULL,
  PRIMARY KEY (camera, kind, name, cell_code),
  FOREIGN KEY (grid_set_id, cell_code) REFERENCES cells (grid_set_id, code)
);
CREATE INDEX camera_cells_cell ON camera_cells (cell_code);

CREATE TABLE camera_labels (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  camera   text COLLATE "C" REFERENCES cameras,
  protocol text NOT NULL DEFAULT '*',
  kind     text NOT NULL,
  zone     text NOT NULL DEFAULT '*',
  target   text NOT NULL DEFAULT '*',
  edition  text NOT NULL REFERENCES category_editions,
  category text COLLATE "C",
  mode     text NOT NULL CHECK (mode IN ('automatic', 'review', 'off')),
  written_at timestamptz NOT NULL,
  written_by text NOT NULL,
  FOREIGN KEY (edition, category) REFERENCES categories (edition, code),
  CONSTRAINT what_is_not_off_has_a_category CHECK (mode = 'off' OR category IS NOT NULL)
);
CREATE UNIQUE INDEX camera_labels_row ON camera_labels (coalesce(camera, '*'), protocol, kind, zone, target, edition);

-- What the cameras of a running city knew until now.
INSERT INTO camera_labels (camera, kind, edition, category, mode, written_at, written_by)
SELECT c.code, lower(m.key), g.edition, g.code, 'automatic', city_now(), 'migration:20'
  FROM cameras c
       CROSS JOIN LATERAL jsonb_each_text(c.label_map) AS m (key, value)
       JOIN category_editions e ON e.is_default
       JOIN categories g ON g.edition = e.code AND g.code = m.value
 ORDER BY c.code, m.key
    ON CONFLICT DO NOTHING;
ALTER TABLE cameras DROP COLUMN label_map;

CREATE TABLE unmapped_labels (
  camera   text COLLATE "C" NOT NULL REFERENCES cameras,
  kind     text NOT NULL,
  zone     text NOT NULL,
  target   text NOT NULL,
  count    bigint NOT NULL,
  first_at timestamptz NOT NULL,
  last_at  timestamptz NOT NULL,
  PRIMARY KEY (camera, kind, zone, target)
);

CREATE TABLE camera_health (
  camera        text COLLATE "C" PRIMARY KEY REFERENCES cameras,
  heard_at      timestamptz NOT NULL,
  offline_since timestamptz
);

-- Whether a camera is there, by what was heard of it.
CREATE FUNCTION camera_stands(heard_at timestamptz, offline_since timestamptz) RETURNS text
  LANGUAGE sql IMMUTABLE
  RETURN CASE WHEN heard_at IS NULL THEN 'never' WHEN offline_since IS NULL THEN 'online' ELSE 'offline' END;

-- What a camera says is seen by whoever has a role over a division above it, on whatever axis.
CREATE FUNCTION scope_divisions() RETURNS text[]
  LANGUAGE sql STABLE
  RETURN (SELECT array_agg(split_part(key, '/', 1) COLLATE "C") FROM unnest(scope_keys()) AS key);

ALTER TABLE cameras ENABLE ROW LEVEL SECURITY;
CREATE POLICY cameras_in_scope ON cameras TO gridsvc_app
  USING ((SELECT scope_is_service()) OR divisions && (SELECT scope_divisions())) WITH CHECK (true);
ALTER TABLE camera_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_changes_in_scope ON camera_changes TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);
ALTER TABLE camera_names ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_names_in_scope ON camera_names TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);
ALTER TABLE camera_presets ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_presets_in_scope ON camera_presets TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);
ALTER TABLE camera_zones ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_zones_in_scope ON camera_zones TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);
ALTER TABLE camera_cells ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_cells_in_scope ON camera_cells TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);
ALTER TABLE unmapped_labels ENABLE ROW LEVEL SECURITY;
CREATE POLICY unmapped_labels_in_scope ON unmapped_labels TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);
ALTER TABLE camera_health ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_health_in_scope ON camera_health TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE
   ON camera_protocols, camera_changes, camera_presets, camera_zones, camera_cells, camera_labels, unmapped_labels,
      camera_health TO gridsvc_app;
REVOKE UPDATE, DELETE ON camera_changes FROM gridsvc_app;
REVOKE DELETE ON cameras FROM gridsvc_app;
GRANT USAGE ON SEQUENCE camera_labels_id_seq TO gridsvc_app;
