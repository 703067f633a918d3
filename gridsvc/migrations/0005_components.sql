-- Components (部件台账), reports that name one, and places by words.

CREATE TABLE components (
  code           text COLLATE "C" PRIMARY KEY CHECK (code ~ '^[0-9]{16}$'),   -- GB/T 30428.2: 6 + 2 + 2 + 6
  class          text COLLATE "C" NOT NULL GENERATED ALWAYS AS (substr(code, 7, 4)) STORED,
  name           text NOT NULL,
  state          text NOT NULL CHECK (state IN ('intact', 'damaged', 'lost', 'abandoned', 'unknown')),
  supervising    text REFERENCES departments,  -- 主管部门
  owning         text REFERENCES departments,  -- 权属单位
  owner_unknown  boolean NOT NULL,             -- the register says 不明; NULL and false: it says nothing
  maintaining    text REFERENCES departments,  -- 养护单位
  note           text NOT NULL,
  place          geometry(Point, 4326) NOT NULL,
  surveyed_x     double precision NOT NULL,    -- as the file wrote it, in surveyed_frame
  surveyed_y     double precision NOT NULL,
  surveyed_frame text NOT NULL,                -- wgs84, cgcs2000, gcj02, bd09 or EPSG:…
  version        integer NOT NULL CHECK (version >= 1),
  changed_at     timestamptz NOT NULL,
  CONSTRAINT owned_or_unknown CHECK (owning IS NULL OR NOT owner_unknown)
);
CREATE INDEX components_place ON components USING gist (place);
CREATE INDEX components_near ON components USING gist ((place::geography));
CREATE INDEX components_class ON components (class, code);

-- Append-only: what each import made of a component.
CREATE TABLE component_changes (
  component text COLLATE "C" NOT NULL REFERENCES components,
  version   integer NOT NULL,
  at        timestamptz NOT NULL,
  actor     text NOT NULL,
  source    text NOT NULL,                     -- name of the file
  facts     jsonb NOT NULL,                    -- what is new: all of it at version 1, afterwards what differs
  PRIMARY KEY (component, version)
);

ALTER TABLE cases ADD COLUMN component text COLLATE "C" REFERENCES components;
CREATE INDEX cases_component ON cases (component, id) WHERE component IS NOT NULL;

ALTER TABLE reports ADD COLUMN component text COLLATE "C" REFERENCES components;
ALTER TABLE reports ADD COLUMN component_distance_m double precision;   -- from the reported place to the surveyed one

-- Landmarks and house numbers, as files bring them.
CREATE TABLE gazetteer_points (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source  text NOT NULL,                       -- an import replaces the points of its own source
  kind    text NOT NULL CHECK (kind IN ('landmark', 'address')),
  name    text NOT NULL,
  aliases text[] NOT NULL,
  road    text NOT NULL,
  house   integer,
  place   geometry(Point, 4326) NOT NULL,
  given_x double precision NOT NULL,           -- as the file wrote it, in given_frame
  given_y double precision NOT NULL,
  given_frame text NOT NULL,
  CONSTRAINT address_has_road_and_house CHECK (kind <> 'address' OR (road <> '' AND house IS NOT NULL))
);
CREATE INDEX gazetteer_points_source ON gazetteer_points (source);

-- Processes keep the names of places in memory, and look here whether what they hold is still today's.
CREATE TABLE place_names (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  revision bigint NOT NULL DEFAULT 1
);
INSERT INTO place_names DEFAULT VALUES;

CREATE FUNCTION place_names_changed() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  UPDATE place_names SET revision = revision + 1;
  RETURN NULL;
END
$$;

CREATE TRIGGER place_names_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON components
  FOR EACH STATEMENT EXECUTE FUNCTION place_names_changed();
CREATE TRIGGER place_names_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON gazetteer_points
  FOR EACH STATEMENT EXECUTE FUNCTION place_names_changed();
CREATE TRIGGER place_names_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON basemap_features
  FOR EACH STATEMENT EXECUTE FUNCTION place_names_changed();

GRANT SELECT, INSERT, UPDATE, DELETE ON components, component_changes, gazetteer_points, place_names TO gridsvc_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO gridsvc_app;
REVOKE UPDATE, DELETE ON component_changes FROM gridsvc_app;
REVOKE DELETE ON components FROM gridsvc_app;
