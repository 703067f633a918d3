-- The whole database, in the order of the story: time, space, people, what may be reported,
-- reports and cases, clocks, news, photographs, keys. A test proves that it equals the migrations.
--
-- Two roles: the owner migrates; gridsvc_app owns nothing, is what the service works as, and sees
-- a case only through the scope of the transaction (see "Who sees what").

CREATE EXTENSION IF NOT EXISTS postgis;

DO $$
BEGIN
  CREATE ROLE gridsvc_app NOLOGIN;
EXCEPTION
  -- Roles belong to the cluster: another database of it, or one being made this instant, has it already.
  WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- ---------------------------------------------------------------------------------------------
-- Time
-- ---------------------------------------------------------------------------------------------

CREATE TABLE instance (
  only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  instance_id uuid NOT NULL DEFAULT gen_random_uuid(),
  city_name   text NOT NULL DEFAULT '',
  zone        text NOT NULL DEFAULT 'Asia/Shanghai',   -- IANA name; the city's civil time
  is_test     boolean NOT NULL DEFAULT false,
  time_shift  interval NOT NULL DEFAULT '0',
  CONSTRAINT only_a_test_shifts_time CHECK (is_test OR time_shift = '0')
);
INSERT INTO instance DEFAULT VALUES;

-- The one clock of every decision. STABLE, so that an index on a due time can be used.
CREATE FUNCTION city_now() RETURNS timestamptz
  LANGUAGE sql STABLE
  RETURN statement_timestamp() + (SELECT time_shift FROM instance);

-- ---------------------------------------------------------------------------------------------
-- Space: versions of the city's division, cells and beats
-- ---------------------------------------------------------------------------------------------

CREATE TABLE grid_sets (
  id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name         text NOT NULL UNIQUE,
  state        text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'retired')),
  cell_scheme  text NOT NULL,                -- how cell codes are built, e.g. 6+3+3+3; see geo/codes.py
  valid_from   timestamptz,
  published_at timestamptz,
  created_at   timestamptz NOT NULL DEFAULT now(),
  provenance   jsonb NOT NULL DEFAULT '[]',  -- files, datum, repairs, warnings of each import
  west         double precision,             -- the box of its cells, measured once when it is published
  south        double precision,
  east         double precision,
  north        double precision,
  retired_at   timestamptz,                  -- when it was withdrawn: until then it was in force
  CONSTRAINT whole_box CHECK (num_nulls(west, south, east, north) IN (0, 4)),
  CONSTRAINT published_has_a_start CHECK ((state = 'draft') = (valid_from IS NULL AND published_at IS NULL)),
  CONSTRAINT retired_says_when CHECK ((state = 'retired') = (retired_at IS NOT NULL))
);

-- The set that owns places at a moment: published, already valid, not withdrawn yet, the latest such.
CREATE FUNCTION grid_set_at(moment timestamptz) RETURNS integer
  LANGUAGE sql STABLE
  RETURN (SELECT id FROM grid_sets
           WHERE (state = 'published' OR retired_at > moment) AND valid_from <= moment
           ORDER BY valid_from DESC, id DESC LIMIT 1);

CREATE TABLE divisions (
  grid_set_id integer NOT NULL REFERENCES grid_sets ON DELETE CASCADE,
  code        text COLLATE "C" NOT NULL CHECK (code !~ '[,/]'),   -- scope keys are joined by these
  name        text NOT NULL,
  name_en     text NOT NULL DEFAULT '',
  level       text NOT NULL CHECK (level IN ('province', 'city', 'district', 'street', 'community')),
  parent_code text COLLATE "C",
  path        text[] NOT NULL,               -- codes from the top down to this one
  area_m2     double precision NOT NULL,
  outline     geometry(MultiPolygon, 4326),  -- NULL: known by code only (a statistical district)
  PRIMARY KEY (grid_set_id, code),
  FOREIGN KEY (grid_set_id, parent_code) REFERENCES divisions DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT path_ends_here CHECK (path[array_upper(path, 1)] = code)
);
CREATE INDEX divisions_outline ON divisions USING gist (outline);

CREATE TABLE cells (
  grid_set_id      integer NOT NULL REFERENCES grid_sets ON DELETE CASCADE,
  code             text COLLATE "C" NOT NULL,
  name             text NOT NULL DEFAULT '',
  division_code    text COLLATE "C" NOT NULL,
  management_level text NOT NULL DEFAULT 'A' CHECK (management_level IN ('A', 'B', 'C')),
  area_m2          double precision NOT NULL,  -- on the ellipsoid
  outline          geometry(MultiPolygon, 4326) NOT NULL,
  PRIMARY KEY (grid_set_id, code),
  FOREIGN KEY (grid_set_id, division_code) REFERENCES divisions DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX cells_outline ON cells USING gist (outline);
CREATE INDEX cells_division ON cells (grid_set_id, division_code);

CREATE TABLE duty_lines (
  code    text PRIMARY KEY CHECK (code !~ '[,/]'),
  name    text NOT NULL,
  name_en text NOT NULL DEFAULT '',
  profile text NOT NULL CHECK (profile IN ('city_management', 'social_governance'))
);

CREATE TABLE beats (
  grid_set_id   integer NOT NULL REFERENCES grid_sets ON DELETE CASCADE,
  duty_line     text NOT NULL REFERENCES duty_lines,
  code          text COLLATE "C" NOT NULL,
  name          text NOT NULL DEFAULT '',
  division_code text COLLATE "C" NOT NULL,
  PRIMARY KEY (grid_set_id, duty_line, code),
  FOREIGN KEY (grid_set_id, division_code) REFERENCES divisions DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE beat_cells (
  grid_set_id integer NOT NULL,
  duty_line   text NOT NULL,
  cell_code   text COLLATE "C" NOT NULL,
  beat_code   text COLLATE "C" NOT NULL,
  PRIMARY KEY (grid_set_id, duty_line, cell_code),   -- one beat per cell and duty line
  FOREIGN KEY (grid_set_id, duty_line, beat_code) REFERENCES beats ON DELETE CASCADE,
  FOREIGN KEY (grid_set_id, cell_code) REFERENCES cells ON DELETE CASCADE
);
CREATE INDEX beat_cells_beat ON beat_cells (grid_set_id, duty_line, beat_code);

-- Statistics of a set that has just been written: without them the look-up of a place reads whole tables
-- until autovacuum comes by, and plans made meanwhile are kept. Only the owner may ANALYZE.
CREATE FUNCTION learn_grid_statistics() RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  ANALYZE grid_sets, divisions, cells, beats, beat_cells;
END
$$;

-- What each import of the ground brought; an import replaces its own edition.
CREATE TABLE basemap_editions (
  edition     text PRIMARY KEY,
  attribution text NOT NULL,                   -- shown on the map wherever its features are
  imported_at timestamptz NOT NULL
);

-- What the map shows beneath the data: roads, water, buildings.
CREATE TABLE basemap_features (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  layer    text NOT NULL CHECK (layer IN ('roads', 'water', 'buildings')),
  name     text NOT NULL DEFAULT '',
  kind     text NOT NULL DEFAULT '',
  height_m double precision,
  outline  geometry(Geometry, 4326) NOT NULL,
  edition  text NOT NULL REFERENCES basemap_editions ON DELETE CASCADE,
  levels   integer,                            -- storeys of a building
  shape    geometry(Geometry, 3857) NOT NULL GENERATED ALWAYS AS (ST_Transform(outline, 3857)) STORED
);
CREATE INDEX basemap_features_outline ON basemap_features USING gist (outline);
CREATE INDEX basemap_features_edition ON basemap_features (edition);
CREATE INDEX basemap_roads ON basemap_features USING gist (shape) WHERE layer = 'roads';
CREATE INDEX basemap_main_roads ON basemap_features USING gist (shape)
  WHERE layer = 'roads' AND kind IN ('motorway', 'primary');
CREATE INDEX basemap_water ON basemap_features USING gist (shape) WHERE layer = 'water';
CREATE INDEX basemap_buildings ON basemap_features USING gist (shape) WHERE layer = 'buildings';

-- The shapes of a grid set as the map draws them: exact, and simplified so that neighbours keep their common edges.
-- Made when the set is published, and for sets from before by the workers.
CREATE TABLE map_sets (
  grid_set_id integer PRIMARY KEY REFERENCES grid_sets ON DELETE CASCADE,
  prepared_at timestamptz NOT NULL
);

CREATE TABLE map_divisions (
  grid_set_id integer NOT NULL REFERENCES map_sets ON DELETE CASCADE,
  code        text COLLATE "C" NOT NULL,
  name        text NOT NULL,
  name_en     text NOT NULL,
  level       text NOT NULL,
  shape       geometry(Geometry, 3857) NOT NULL,
  coarse      geometry(Geometry, 3857) NOT NULL,
  coarsest    geometry(Geometry, 3857) NOT NULL,
  label       geometry(Point, 3857) NOT NULL,
  PRIMARY KEY (grid_set_id, code)
);
CREATE INDEX map_divisions_shape ON map_divisions USING gist (shape);

CREATE TABLE map_cells (
  grid_set_id   integer NOT NULL REFERENCES map_sets ON DELETE CASCADE,
  code          text COLLATE "C" NOT NULL,
  name          text NOT NULL,
  division_code text COLLATE "C" NOT NULL,
  shape         geometry(Geometry, 3857) NOT NULL,
  coarse        geometry(Geometry, 3857) NOT NULL,
  coarsest      geometry(Geometry, 3857) NOT NULL,
  label         geometry(Point, 3857) NOT NULL,
  PRIMARY KEY (grid_set_id, code)
);
CREATE INDEX map_cells_shape ON map_cells USING gist (shape);

CREATE TABLE map_beats (
  grid_set_id integer NOT NULL REFERENCES map_sets ON DELETE CASCADE,
  duty_line   text NOT NULL,
  code        text COLLATE "C" NOT NULL,
  name        text NOT NULL,
  shape       geometry(Geometry, 3857) NOT NULL,
  coarse      geometry(Geometry, 3857) NOT NULL,
  coarsest    geometry(Geometry, 3857) NOT NULL,
  label       geometry(Point, 3857) NOT NULL,
  PRIMARY KEY (grid_set_id, duty_line, code)
);
CREATE INDEX map_beats_shape ON map_beats USING gist (shape);

-- ---------------------------------------------------------------------------------------------
-- People
-- ---------------------------------------------------------------------------------------------

CREATE TABLE departments (
  code      text PRIMARY KEY CHECK (code !~ '[,/]'),
  name      text NOT NULL,
  name_en   text NOT NULL DEFAULT '',
  duty_line text NOT NULL REFERENCES duty_lines
);

CREATE TABLE users (
  id            uuid PRIMARY KEY,
  username      text NOT NULL UNIQUE CHECK (username = lower(username)),
  display_name  text NOT NULL,
  password_hash text,                        -- argon2id; NULL: cannot sign in by password
  active        boolean NOT NULL DEFAULT true,
  created_at    timestamptz NOT NULL DEFAULT now()
);

-- A role holds for a division and all below it, and there for one department or duty line, or for all.
CREATE TABLE grants (
  user_id       uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  role          text NOT NULL CHECK (role IN ('officer', 'handler', 'acceptor', 'dispatcher',
                                              'supervisor', 'admin', 'auditor')),
  division_code text COLLATE "C" NOT NULL CHECK (division_code !~ '[,/]'),
  department    text REFERENCES departments,
  duty_line     text REFERENCES duty_lines,
  CONSTRAINT one_axis CHECK (num_nonnulls(department, duty_line) <= 1),
  CONSTRAINT handler_has_department CHECK (role <> 'handler' OR department IS NOT NULL),
  CONSTRAINT officer_has_duty_line CHECK (role <> 'officer' OR duty_line IS NOT NULL),
  UNIQUE NULLS NOT DISTINCT (user_id, role, division_code, department, duty_line)
);
CREATE INDEX grants_by_place ON grants (division_code, role);

CREATE TABLE officers (
  user_id         uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
  duty_line       text NOT NULL REFERENCES duty_lines,
  on_duty         boolean NOT NULL DEFAULT false,
  duty_changed_at timestamptz,
  most_open       integer NOT NULL DEFAULT 12 CHECK (most_open BETWEEN 1 AND 500)
);

CREATE TABLE officer_beats (
  officer_id uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  duty_line  text NOT NULL REFERENCES duty_lines,
  beat_code  text COLLATE "C" NOT NULL,
  PRIMARY KEY (officer_id, duty_line, beat_code)
);
CREATE INDEX officer_beats_beat ON officer_beats (duty_line, beat_code);

-- Civil times in the city's zone. ends_at before starts_at: the shift passes midnight.
CREATE TABLE shifts (
  officer_id uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  weekday    smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),   -- ISO: 1 Monday
  starts_at  time NOT NULL,
  ends_at    time NOT NULL CHECK (ends_at <> starts_at),
  PRIMARY KEY (officer_id, weekday, starts_at)
);

-- What an officer can do beyond what all can (技能): electrician, climbs, has a boat. A word of the city's own.
CREATE TABLE officer_skills (
  officer_id uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  skill      text COLLATE "C" NOT NULL CHECK (skill ~ '^[a-z][a-z0-9_]{0,63}$'),
  PRIMARY KEY (officer_id, skill)
);

-- Named teams of officers (队), beside the beats: a night crew, a flood crew.
CREATE TABLE teams (
  code      text COLLATE "C" PRIMARY KEY CHECK (code !~ '[,/]'),
  name      text NOT NULL,
  name_en   text NOT NULL DEFAULT '',
  duty_line text NOT NULL REFERENCES duty_lines
);
CREATE TABLE team_officers (
  team       text COLLATE "C" NOT NULL REFERENCES teams,
  officer_id uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  PRIMARY KEY (team, officer_id)
);
CREATE INDEX team_officers_officer ON team_officers (officer_id);

-- When an officer is away whatever the shifts say (请假). Never deleted: cancelled.
CREATE TABLE absences (
  id           uuid PRIMARY KEY,
  officer_id   uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  from_at      timestamptz NOT NULL,
  until_at     timestamptz NOT NULL,
  reason       text NOT NULL CHECK (reason IN ('leave', 'sick', 'training', 'seconded', 'other')),
  entered_by   text NOT NULL,
  entered_at   timestamptz NOT NULL,
  cancelled_by text,
  cancelled_at timestamptz,
  CONSTRAINT an_absence_ends CHECK (until_at > from_at),
  CONSTRAINT a_cancelling_is_whole CHECK ((cancelled_by IS NULL) = (cancelled_at IS NULL))
);
CREATE INDEX absences_officer ON absences (officer_id, until_at) WHERE cancelled_at IS NULL;

-- What the city has decided about shifts; one row. Who leaves within `ends_soon_s` gets nothing new while another is
-- there; a case is taken from who has left according to its state, `route_if_staffed` where somebody else of its beat
-- is there or comes within `staffed_within_s`.
CREATE TABLE roster_rules (
  only_row           boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  ends_soon_s        integer NOT NULL DEFAULT 900 CHECK (ends_soon_s BETWEEN 0 AND 14400),
  staffed_within_s   integer NOT NULL DEFAULT 1800 CHECK (staffed_within_s BETWEEN 0 AND 14400),
  when_assigned      text NOT NULL DEFAULT 'route' CHECK (when_assigned IN ('route', 'route_if_staffed', 'stay')),
  when_accepted      text NOT NULL DEFAULT 'route_if_staffed'
                     CHECK (when_accepted IN ('route', 'route_if_staffed', 'stay')),
  when_in_progress   text NOT NULL DEFAULT 'stay' CHECK (when_in_progress IN ('route', 'route_if_staffed', 'stay'))
);
INSERT INTO roster_rules DEFAULT VALUES;

-- What was made of an officer's work when he left (交接班), once for each time: how much went on, and what stays.
CREATE TABLE hand_overs (
  id          uuid PRIMARY KEY,
  officer_id  uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  why         text NOT NULL CHECK (why IN ('shift_end', 'absence')),
  left_at     timestamptz NOT NULL,
  at          timestamptz NOT NULL,
  handed_over integer NOT NULL,
  stay        uuid[] NOT NULL,                   -- cases of which the dispatcher heard
  UNIQUE (officer_id, left_at)
);

-- The book of the shift (交接班日志): what whoever goes leaves to whoever comes. An entry is written once; a hand-over is
-- signed by who takes over, once.
CREATE TABLE shift_log (
  id            uuid PRIMARY KEY,
  division_code text COLLATE "C" NOT NULL,
  duty_line     text REFERENCES duty_lines,      -- NULL: all
  seen_by       text[] NOT NULL,
  hand_over     boolean NOT NULL,
  words         text NOT NULL CHECK (words <> ''),
  cases         uuid[] NOT NULL,                 -- that are to be watched
  figures       jsonb NOT NULL,                  -- of the desk as they stood
  written_by    uuid NOT NULL REFERENCES users,
  written_at    timestamptz NOT NULL,
  taken_by      uuid REFERENCES users,
  taken_at      timestamptz,
  CONSTRAINT a_hand_over_is_taken_by_another CHECK (
    num_nulls(taken_by, taken_at) IN (0, 2) AND (taken_by IS NULL OR (hand_over AND taken_by <> written_by)))
);
CREATE INDEX shift_log_by_time ON shift_log (written_at DESC, id DESC);

CREATE TABLE devices (
  secret_hash bytea PRIMARY KEY,             -- sha256 of the random id that the tracker sends
  officer_id  uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  label       text NOT NULL DEFAULT '',
  created_at  timestamptz NOT NULL DEFAULT now(),
  revoked_at  timestamptz
);

-- The latest place of each officer; older fixes never overwrite newer ones.
CREATE TABLE officer_positions (
  officer_id  uuid PRIMARY KEY REFERENCES officers ON DELETE CASCADE,
  place       geometry(Point, 4326) NOT NULL,
  accuracy_m  double precision,
  taken_at    timestamptz NOT NULL,          -- by the phone's clock, bounded by received_at
  received_at timestamptz NOT NULL
);
CREATE INDEX officer_positions_place ON officer_positions USING gist (place);

-- When each officer was on duty: what a phone sends late is held against it.
CREATE TABLE duty_spans (
  officer_id uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  from_at    timestamptz NOT NULL,
  until_at   timestamptz CHECK (until_at >= from_at),
  PRIMARY KEY (officer_id, from_at)
);
CREATE UNIQUE INDEX duty_spans_open ON duty_spans (officer_id) WHERE until_at IS NULL;
CREATE INDEX duty_spans_over ON duty_spans (until_at);

CREATE FUNCTION note_duty() RETURNS trigger
  LANGUAGE plpgsql AS $$
DECLARE
  at timestamptz := coalesce(NEW.duty_changed_at, city_now());
BEGIN
  IF NEW.on_duty THEN
    INSERT INTO duty_spans (officer_id, from_at) VALUES (NEW.user_id, at)
        ON CONFLICT (officer_id, from_at) DO UPDATE SET until_at = NULL;
  ELSE
    UPDATE duty_spans SET until_at = greatest(from_at, at) WHERE officer_id = NEW.user_id AND until_at IS NULL;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER officers_come_on_duty AFTER INSERT ON officers
  FOR EACH ROW WHEN (NEW.on_duty) EXECUTE FUNCTION note_duty();
CREATE TRIGGER officers_change_duty AFTER UPDATE ON officers
  FOR EACH ROW WHEN (OLD.on_duty <> NEW.on_duty) EXECUTE FUNCTION note_duty();

-- The way of each officer while he was on duty, one fix in twenty seconds; kept for thirty days, each a partition that
-- the sweeper makes ahead and drops.
CREATE TABLE officer_trails (
  officer_id uuid NOT NULL,
  slot_at    timestamptz NOT NULL,           -- taken_at, down to twenty seconds
  taken_at   timestamptz NOT NULL,
  place      geometry(Point, 4326) NOT NULL,
  accuracy_m double precision,
  mocked     boolean NOT NULL DEFAULT false,
  PRIMARY KEY (officer_id, slot_at)
) PARTITION BY RANGE (slot_at);
CREATE TABLE officer_trails_default PARTITION OF officer_trails DEFAULT;

-- Which cells he was in: reckoned from his way, and again when something of it comes late. left_at: the last fix there.
CREATE TABLE cell_stays (
  officer_id uuid NOT NULL,
  cell_code  text COLLATE "C" NOT NULL,
  entered_at timestamptz NOT NULL,
  left_at    timestamptz NOT NULL,
  fixes      integer NOT NULL CHECK (fixes > 0),
  PRIMARY KEY (officer_id, entered_at),
  CONSTRAINT stays_end_after_they_begin CHECK (left_at >= entered_at)
) PARTITION BY RANGE (entered_at);
CREATE INDEX cell_stays_cell ON cell_stays (cell_code, entered_at);
CREATE TABLE cell_stays_default PARTITION OF cell_stays DEFAULT;


-- Between which moments an officer's way has changed since his stays were reckoned.
CREATE TABLE stays_due (
  officer_id uuid PRIMARY KEY REFERENCES officers ON DELETE CASCADE,
  from_at    timestamptz NOT NULL,
  until_at   timestamptz NOT NULL,
  changes    bigint NOT NULL DEFAULT 1
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- The application owns no table and cannot make one; these two make and drop days of both.
CREATE FUNCTION trail_days_make(day date) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
  whole text;
  by_what text;
  part text;
  since timestamptz := day::timestamp AT TIME ZONE 'UTC';
  until timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
  made boolean := false;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('trail days'));
  FOR whole, by_what IN VALUES ('officer_trails', 'slot_at'), ('cell_stays', 'entered_at') LOOP
    part := whole || '_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(part) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, whole);
    EXECUTE format('REVOKE ALL ON %I FROM gridsvc_app', part);
    -- What came before its day was made moves over; nothing may come in between.
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', whole || '_default');
    EXECUTE format('WITH gone AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *)'
                   ' INSERT INTO %5$I SELECT * FROM gone', whole || '_default', by_what, since, until, part);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', whole, part, since, until);
    made := true;
  END LOOP;
  RETURN made;
END
$$;

CREATE FUNCTION trail_days_drop(day date) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
  whole text;
  part text;
  dropped boolean := false;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('trail days'));
  FOREACH whole IN ARRAY ARRAY['officer_trails', 'cell_stays'] LOOP
    part := whole || '_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(part) IS NULL;
    EXECUTE format('DROP TABLE %I', part);
    dropped := true;
  END LOOP;
  RETURN dropped;
END
$$;
REVOKE EXECUTE ON FUNCTION trail_days_make(date), trail_days_drop(date) FROM PUBLIC;

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
  ('mapped', 'JSON by a mapping', NULL),
  ('onvif', 'ONVIF', NULL);

CREATE TABLE cameras (
  code          text COLLATE "C" PRIMARY KEY,   -- 20 digits (GB/T 28181) or the city's own
  name          text NOT NULL,
  place         geometry(Point, 4326) NOT NULL,
  height_m      double precision NOT NULL CHECK (height_m > 0),
  bearing_deg   double precision NOT NULL CHECK (bearing_deg >= 0 AND bearing_deg < 360),
  field_deg     double precision NOT NULL CHECK (field_deg > 0 AND field_deg <= 360),
  near_m        double precision NOT NULL DEFAULT 0 CHECK (near_m >= 0),
  far_m         double precision NOT NULL CHECK (far_m > 0),
  protocol      text NOT NULL REFERENCES camera_protocols,
  state         text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'off', 'maintenance')),
  vendor        text NOT NULL DEFAULT '',
  model         text NOT NULL DEFAULT '',
  owning        text REFERENCES departments,    -- whose it is
  maintaining   text REFERENCES departments,    -- who looks after it, and is told when it is offline
  ptz           boolean NOT NULL DEFAULT false, -- it can turn
  streams       text[] NOT NULL DEFAULT '{}',   -- addresses as text; the service never opens them
  silent_after_s integer CHECK (silent_after_s > 0),   -- NULL: as its protocol
  given_x       double precision NOT NULL,      -- the place as it was given, in given_frame
  given_y       double precision NOT NULL,
  given_frame   text NOT NULL,
  divisions     text[] COLLATE "C" NOT NULL DEFAULT '{}',   -- above its place, from the top down
  grid_set_id   integer REFERENCES grid_sets,   -- by which its divisions and cells were found; NULL: not yet
  version       integer NOT NULL DEFAULT 1,
  changed_at    timestamptz NOT NULL,
  CONSTRAINT near_before_far CHECK (near_m < far_m)
);
CREATE INDEX cameras_place ON cameras USING gist (place);
CREATE INDEX cameras_divisions ON cameras USING gin (divisions);

CREATE TABLE camera_changes (
  camera  text COLLATE "C" NOT NULL REFERENCES cameras,
  version integer NOT NULL,
  at      timestamptz NOT NULL,
  actor   text NOT NULL,
  source  text NOT NULL,                        -- name of the file; '' over HTTP
  facts   jsonb NOT NULL,                       -- what is new: all of it at version 1, afterwards what differs
  PRIMARY KEY (camera, version)
);

-- Where a camera that can turn looks when it stands in a preset.
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

-- A zone or region of the picture, and the point or polygon on the ground that it shows.
CREATE TABLE camera_zones (
  camera text COLLATE "C" NOT NULL REFERENCES cameras,
  name   text COLLATE "C" NOT NULL,
  ground geometry(Geometry, 4326) NOT NULL CHECK (GeometryType(ground) IN ('POINT', 'POLYGON')),
  PRIMARY KEY (camera, name)
);

-- Which cells a camera sees, by one grid set: found anew when the camera changes and when another set is in force.
CREATE TABLE camera_cells (
  camera      text COLLATE "C" NOT NULL REFERENCES cameras,
  kind        text NOT NULL CHECK (kind IN ('view', 'preset', 'reach', 'zone')),   -- reach: wherever it can turn to
  name        text COLLATE "C" NOT NULL,        -- of the preset or zone; '' otherwise
  cell_code   text COLLATE "C" NOT NULL,
  grid_set_id integer NOT NULL,
  share       double precision NOT NULL CHECK (share > 0),   -- of what is seen
  spot        geometry(Point, 4326) NOT NULL,   -- a place in the cell that is seen
  PRIMARY KEY (camera, kind, name, cell_code),
  FOREIGN KEY (grid_set_id, cell_code) REFERENCES cells (grid_set_id, code)
);
CREATE INDEX camera_cells_cell ON camera_cells (cell_code);

-- A camera that has never said anything has no row.
CREATE TABLE camera_health (
  camera        text COLLATE "C" PRIMARY KEY REFERENCES cameras,
  heard_at      timestamptz NOT NULL,
  offline_since timestamptz                     -- when it was found silent for too long; NULL: it is there
);

-- Whether a camera is there, by what was heard of it.
CREATE FUNCTION camera_stands(heard_at timestamptz, offline_since timestamptz) RETURNS text
  LANGUAGE sql IMMUTABLE
  RETURN CASE WHEN heard_at IS NULL THEN 'never' WHEN offline_since IS NULL THEN 'online' ELSE 'offline' END;

-- How devices name themselves, and the tokens that they post with.
CREATE TABLE camera_names (
  camera text COLLATE "C" NOT NULL REFERENCES cameras ON DELETE CASCADE,
  scheme text NOT NULL CHECK (scheme IN ('code', 'serial', 'mac', 'channel', 'name')),
  value  text COLLATE "C" NOT NULL,
  PRIMARY KEY (camera, scheme, value)
);
CREATE INDEX camera_names_value ON camera_names (scheme, value);

-- Where in a message of somebody's JSON each thing stands. One draft of a name at a time; what is published stays.
CREATE TABLE camera_mappings (
  name         text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
  version      integer NOT NULL CHECK (version > 0),
  document     jsonb NOT NULL,
  drafted_at   timestamptz NOT NULL,
  drafted_by   text NOT NULL,
  published_at timestamptz,                      -- NULL: a draft; the published one with the highest version reads
  published_by text,
  PRIMARY KEY (name, version),
  CONSTRAINT a_publishing_is_somebodys CHECK ((published_at IS NULL) = (published_by IS NULL))
);
CREATE UNIQUE INDEX camera_mappings_one_draft ON camera_mappings (name) WHERE published_at IS NULL;

CREATE FUNCTION camera_mapping_stays() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.published_at IS NOT NULL THEN
    RAISE EXCEPTION 'version % of the mapping % was published and never changes', OLD.version, OLD.name;
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER camera_mapping_stays BEFORE UPDATE OR DELETE ON camera_mappings
  FOR EACH ROW EXECUTE FUNCTION camera_mapping_stays();

CREATE TABLE camera_tokens (
  id          uuid PRIMARY KEY,
  secret_hash bytea NOT NULL UNIQUE,             -- sha256 of the random token in the device's URL
  label       text NOT NULL DEFAULT '',
  protocol    text NOT NULL,
  created_at  timestamptz NOT NULL,
  created_by  text NOT NULL,
  expires_at  timestamptz,
  revoked_at  timestamptz,
  networks    cidr[] NOT NULL DEFAULT '{}',      -- from where it may be used; empty: from anywhere
  mapping     text COLLATE "C",                  -- the name of the mapping that its messages are read with
  CONSTRAINT a_mapped_token_names_its_mapping CHECK ((protocol = 'mapped') = (mapping IS NOT NULL))
);
-- Which cameras a token speaks for: one, or all of a site.
CREATE TABLE camera_token_cameras (
  token_id uuid NOT NULL REFERENCES camera_tokens ON DELETE CASCADE,
  camera   text COLLATE "C" NOT NULL REFERENCES cameras ON DELETE CASCADE,
  PRIMARY KEY (token_id, camera)
);
CREATE INDEX camera_token_cameras_camera ON camera_token_cameras (camera);

-- Devices and platforms that register over GA/T 1400 (/VIID): what each signs in with.
CREATE TABLE viid_accounts (
  id              uuid PRIMARY KEY,
  device          text COLLATE "C" NOT NULL CHECK (device ~ '^[0-9]{20}$'),   -- the DeviceID that it registers as
  username        text NOT NULL,
  secret          bytea NOT NULL,                -- what digest is computed with, sealed
  old_secret      bytea,                         -- of a rotated account: good until old_until
  old_until       timestamptz,
  label           text NOT NULL DEFAULT '',
  networks        cidr[] NOT NULL DEFAULT '{}',  -- from where it may be used; empty: from anywhere
  created_at      timestamptz NOT NULL,
  created_by      text NOT NULL,
  expires_at      timestamptz,
  revoked_at      timestamptz,
  registered_at   timestamptz,                   -- NULL: it never registered, or has unregistered
  registered_from inet,
  heard_at        timestamptz,
  CONSTRAINT an_old_secret_ends CHECK ((old_secret IS NULL) = (old_until IS NULL)),
  CONSTRAINT registered_from_somewhere CHECK ((registered_at IS NULL) = (registered_from IS NULL)),
  CONSTRAINT who_registered_was_heard CHECK (registered_at IS NULL OR heard_at IS NOT NULL)
);
CREATE UNIQUE INDEX viid_accounts_device ON viid_accounts (device) WHERE revoked_at IS NULL;

-- Which cameras an account speaks for: one, or all of a site.
CREATE TABLE viid_account_cameras (
  account_id uuid NOT NULL REFERENCES viid_accounts,
  camera     text COLLATE "C" NOT NULL REFERENCES cameras,
  away       boolean NOT NULL DEFAULT false,     -- its platform reports that it is offline
  PRIMARY KEY (account_id, camera)
);
CREATE INDEX viid_account_cameras_camera ON viid_account_cameras (camera);

-- What a platform reports of its cameras (APE): proposals, which somebody imports into the registry, or does not.
CREATE TABLE viid_apes (
  account_id uuid NOT NULL REFERENCES viid_accounts,
  code       text COLLATE "C" NOT NULL,
  facts      jsonb NOT NULL,                     -- in the words of the standard, without addresses and passwords
  first_at   timestamptz NOT NULL,
  last_at    timestamptz NOT NULL,
  PRIMARY KEY (account_id, code)
);

-- Nonces that somebody has answered, and the last count; an answer counts once.
CREATE TABLE viid_nonces (
  nonce      text COLLATE "C" PRIMARY KEY,
  last_count bigint NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX viid_nonces_expires ON viid_nonces (expires_at);

-- ---------------------------------------------------------------------------------------------
-- What may be reported, by when it must be done, and who hears when it is not
-- ---------------------------------------------------------------------------------------------

CREATE TABLE calendars (
  code     text PRIMARY KEY,
  name     text NOT NULL,
  edition  integer NOT NULL DEFAULT 1,
  slots    jsonb NOT NULL,       -- {"1": [["08:00","12:00"],["14:00","18:00"]], …} by ISO weekday
  years    integer[] NOT NULL DEFAULT '{}',  -- years whose days off are published
  seasons  jsonb NOT NULL DEFAULT '[]',      -- [{"name": …, "first": "05-01", "last": "09-30", "slots": {…}}, …]
  work_day text NOT NULL DEFAULT 'eight_hours' CHECK (work_day IN ('eight_hours', 'end_of_day')),
  sources  jsonb NOT NULL DEFAULT '[]',      -- files and packages that this edition was read from
  published_at timestamptz,                  -- NULL: as the starter rules wrote it
  published_by text NOT NULL DEFAULT '',
  overruled jsonb NOT NULL DEFAULT '[]'      -- where its sources disagreed: [{"day": …, "said": {source: what}}, …]
);

CREATE TABLE calendar_days (
  calendar text NOT NULL REFERENCES calendars ON DELETE CASCADE,
  day      date NOT NULL,
  works    boolean NOT NULL,     -- false: a day off; true: a make-up workday (调休)
  name     text NOT NULL DEFAULT '',
  notice   integer,              -- the year whose notice says so; NULL: the day's own
  PRIMARY KEY (calendar, day)
);

-- The editions that were in force before: what a stopped clock is explained with.
CREATE TABLE calendar_editions (
  calendar     text NOT NULL REFERENCES calendars,
  edition      integer NOT NULL,
  name         text NOT NULL,
  slots        jsonb NOT NULL,
  seasons      jsonb NOT NULL,
  work_day     text NOT NULL,
  years        integer[] NOT NULL,
  days         jsonb NOT NULL,   -- [{"day": …, "works": …, "name": …, "notice": …}, …]
  sources      jsonb NOT NULL,
  published_at timestamptz,
  published_by text NOT NULL,
  replaced_at  timestamptz NOT NULL,
  overruled    jsonb NOT NULL DEFAULT '[]',
  PRIMARY KEY (calendar, edition)
);

-- Where another calendar than the category's own holds. A department's wins, then the deepest division's.
CREATE TABLE calendar_uses (
  department    text UNIQUE REFERENCES departments,
  division_code text COLLATE "C" UNIQUE,
  calendar      text NOT NULL REFERENCES calendars,
  CONSTRAINT one_place CHECK (num_nonnulls(department, division_code) = 1)
);

-- Said once for each calendar and year that nobody has published.
CREATE TABLE calendar_alarms (
  calendar text NOT NULL REFERENCES calendars,
  year     integer NOT NULL,
  told_at  timestamptz NOT NULL,
  PRIMARY KEY (calendar, year)
);

-- A published edition never changes: what a case was filed under is what it is judged by.
CREATE TABLE category_editions (
  code         text PRIMARY KEY,
  name         text NOT NULL,
  is_default   boolean NOT NULL DEFAULT false,
  published_at timestamptz NOT NULL DEFAULT now(),
  source       text NOT NULL DEFAULT ''           -- the file it was read from
);
CREATE UNIQUE INDEX one_default_edition ON category_editions (is_default) WHERE is_default;

-- Major classes (大类), as one edition numbers them: 2004 is 街面秩序 in one and 突发事件 in another.
CREATE TABLE category_majors (
  edition text NOT NULL REFERENCES category_editions,
  code    text COLLATE "C" NOT NULL,
  kind    text NOT NULL CHECK (kind IN ('component', 'event')),
  name    text NOT NULL,
  name_en text NOT NULL DEFAULT '',
  PRIMARY KEY (edition, code)
);

CREATE TABLE categories (
  edition      text NOT NULL REFERENCES category_editions,
  code         text COLLATE "C" NOT NULL,
  kind         text NOT NULL CHECK (kind IN ('component', 'event')),
  name         text NOT NULL,
  name_en      text NOT NULL DEFAULT '',
  duty_line    text NOT NULL REFERENCES duty_lines,
  department   text REFERENCES departments,  -- who handles it, where officers only report (城管)
  handled_by   text NOT NULL DEFAULT 'officer' CHECK (handled_by IN ('officer', 'department')),
  severity     text NOT NULL DEFAULT 'normal' CHECK (severity IN ('low', 'normal', 'high', 'emergency')),
  files_itself boolean NOT NULL DEFAULT true,
  limit_amount double precision NOT NULL CHECK (limit_amount > 0),
  limit_unit   text NOT NULL CHECK (limit_unit IN ('urgent_minute', 'urgent_hour', 'urgent_day', 'work_hour', 'work_day',
                                                   'day')),
  calendar     text NOT NULL REFERENCES calendars,
  ladder       text NOT NULL DEFAULT 'handling',
  active       boolean NOT NULL DEFAULT true,
  major              text COLLATE "C",
  dispatches_itself  boolean NOT NULL DEFAULT true,        -- false: a dispatcher sends every case on
  attributes         text[] NOT NULL DEFAULT '{}',         -- what a report of it should say, in words
  evidence           text[] NOT NULL DEFAULT '{}',         -- photographs that are asked for
  duplicate_radius_m double precision NOT NULL DEFAULT 50, -- nearer and within the window: likely the same matter
  duplicate_window_h double precision NOT NULL DEFAULT 24,
  checks             text[] NOT NULL DEFAULT '{}',         -- that the service sends somebody for by itself
  PRIMARY KEY (edition, code),
  FOREIGN KEY (edition, major) REFERENCES category_majors,
  CONSTRAINT department_handles CHECK (handled_by = 'officer' OR department IS NOT NULL),
  CONSTRAINT evidence_is_known CHECK (evidence <@ ARRAY['report', 'before', 'after']),
  CONSTRAINT duplicates_have_a_reach CHECK (duplicate_radius_m >= 0 AND duplicate_window_h >= 0),
  CONSTRAINT checks_are_known CHECK (checks <@ ARRAY['pre_filing_check', 'closing_check'])
);

-- When a case of the category is filed (立案条件), and when it may be closed (结案条件).
CREATE TABLE category_conditions (
  edition    text NOT NULL,
  category   text COLLATE "C" NOT NULL,
  code       text COLLATE "C" NOT NULL,      -- within the category
  position   integer NOT NULL,               -- their order for people
  says       text NOT NULL,
  closing    text NOT NULL DEFAULT '',
  is_default boolean NOT NULL DEFAULT false, -- whose limit holds where nobody has said which it is
  PRIMARY KEY (edition, category, code),
  FOREIGN KEY (edition, category) REFERENCES categories
);
CREATE UNIQUE INDEX one_default_condition ON category_conditions (edition, category) WHERE is_default;

-- Limits more exact than the category's own; which one holds: docs/rules/categories.md.
CREATE TABLE category_limits (
  edition          text NOT NULL,
  category         text COLLATE "C" NOT NULL,
  condition        text COLLATE "C",                                        -- NULL: whatever the condition
  management_level text CHECK (management_level IN ('A', 'B', 'C')),         -- of the cell; NULL: on every level
  stage            text COLLATE "C" NOT NULL DEFAULT 'handling',            -- what must be done by then
  amount           double precision NOT NULL CHECK (amount > 0),
  unit             text NOT NULL CHECK (unit IN ('urgent_minute', 'urgent_hour', 'urgent_day', 'work_hour', 'work_day',
                                                 'day')),
  FOREIGN KEY (edition, category) REFERENCES categories,
  FOREIGN KEY (edition, category, condition) REFERENCES category_conditions,
  UNIQUE NULLS NOT DISTINCT (edition, category, condition, management_level, stage)
);

-- Ladders come in editions: one is in force, and open clocks follow it.
CREATE TABLE ladder_editions (
  edition      integer PRIMARY KEY CHECK (edition >= 1),
  name         text NOT NULL,
  state        text NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
  made_at      timestamptz NOT NULL,
  made_by      text NOT NULL,
  published_at timestamptz,                      -- the last time that it came in force
  published_by text,
  retired_at   timestamptz,
  CONSTRAINT published_says_when CHECK ((state = 'draft') = (published_at IS NULL)
                                        AND (published_at IS NULL) = (published_by IS NULL)),
  CONSTRAINT retired_says_when CHECK ((state = 'retired') = (retired_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_edition_of_ladders_in_force ON ladder_editions ((true)) WHERE state = 'published';
-- The first edition is what the city has: the starter rules, or what it made of them.
INSERT INTO ladder_editions VALUES (1, '起始阶梯', 'published', city_now(), 'gridsvc', city_now(), 'gridsvc', NULL);

-- A ladder is its rungs: at which share of the clock's budget, or how long after the rung before, what happens, and
-- who hears. The last may repeat, each time as a level of its own.
CREATE TABLE rungs (
  ladder         text NOT NULL,
  level          integer NOT NULL CHECK (level >= 1),
  share          double precision CHECK (share >= 0),
  effect         text NOT NULL CHECK (effect IN ('warning', 'overdue', 'climb', 'move_on')),
  role           text NOT NULL CHECK (role IN ('owner', 'handler', 'dispatcher', 'acceptor', 'supervisor', 'admin')),
  division_level text CHECK (division_level IN ('community', 'street', 'district', 'city')),
  edition        integer NOT NULL DEFAULT 1 REFERENCES ladder_editions,
  axis           text NOT NULL DEFAULT 'block' CHECK (axis IN ('block', 'line', 'both')),   -- 块, 条
  after_amount   double precision CHECK (after_amount > 0),
  after_unit     text CHECK (after_unit IN ('urgent_minute', 'urgent_hour', 'urgent_day', 'work_hour',
                                            'work_day', 'day')),
  repeats        integer NOT NULL DEFAULT 0 CHECK (repeats BETWEEN 0 AND 100),
  PRIMARY KEY (edition, ladder, level),
  CONSTRAINT one_moment CHECK ((share IS NULL) = (after_amount IS NOT NULL)
                               AND (after_amount IS NULL) = (after_unit IS NULL)),
  CONSTRAINT repeats_after CHECK (repeats = 0 OR after_amount IS NOT NULL)
);

-- Who hears a rung beside the one that it names itself.
CREATE TABLE rung_hearers (
  edition        integer NOT NULL,
  ladder         text NOT NULL,
  level          integer NOT NULL,
  position       integer NOT NULL CHECK (position >= 1),
  role           text NOT NULL CHECK (role IN ('owner', 'handler', 'dispatcher', 'acceptor', 'supervisor', 'admin')),
  division_level text CHECK (division_level IN ('community', 'street', 'district', 'city')),
  axis           text NOT NULL CHECK (axis IN ('block', 'line', 'both')),
  PRIMARY KEY (edition, ladder, level, position),
  FOREIGN KEY (edition, ladder, level) REFERENCES rungs ON DELETE CASCADE
);

-- Where another ladder than the limit's own holds. NULL: whatever it is.
CREATE TABLE ladder_uses (
  edition    integer NOT NULL REFERENCES ladder_editions,
  clock      text NOT NULL,
  severity   text CHECK (severity IN ('low', 'normal', 'high', 'emergency')),
  division   text COLLATE "C",                   -- and all below it
  duty_line  text REFERENCES duty_lines,
  department text REFERENCES departments,
  ladder     text NOT NULL,
  CONSTRAINT one_ladder_each UNIQUE NULLS NOT DISTINCT (edition, clock, severity, division, duty_line, department)
);

-- Budgets of the clocks that do not come from a category: how long a desk or an officer may take.
CREATE TABLE stage_limits (
  kind           text NOT NULL CHECK (kind IN ('filing', 'dispatch', 'pool', 'acknowledge', 'checking',
                                               'on_site', 'supervision', 'co_handling', 'call', 'call_back',
                                               'stop_it')),
  budget_seconds integer NOT NULL CHECK (budget_seconds > 0),
  ladder         text NOT NULL,
  severity       text CHECK (severity IN ('low', 'normal', 'high', 'emergency')),   -- NULL: all that have none of their own
  CONSTRAINT one_limit_of_a_kind UNIQUE NULLS NOT DISTINCT (kind, severity)
);

-- How far, how many and how long each round of a call goes; after the last it is rung again and again.
CREATE TABLE call_rounds (
  round        integer PRIMARY KEY CHECK (round >= 1),
  radius_m     double precision CHECK (radius_m > 0),        -- NULL: everybody on duty in the district
  most         integer CHECK (most >= 1),                    -- officers who are called; NULL: all of them
  wait_seconds integer NOT NULL CHECK (wait_seconds > 0)     -- until the next round
);

-- Who asks the reporters of a closed case. A level without a row, or of which no share is asked, asks nobody.
CREATE TABLE call_back_rules (
  level  text PRIMARY KEY CHECK (level IN ('district', 'city')),
  share  double precision NOT NULL CHECK (share BETWEEN 0 AND 1),   -- of the cases
  ladder text                                    -- NULL: that of the stage limit `call_back`
);

-- Reasons of a city's own, beside those of gridsvc/domain/reasons.py. A code never changes its meaning and never goes:
-- it is switched off. A row for one of the others' codes switches that.
CREATE TABLE reasons (
  move        text COLLATE "C" NOT NULL,
  code        text COLLATE "C" NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]{0,63}$'),
  name        text NOT NULL,
  name_en     text NOT NULL,
  wants_words boolean NOT NULL,
  active      boolean NOT NULL,
  PRIMARY KEY (move, code)
);

-- Who gets which case (派遣规则), in editions; a draft becomes one, which never changes. The form: docs/rules/routing.md.
CREATE TABLE routing_editions (
  number       integer PRIMARY KEY,
  name         text NOT NULL,
  state        text NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
  rules        jsonb NOT NULL,
  drafted_at   timestamptz NOT NULL,
  drafted_by   text NOT NULL,
  published_at timestamptz,                      -- first
  published_by text,
  replaces     integer REFERENCES routing_editions,   -- in force when this one was first published
  CONSTRAINT a_publishing_is_whole CHECK ((state = 'draft') = (published_at IS NULL)
                                          AND (published_at IS NULL) = (published_by IS NULL))
);
CREATE UNIQUE INDEX one_routing_edition_in_force ON routing_editions (state) WHERE state = 'published';

-- Append-only: each time an edition came into force, by whom, and from which one the city went back to it.
CREATE TABLE routing_publications (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  edition      integer NOT NULL REFERENCES routing_editions,
  published_at timestamptz NOT NULL,
  published_by text NOT NULL,
  rolled_back  integer REFERENCES routing_editions
);

CREATE FUNCTION routing_edition_stays() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'draft' AND (TG_OP = 'DELETE' OR NEW.state = 'draft'
     OR (NEW.number, NEW.name, NEW.rules, NEW.published_at, NEW.published_by, NEW.replaces)
        IS DISTINCT FROM (OLD.number, OLD.name, OLD.rules, OLD.published_at, OLD.published_by, OLD.replaces)) THEN
    RAISE EXCEPTION 'routing edition % was published and never changes', OLD.number;
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER routing_edition_stays BEFORE UPDATE OR DELETE ON routing_editions
  FOR EACH ROW EXECUTE FUNCTION routing_edition_stays();

-- Editions 1 and 2 were in the code; the third says the same as data.
INSERT INTO routing_editions (number, name, state, rules, drafted_at, drafted_by, published_at, published_by)
VALUES (3, '起步派遣规则', 'published',
$rules$
  {"name": "起步派遣规则", "position_max_age_s": 1800, "rules": [
    {"code": "sent_by_hand", "name": "须人工派遣的类别", "name_en": "Categories that a dispatcher sends on",
     "to": "pool", "reason": "a dispatcher sends on every case of this category", "try_again": false, "when": {"dispatches_itself": false}},
    {"code": "register_of_components", "name": "部件归台账所载部门", "name_en": "What is about a component goes to whom the register names",
     "to": "component_register", "else": "pool", "when": {"handled_by": ["department"], "about_component": true}},
    {"code": "department_of_the_category", "name": "部门处置的类别归其部门", "name_en": "What a department handles goes to the category's department",
     "to": "category_department", "else": "pool", "when": {"handled_by": ["department"]}},
    {"code": "officer_of_the_beat", "name": "其余归责任网格的网格员", "name_en": "All else goes to an officer of the beat",
     "to": "beat_officer", "else": "pool"}
  ]}
$rules$, now(), 'gridsvc', now(), 'gridsvc');
INSERT INTO routing_publications (edition, published_at, published_by) VALUES (3, now(), 'gridsvc');

-- When notices ring, and when they are gathered; one row.
CREATE TABLE notice_rules (
  only_row              boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  digest_most           integer NOT NULL DEFAULT 10 CHECK (digest_most >= 1),   -- more than these within the window
  digest_window_s       integer NOT NULL DEFAULT 600 CHECK (digest_window_s BETWEEN 60 AND 86400),
  undigested_severities text[] NOT NULL DEFAULT '{emergency}',
  loud_severities       text[] NOT NULL DEFAULT '{emergency,high}',             -- ring in quiet hours too
  loud_effects          text[] NOT NULL DEFAULT '{}',                           -- and rungs of these effects
  CONSTRAINT an_emergency_is_never_gathered CHECK ('emergency' = ANY (undigested_severities)),
  CONSTRAINT an_emergency_always_rings CHECK ('emergency' = ANY (loud_severities)),
  CONSTRAINT severities_are_known CHECK (undigested_severities <@ '{low,normal,high,emergency}'
                                         AND loud_severities <@ '{low,normal,high,emergency}'),
  CONSTRAINT effects_are_known CHECK (loud_effects <@ '{warning,overdue,climb,move_on}')
);
INSERT INTO notice_rules DEFAULT VALUES;

-- Civil times in the city's zone; until_time before from_time: over midnight. Both NULL: none, whatever the city says.
CREATE TABLE quiet_hours (
  user_id    uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
  from_time  time,
  until_time time,
  set_at     timestamptz NOT NULL,
  CONSTRAINT quiet_is_whole CHECK ((from_time IS NULL) = (until_time IS NULL) AND from_time <> until_time)
);
-- The city's own, for who has set none: by role, in a division and all below it (NULL: everywhere).
CREATE TABLE quiet_defaults (
  role          text NOT NULL CHECK (role IN ('officer', 'handler', 'acceptor', 'dispatcher', 'supervisor', 'admin',
                                              'auditor')),
  division_code text COLLATE "C",
  from_time     time NOT NULL,
  until_time    time NOT NULL,
  CONSTRAINT quiet_ends CHECK (from_time <> until_time),
  CONSTRAINT one_default_each UNIQUE NULLS NOT DISTINCT (role, division_code)
);

-- Processes keep these rules in memory, and look here whether what they hold is still today's.
CREATE TABLE rulebook (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  revision bigint NOT NULL DEFAULT 1
);
INSERT INTO rulebook DEFAULT VALUES;

CREATE FUNCTION rules_changed() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  UPDATE rulebook SET revision = revision + 1;
  RETURN NULL;
END
$$;

CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON calendars
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON calendar_days
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON calendar_uses
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON category_editions
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON categories
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON category_majors
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON category_conditions
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON category_limits
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON rungs
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ladder_editions
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON rung_hearers
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ladder_uses
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON stage_limits
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON routing_editions
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON call_rounds
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON call_back_rules
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON reasons
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();

-- ---------------------------------------------------------------------------------------------
-- Components (部件台账), and places by words
-- ---------------------------------------------------------------------------------------------

-- What a device's word means, for one camera or (NULL) for all of a protocol; '*' stands for any.
CREATE TABLE camera_labels (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,   -- rows that are as exact count in the order of writing
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

-- Words that came and that no row of camera_labels knows: a task for an administrator.
CREATE TABLE unmapped_labels (
  camera   text COLLATE "C" NOT NULL REFERENCES cameras,
  kind     text NOT NULL,
  zone     text NOT NULL,                       -- '': none was told
  target   text NOT NULL,
  count    bigint NOT NULL,
  first_at timestamptz NOT NULL,
  last_at  timestamptz NOT NULL,
  PRIMARY KEY (camera, kind, zone, target)
);

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

-- ---------------------------------------------------------------------------------------------
-- Reports and cases
-- ---------------------------------------------------------------------------------------------

-- Numbers are handed out in blocks, so that no writer waits for another's commit: gaps, never repeats.
CREATE TABLE number_blocks (
  series text NOT NULL,          -- 'case' or 'acceptance'
  place  text NOT NULL,          -- division code; '' for the whole city
  day    date NOT NULL,
  taken  integer NOT NULL,
  PRIMARY KEY (series, place, day)
);

CREATE TABLE cases (
  id             uuid PRIMARY KEY,
  number         text UNIQUE,    -- NULL until filed
  version        integer NOT NULL CHECK (version >= 1),
  cycle          integer NOT NULL DEFAULT 1 CHECK (cycle >= 1),
  state          text NOT NULL CHECK (state IN ('reported', 'filed', 'assigned', 'accepted', 'in_progress',
                                                'handled', 'closed', 'rejected', 'cancelled', 'merged')),
  suspended      boolean NOT NULL DEFAULT false,
  source         text NOT NULL,
  edition        text NOT NULL,
  category       text COLLATE "C" NOT NULL,
  duty_line      text NOT NULL REFERENCES duty_lines,
  severity       text NOT NULL CHECK (severity IN ('low', 'normal', 'high', 'emergency')),
  description    text NOT NULL,
  address        text NOT NULL DEFAULT '',
  place          geometry(Point, 4326),          -- NULL: waits in the pool 'locate'
  grid_set_id    integer REFERENCES grid_sets,
  division_code  text COLLATE "C",
  divisions      text[] NOT NULL DEFAULT '{}',   -- from the top down to division_code
  cell_code      text COLLATE "C",
  cell_method    text CHECK (cell_method IN ('covers', 'snapped')),
  on_border      boolean NOT NULL DEFAULT false,
  neighbours     text[] NOT NULL DEFAULT '{}',
  beat_code      text COLLATE "C",
  pool           text CHECK (pool IN ('filing', 'locate', 'routing', 'dispatch', 'cause', 'call')),
  assignment_id  uuid,
  officer_id     uuid REFERENCES officers,
  department     text REFERENCES departments,
  handler_id     uuid REFERENCES users,
  reported_by    text NOT NULL,                  -- caller: user:…, key:…, camera:…
  merged_into    uuid REFERENCES cases,
  extensions     integer NOT NULL DEFAULT 0 CHECK (extensions BETWEEN 0 AND 2),
  due_at         timestamptz,                    -- of the handling clock; NULL until it runs
  route_again_at timestamptz,                    -- when the reconciler sends it to routing again
  occurred_at    timestamptz NOT NULL,
  reported_at    timestamptz NOT NULL,
  filed_at       timestamptz,
  closed_at      timestamptz,
  updated_at     timestamptz NOT NULL,
  seen_by        text[] NOT NULL,                -- scope keys, see "Who sees what"
  head           bytea NOT NULL CHECK (length(head) = 32),   -- hash of its last history row
  suspended_until timestamptz,                   -- when the suspension ends by itself
  condition        text COLLATE "C",             -- which of the category's, if somebody has said
  management_level text CHECK (management_level IN ('A', 'B', 'C')),   -- of the cell, when it was placed
  held_by        text COLLATE "C",               -- level that it was referred up or handed down to; NULL: every level
  suspensions    integer NOT NULL DEFAULT 0,
  self_handled   boolean NOT NULL DEFAULT false, -- put right on the spot by the officer who found it
  sampled        boolean NOT NULL DEFAULT false, -- to be looked at again, by the rule of docs/rules/self-handling.md
  returned_by    text,                           -- officer:<id> or department:<code> that gave it back, until sent on
  late           boolean NOT NULL DEFAULT false, -- in this cycle: its handling limit passed before it was handed in
  appeal         text CHECK (appeal IN ('open', 'granted', 'refused')),
  checker_id     uuid REFERENCES officers,       -- who was sent to look at it, until he has
  order_id       uuid,                           -- the supervision order that waits for its reply
  square         bigint GENERATED ALWAYS AS (    -- of a thousandth of a degree: what may be the same lies in it or beside
    (floor(ST_X(place) * 1000) * 1000000 + floor(ST_Y(place) * 1000))::bigint) STORED,
  component      text COLLATE "C" REFERENCES components,     -- the thing it is about, where the report named one
  attributes     jsonb NOT NULL DEFAULT '{}',    -- of its category's, by name: what is known of them
  co_departments text[] NOT NULL DEFAULT '{}',   -- that have or had a part of it: they see it
  co_open        text[] NOT NULL DEFAULT '{}',   -- those of them whose part is open
  cause_id       uuid REFERENCES cases,          -- the case that it is an effect of
  had_effects    boolean NOT NULL DEFAULT false, -- another case was linked to it, at some time
  exercise       boolean NOT NULL DEFAULT false, -- 演练: rings and runs like any other, and counts nowhere
  check_again_at timestamptz,                    -- when the service tries again to send somebody; NULL: no check is wanted
  check_unmanned boolean NOT NULL DEFAULT false, -- nobody could be sent, and the desk was told
  call_id        uuid,                           -- the call that rings for it
  call_for       text CHECK (call_for IN ('owner', 'first_on_scene')),
  called         uuid[] NOT NULL DEFAULT '{}',   -- officers with whom it rings
  responder_id   uuid REFERENCES officers,       -- who was called to be first on the scene, and accepted
  desk_path      text[] NOT NULL DEFAULT '{}',   -- down to the division whose desk holds it while the place is unknown
  lost_in        integer REFERENCES grid_sets,   -- a set in force that has no cell for its place: it keeps its own
  FOREIGN KEY (edition, category) REFERENCES categories,
  FOREIGN KEY (edition, category, condition) REFERENCES category_conditions,
  CONSTRAINT open_has_one_owner_or_stands_in_a_pool CHECK (
    CASE WHEN state IN ('closed', 'rejected', 'cancelled', 'merged') THEN pool IS NULL
         ELSE num_nonnulls(assignment_id, pool) = 1 END),
  CONSTRAINT filed_has_a_number CHECK (state IN ('reported', 'rejected', 'cancelled', 'merged') OR number IS NOT NULL),
  CONSTRAINT owned_where_it_lies CHECK (state IN ('reported', 'rejected', 'cancelled', 'merged') OR cell_code IS NOT NULL),
  CONSTRAINT assigned_means_owned CHECK (state NOT IN ('assigned', 'accepted', 'in_progress', 'handled')
                                         OR num_nonnulls(officer_id, department) >= 1),
  CONSTRAINT cell_names_its_set CHECK (num_nulls(cell_code, grid_set_id, cell_method, division_code) IN (0, 4)),
  CONSTRAINT merged_names_the_other CHECK ((state = 'merged') = (merged_into IS NOT NULL)),
  CONSTRAINT closed_says_when CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
  CONSTRAINT suspended_has_an_end CHECK (suspended = (suspended_until IS NOT NULL)),
  CONSTRAINT held_by_a_level_above_it CHECK (held_by IS NULL OR held_by = ANY (divisions)),
  CONSTRAINT suspended_once CHECK (suspensions BETWEEN 0 AND 1),
  CONSTRAINT sampled_of_the_self_handled CHECK (self_handled OR NOT sampled),
  CONSTRAINT only_late_is_appealed CHECK (late OR appeal IS NULL),
  CONSTRAINT an_open_part_is_a_part CHECK (co_open <@ co_departments),
  CONSTRAINT the_lead_has_no_part CHECK (NOT department = ANY (co_open)),
  CONSTRAINT not_its_own_cause CHECK (cause_id <> id),
  CONSTRAINT an_effect_waits_or_was_handled_with_its_cause CHECK (
    CASE WHEN pool = 'cause' THEN cause_id IS NOT NULL
         ELSE cause_id IS NULL OR state IN ('handled', 'closed') END),
  CONSTRAINT a_check_is_wanted_or_out CHECK (
    check_again_at IS NULL OR (checker_id IS NULL AND state IN ('reported', 'handled', 'closed'))),
  CONSTRAINT unmanned_is_tried_again CHECK (check_again_at IS NOT NULL OR NOT check_unmanned),
  CONSTRAINT a_call_rings_for_something CHECK ((call_id IS NULL) = (call_for IS NULL)),
  CONSTRAINT only_a_call_has_called CHECK (call_id IS NOT NULL OR called = '{}'),
  CONSTRAINT rings_in_the_pool CHECK (pool IS DISTINCT FROM 'call' OR call_for = 'owner')
);
CREATE INDEX cases_updated ON cases (updated_at, id);
CREATE INDEX cases_seen_by ON cases USING gin (seen_by);
CREATE INDEX cases_open_due ON cases (due_at) WHERE state NOT IN ('closed', 'rejected', 'cancelled', 'merged');
CREATE INDEX cases_place ON cases USING gist (place);
CREATE INDEX cases_cell ON cases (cell_code);
CREATE INDEX cases_component ON cases (component, id) WHERE component IS NOT NULL;
CREATE INDEX cases_to_route ON cases (route_again_at) WHERE route_again_at IS NOT NULL;
CREATE INDEX cases_to_check ON cases (check_again_at) WHERE check_again_at IS NOT NULL;
-- Every emergency that is open, so that its rungs go before a backlog.
CREATE INDEX cases_emergencies ON cases (id)
  WHERE severity = 'emergency' AND state NOT IN ('closed', 'rejected', 'cancelled', 'merged');
CREATE INDEX cases_suspended ON cases (suspended_until) WHERE suspended_until IS NOT NULL;
CREATE INDEX cases_alike ON cases (square, category, reported_at);
CREATE INDEX cases_merged ON cases (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX cases_cause ON cases (cause_id) WHERE cause_id IS NOT NULL;
CREATE INDEX cases_to_follow ON cases (grid_set_id)
  WHERE cell_code IS NOT NULL AND state NOT IN ('closed', 'rejected', 'cancelled', 'merged');
CREATE INDEX cases_officer_open ON cases (officer_id)
  WHERE state IN ('assigned', 'accepted', 'in_progress');

-- How many cases there are in each cell, for maps from afar; by who may see them: the area keys of their seen_by.
CREATE TABLE case_audiences (
  id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest text COLLATE "C" NOT NULL UNIQUE,     -- of the keys: they may be too long for an index
  keys   text[] NOT NULL
);
CREATE INDEX case_audiences_keys ON case_audiences USING gin (keys);

CREATE TABLE cell_counts (
  cell_code     text COLLATE "C" NOT NULL,
  division_code text COLLATE "C" NOT NULL,
  audience_id   integer NOT NULL REFERENCES case_audiences,
  cases         integer NOT NULL,
  PRIMARY KEY (cell_code, division_code, audience_id)
);
CREATE INDEX cell_counts_division ON cell_counts (division_code);

-- The same by division; an audience tells the divisions above it, except where a level holds a case for itself.
CREATE TABLE division_counts (
  division_code text COLLATE "C" NOT NULL,
  audience_id   integer NOT NULL REFERENCES case_audiences,
  divisions     text[] NOT NULL,               -- from the top down to division_code
  cases         integer NOT NULL,
  PRIMARY KEY (division_code, audience_id)
);

-- What has changed and is not counted yet: no writer waits for another's counter. The reconciler adds it up.
CREATE TABLE case_count_changes (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  cell_code text COLLATE "C" NOT NULL,
  divisions text[] NOT NULL,
  keys      text[] NOT NULL,
  cases     integer NOT NULL
);

CREATE FUNCTION case_area_keys(seen_by text[], divisions text[]) RETURNS text[]
  LANGUAGE sql IMMUTABLE
  RETURN ARRAY(SELECT key FROM unnest(seen_by) AS key WHERE split_part(key, '/', 1) = ANY (divisions));

-- An exercise counts nowhere.
CREATE FUNCTION count_case() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
  is_now text[] := case_area_keys(NEW.seen_by, NEW.divisions);
  was text[];
BEGIN
  IF TG_OP = 'UPDATE' THEN
    was := case_area_keys(OLD.seen_by, OLD.divisions);
    IF was = is_now AND OLD.divisions = NEW.divisions AND OLD.exercise = NEW.exercise
       AND OLD.cell_code IS NOT DISTINCT FROM NEW.cell_code THEN
      RETURN NULL;
    END IF;
    IF OLD.cell_code IS NOT NULL AND NOT OLD.exercise THEN
      INSERT INTO case_count_changes (cell_code, divisions, keys, cases) VALUES (OLD.cell_code, OLD.divisions, was, -1);
    END IF;
  END IF;
  IF NEW.cell_code IS NOT NULL AND NOT NEW.exercise THEN
    INSERT INTO case_count_changes (cell_code, divisions, keys, cases) VALUES (NEW.cell_code, NEW.divisions, is_now, 1);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER count_case AFTER INSERT ON cases
  FOR EACH ROW WHEN (NEW.cell_code IS NOT NULL) EXECUTE FUNCTION count_case();
CREATE TRIGGER count_case_again AFTER UPDATE ON cases
  FOR EACH ROW WHEN (OLD.seen_by IS DISTINCT FROM NEW.seen_by OR OLD.cell_code IS DISTINCT FROM NEW.cell_code
                     OR OLD.divisions IS DISTINCT FROM NEW.divisions OR OLD.exercise IS DISTINCT FROM NEW.exercise)
  EXECUTE FUNCTION count_case();

CREATE TABLE reports (
  id                uuid PRIMARY KEY,
  acceptance_number text NOT NULL UNIQUE,
  case_id           uuid NOT NULL REFERENCES cases,
  source            text NOT NULL,
  reported_by       text NOT NULL,
  edition           text NOT NULL,
  category          text COLLATE "C" NOT NULL,
  description       text NOT NULL,
  address           text NOT NULL DEFAULT '',
  place             geometry(Point, 4326),
  claimed_lon       double precision,            -- as the caller wrote it, in claimed_datum
  claimed_lat       double precision,
  claimed_datum     text CHECK (claimed_datum IN ('wgs84', 'cgcs2000', 'gcj02', 'bd09')),
  accuracy_m        double precision,
  occurred_at       timestamptz NOT NULL,
  received_at       timestamptz NOT NULL,
  component         text COLLATE "C" REFERENCES components,
  component_distance_m double precision,         -- from the reported place to the surveyed one
  attributes        jsonb NOT NULL DEFAULT '{}', -- of its category's, by name: what this report said
  CONSTRAINT whole_claim CHECK (num_nulls(place, claimed_lon, claimed_lat, claimed_datum) IN (0, 4))
);
CREATE INDEX reports_case ON reports (case_id);

-- Who reported, apart from what was reported: shown masked, opened with a logged reason.
CREATE TABLE reporters (
  report_id uuid PRIMARY KEY REFERENCES reports ON DELETE CASCADE,
  name      text NOT NULL DEFAULT '',
  phone     text NOT NULL DEFAULT ''
);

CREATE TABLE reporter_openings (
  id        uuid PRIMARY KEY,
  report_id uuid NOT NULL REFERENCES reports,
  opened_by uuid NOT NULL REFERENCES users,
  reason    text NOT NULL CHECK (length(reason) >= 4),
  opened_at timestamptz NOT NULL
);

-- Append-only, chained per case: each row hashes the one before it (gridsvc/domain/history.py).
CREATE TABLE history (
  case_id    uuid NOT NULL REFERENCES cases,
  version    integer NOT NULL,
  move       text NOT NULL,
  from_state text,
  to_state   text NOT NULL,
  actor      text NOT NULL,                      -- user:…, key:…, worker:…
  at         timestamptz NOT NULL,
  facts      jsonb NOT NULL,
  before     bytea NOT NULL,                     -- hash of the row before; 32 zero bytes at version 1
  hash       bytea NOT NULL,
  PRIMARY KEY (case_id, version),
  CONSTRAINT hashes_are_sha256 CHECK (length(before) = 32 AND length(hash) = 32)
);
CREATE INDEX history_at ON history (at);

-- Once a day the last hash of every case touched is folded into one and signed.
CREATE TABLE history_heads (
  day       date PRIMARY KEY,
  rows      bigint NOT NULL,
  digest    bytea NOT NULL,
  signature bytea NOT NULL,
  signed_at timestamptz NOT NULL
);

CREATE TABLE assignments (
  id          uuid PRIMARY KEY,
  case_id     uuid NOT NULL REFERENCES cases,
  cycle       integer NOT NULL,
  officer_id  uuid REFERENCES officers,
  department  text REFERENCES departments,
  rule        text NOT NULL,                     -- which rule chose, or 'by_hand'
  edition     integer NOT NULL,                  -- of the rules
  reasons     jsonb NOT NULL,                    -- inputs, candidates, why each lost
  assigned_by text NOT NULL,
  assigned_at timestamptz NOT NULL,
  ended_at    timestamptz,
  ended_why   text,
  CONSTRAINT somebody_owns CHECK (num_nonnulls(officer_id, department) >= 1),
  CONSTRAINT ended_says_why CHECK ((ended_at IS NULL) = (ended_why IS NULL))
);
CREATE UNIQUE INDEX one_current_assignment ON assignments (case_id) WHERE ended_at IS NULL;
CREATE INDEX assignments_case ON assignments (case_id);
CREATE INDEX assignments_officer ON assignments (officer_id, assigned_at) WHERE officer_id IS NOT NULL;

-- Append-only: what no other table than the history tells of a cycle once the next one runs, and evaluation counts.
CREATE TABLE case_marks (
  case_id       uuid NOT NULL REFERENCES cases,
  version       integer NOT NULL,                -- of the history row that says the rest
  cycle         integer NOT NULL,                -- in which it happened
  mark          text NOT NULL CHECK (mark IN ('reworked', 'extended', 'suspended', 'appealed', 'granted', 'reopened',
                                              'undone')),   -- takes back the mark of the version before
  at            timestamptz NOT NULL,
  assignment_id uuid REFERENCES assignments,     -- who had the case, or had it last
  PRIMARY KEY (case_id, version)
);
CREATE INDEX case_marks_at ON case_marks (at);

-- An officer is sent to look before a case is filed or closed, or again after it was (核实、核查、复核). Ended without
-- a result: called off.
CREATE TABLE checks (
  id         uuid PRIMARY KEY,
  case_id    uuid NOT NULL REFERENCES cases,
  cycle      integer NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('pre_filing_check', 'closing_check', 're_check')),
  officer_id uuid NOT NULL REFERENCES officers,
  rule       text NOT NULL,                      -- nearest, of_the_beat or by_hand
  reasons    jsonb NOT NULL,                     -- who else was weighed, and why not
  note       text NOT NULL,
  sent_by    text NOT NULL,
  sent_at    timestamptz NOT NULL,
  due_at     timestamptz NOT NULL,
  ended_at   timestamptz,
  result     text,
  CONSTRAINT a_result_ends_it CHECK (result IS NULL OR ended_at IS NOT NULL)
);
CREATE UNIQUE INDEX one_open_check ON checks (case_id) WHERE ended_at IS NULL;
CREATE INDEX checks_case ON checks (case_id);
CREATE INDEX checks_officer ON checks (officer_id) WHERE ended_at IS NULL;

-- Supervision orders (督办). Ended without a reply: the case was over first.
CREATE TABLE supervision_orders (
  id         uuid PRIMARY KEY,
  case_id    uuid NOT NULL REFERENCES cases,
  cycle      integer NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('important', 'timeout', 'leader')),
  level      text NOT NULL CHECK (level IN ('ordinary', 'pressing', 'urgent')),
  reason     text NOT NULL,
  wanted     text NOT NULL,                      -- which reply is wanted
  ordered_by text NOT NULL,
  ordered_at timestamptz NOT NULL,
  due_at     timestamptz NOT NULL,
  ended_at   timestamptz,
  reply      text,
  replied_by text,
  CONSTRAINT a_reply_has_its_author CHECK ((reply IS NULL) = (replied_by IS NULL)),
  CONSTRAINT a_reply_ends_it CHECK (reply IS NULL OR ended_at IS NOT NULL)
);
CREATE UNIQUE INDEX one_open_order ON supervision_orders (case_id) WHERE ended_at IS NULL;
CREATE INDEX supervision_orders_case ON supervision_orders (case_id);

-- Co-handling (协办): a part of a case that a further department does, with a clock of its own.
CREATE TABLE co_handlings (
  id          uuid PRIMARY KEY,
  case_id     uuid NOT NULL REFERENCES cases,
  cycle       integer NOT NULL,
  department  text NOT NULL REFERENCES departments,
  wanted      text NOT NULL,                     -- what it is to do
  asked_by    text NOT NULL,
  asked_at    timestamptz NOT NULL,
  ended_at    timestamptz,
  ended_by    text,
  result      text CHECK (result IN ('done', 'declined', 'called_off')),
  reason_code text,                              -- of a part that was declined
  reply       text,                              -- what was done, or why not
  before      uuid[] NOT NULL DEFAULT '{}',      -- attachments: from before the work, and from after it
  evidence    uuid[] NOT NULL DEFAULT '{}',
  late        boolean NOT NULL DEFAULT false,    -- its own limit passed before it ended; the case's lateness is the lead's
  CONSTRAINT an_end_is_whole CHECK (num_nulls(ended_at, ended_by, result) IN (0, 3))
);
CREATE UNIQUE INDEX one_open_part_of_a_department ON co_handlings (case_id, department) WHERE ended_at IS NULL;
CREATE INDEX co_handlings_case ON co_handlings (case_id);
CREATE INDEX co_handlings_open ON co_handlings (department) WHERE ended_at IS NULL;
-- An emergency rings with the nearest officers until one of them accepts, or somebody takes it in hand.
CREATE TABLE calls (
  id            uuid PRIMARY KEY,
  case_id       uuid NOT NULL REFERENCES cases,
  cycle         integer NOT NULL,
  wanted        text NOT NULL CHECK (wanted IN ('owner', 'first_on_scene')),
  round         integer NOT NULL CHECK (round >= 1),
  started_at    timestamptz NOT NULL,
  next_round_at timestamptz NOT NULL,
  answered_by   uuid REFERENCES officers,
  ended_at      timestamptz,
  ended_why     text,                           -- answered, or the move that ended it
  CONSTRAINT a_call_ended_says_why CHECK ((ended_at IS NULL) = (ended_why IS NULL)),
  CONSTRAINT an_answer_ends_it CHECK (answered_by IS NULL OR ended_at IS NOT NULL)
);
CREATE UNIQUE INDEX one_open_call ON calls (case_id) WHERE ended_at IS NULL;
CREATE INDEX calls_case ON calls (case_id);
CREATE INDEX calls_to_widen ON calls (next_round_at) WHERE ended_at IS NULL;

-- Append-only: each round of a call, once.
CREATE TABLE call_widenings (
  call_id      uuid NOT NULL REFERENCES calls,
  case_id      uuid NOT NULL REFERENCES cases,
  round        integer NOT NULL,
  scheduled_at timestamptz NOT NULL,
  fired_at     timestamptz NOT NULL,
  officers     integer NOT NULL,                -- who were called in it
  PRIMARY KEY (call_id, round),
  CONSTRAINT no_round_early CHECK (fired_at >= scheduled_at)
);

-- Who was called, from how far, and what they said.
CREATE TABLE called (
  call_id        uuid NOT NULL REFERENCES calls,
  case_id        uuid NOT NULL REFERENCES cases,
  officer_id     uuid NOT NULL REFERENCES officers,
  round          integer NOT NULL,              -- the one in which he was called first
  because        text NOT NULL,                 -- near, of_the_beat or in_the_district
  distance_m     double precision,
  position_age_s double precision,
  called_at      timestamptz NOT NULL,
  rung_at        timestamptz NOT NULL,          -- called the last time
  rung           integer NOT NULL DEFAULT 1,    -- how often
  answer         text CHECK (answer IN ('accepted', 'declined')),
  answered_at    timestamptz,
  reason_code    text,
  PRIMARY KEY (call_id, officer_id),
  CONSTRAINT an_answer_has_its_time CHECK ((answer IS NULL) = (answered_at IS NULL))
);
CREATE UNIQUE INDEX one_accepts ON called (call_id) WHERE answer = 'accepted';
CREATE INDEX called_case ON called (case_id);
CREATE INDEX called_officer ON called (officer_id, called_at);

-- ---------------------------------------------------------------------------------------------
-- Clocks and escalation
-- ---------------------------------------------------------------------------------------------

CREATE TABLE clocks (
  id             uuid PRIMARY KEY,
  case_id        uuid NOT NULL REFERENCES cases,
  cycle          integer NOT NULL,
  kind           text NOT NULL CHECK (kind IN ('filing', 'dispatch', 'pool', 'acknowledge', 'handling', 'checking',
                                               'on_site', 'supervision', 'co_handling', 'call', 'call_back',
                                               'stop_it')),
  ladder         text NOT NULL,
  unit           text NOT NULL CHECK (unit IN ('natural', 'work', 'work_day')),
  budget_seconds integer NOT NULL CHECK (budget_seconds > 0),
  calendar       text REFERENCES calendars,
  edition        integer,                        -- of the calendar, at the last computation
  state          text NOT NULL CHECK (state IN ('running', 'paused', 'stopped')),
  started_at     timestamptz NOT NULL,
  stopped_at     timestamptz,
  due_at         timestamptz NOT NULL,
  provisional    boolean NOT NULL DEFAULT false, -- crosses into a year whose days off nobody has published
  fired_level    integer NOT NULL DEFAULT 0,
  next_level     integer,
  next_fire_at   timestamptz,
  co_handling_id uuid REFERENCES co_handlings,   -- the part whose clock it is
  ladder_edition integer NOT NULL DEFAULT 1,
  rung_calendar  text REFERENCES calendars,      -- of a natural clock whose rungs wait in working time
  rung_at        timestamptz,                    -- when the last rung fired
  plain_due_at   timestamptz,                    -- when it was due had no outage been; NULL: none moved it
  judged_at      timestamptz,                    -- when what stopped it was done; NULL: when it stopped
  CONSTRAINT work_needs_a_calendar CHECK ((unit <> 'natural') = (calendar IS NOT NULL)),
  CONSTRAINT stopped_says_when CHECK ((state = 'stopped') = (stopped_at IS NOT NULL)),
  CONSTRAINT only_running_fires CHECK (state = 'running' OR next_fire_at IS NULL),
  CONSTRAINT next_is_whole CHECK ((next_level IS NULL) = (next_fire_at IS NULL) OR state = 'paused'),
  CONSTRAINT a_clock_of_a_part_names_it CHECK ((kind = 'co_handling') = (co_handling_id IS NOT NULL)),
  CONSTRAINT judged_while_it_ran CHECK (judged_at >= started_at AND judged_at <= stopped_at)
);
CREATE INDEX clocks_case ON clocks (case_id);
CREATE INDEX clocks_to_fire ON clocks (next_fire_at) WHERE next_fire_at IS NOT NULL;
-- Several may be asked of one case at once, each with a clock of its own.
CREATE UNIQUE INDEX one_live_clock_of_a_kind ON clocks (case_id, kind)
  WHERE state <> 'stopped' AND kind NOT IN ('co_handling', 'call_back');
CREATE UNIQUE INDEX one_clock_of_a_part ON clocks (co_handling_id);
CREATE INDEX clocks_by_edition ON clocks (calendar, edition) WHERE state <> 'stopped' AND calendar IS NOT NULL;
CREATE INDEX clocks_provisional ON clocks (calendar) WHERE provisional AND state <> 'stopped';
CREATE INDEX clocks_by_ladders ON clocks (ladder_edition) WHERE state <> 'stopped';
CREATE INDEX clocks_by_rung_calendar ON clocks (rung_calendar, edition)
  WHERE state <> 'stopped' AND rung_calendar IS NOT NULL;

CREATE TABLE clock_pauses (
  clock_id uuid NOT NULL REFERENCES clocks,
  from_at  timestamptz NOT NULL,
  to_at    timestamptz,
  reason   text NOT NULL,
  PRIMARY KEY (clock_id, from_at),
  CONSTRAINT forward CHECK (to_at >= from_at)
);

-- Ended without a result: called off, because the case runs again.
CREATE TABLE call_backs (
  id            uuid PRIMARY KEY,
  case_id       uuid NOT NULL REFERENCES cases,
  cycle         integer NOT NULL,
  report_id     uuid NOT NULL REFERENCES reports,
  clock_id      uuid NOT NULL REFERENCES clocks,
  level         text NOT NULL CHECK (level IN ('district', 'city')),
  division_code text COLLATE "C" NOT NULL,       -- whose desk calls
  asked_by      text[] NOT NULL,                 -- scope keys of the desks that may
  opened_at     timestamptz NOT NULL,
  tries         timestamptz[] NOT NULL DEFAULT '{}',   -- that counted, without an answer
  ended_at      timestamptz,
  result        text CHECK (result IN ('solved', 'not_solved', 'unreachable', 'no_wish')),
  satisfaction  integer CHECK (satisfaction BETWEEN 1 AND 5),
  note          text NOT NULL DEFAULT '',
  made_by       text,
  CONSTRAINT a_result_ends_it CHECK (result IS NULL OR ended_at IS NOT NULL),
  CONSTRAINT a_result_has_its_author CHECK ((result IS NULL) = (made_by IS NULL)),
  CONSTRAINT who_answers_is_content_or_not CHECK (satisfaction IS NULL OR result IN ('solved', 'not_solved'))
);
CREATE UNIQUE INDEX one_open_call_back ON call_backs (report_id) WHERE ended_at IS NULL;
CREATE INDEX call_backs_case ON call_backs (case_id);
CREATE INDEX call_backs_to_make ON call_backs USING gin (asked_by) WHERE ended_at IS NULL;

-- One move on many cases, and what each was like before, so that it can be undone.
CREATE TABLE bulk_moves (
  id      uuid PRIMARY KEY,
  move    text NOT NULL,
  made_by text NOT NULL,
  made_at timestamptz NOT NULL
);
CREATE TABLE bulk_items (
  bulk_id        uuid NOT NULL REFERENCES bulk_moves,
  case_id        uuid NOT NULL REFERENCES cases,
  version        integer NOT NULL,               -- that the move made of it
  state          text NOT NULL,                  -- this and what follows: before the move
  pool           text,
  officer_id     uuid REFERENCES officers,
  department     text REFERENCES departments,
  handler_id     uuid REFERENCES users,
  budget_seconds integer,                        -- of the handling clock; NULL: none ran
  undone_version integer,                        -- that the undoing made of it; NULL: not undone
  undone_by      text,
  undone_at      timestamptz,
  PRIMARY KEY (bulk_id, case_id),
  CONSTRAINT undone_is_whole CHECK ((undone_version IS NULL) = (undone_at IS NULL)
                                    AND (undone_version IS NULL) = (undone_by IS NULL))
);
CREATE INDEX bulk_items_case ON bulk_items (case_id);

-- What a new edition of its calendar made of a clock that was open.
CREATE TABLE clock_changes (
  clock_id           uuid NOT NULL REFERENCES clocks,
  edition            integer NOT NULL,
  before_edition     integer NOT NULL,
  changed_at         timestamptz NOT NULL,
  due_at             timestamptz NOT NULL,
  before_due_at      timestamptz NOT NULL,
  provisional        boolean NOT NULL,
  before_provisional boolean NOT NULL,
  PRIMARY KEY (clock_id, edition),
  CONSTRAINT forward CHECK (edition > before_edition)
);

-- A part of the city could not work (停机申报). It counts once another person has approved it.
CREATE TABLE outages (
  id               uuid PRIMARY KEY,
  version          integer NOT NULL,
  state            text NOT NULL CHECK (state IN ('declared', 'approved', 'refused', 'withdrawn')),
  reason           text NOT NULL,
  words            text NOT NULL,
  division_code    text COLLATE "C",             -- NULL: the whole city
  duty_line        text REFERENCES duty_lines,
  department       text REFERENCES departments,
  kinds            text[] NOT NULL,              -- of clocks; none: all
  also_emergencies boolean NOT NULL,
  from_at          timestamptz NOT NULL,
  until_at         timestamptz,                  -- NULL: nobody knows yet
  declared_by      text NOT NULL,
  declared_at      timestamptz NOT NULL,
  approved_by      text,
  pass_at          timestamptz,                  -- when the sweeper next goes through the clocks
  pass_after       uuid,                         -- how far it has come: the last case
  looked_at        timestamptz,                  -- until when new clocks were looked for
  CONSTRAINT an_outage_lasts CHECK (until_at > from_at),
  CONSTRAINT approved_says_by_whom CHECK (state <> 'approved' OR approved_by IS NOT NULL),
  CONSTRAINT another_approves CHECK (approved_by <> declared_by)
);
CREATE INDEX outages_to_pass ON outages (pass_at) WHERE pass_at IS NOT NULL;
CREATE INDEX outages_by_day ON outages (declared_at DESC, id DESC);

-- Who did what with an outage, and what was said.
CREATE TABLE outage_steps (
  outage_id uuid NOT NULL REFERENCES outages,
  version   integer NOT NULL,
  step      text NOT NULL CHECK (step IN ('declare', 'approve', 'refuse', 'end', 'withdraw')),
  made_by   text NOT NULL,
  made_at   timestamptz NOT NULL,
  until_at  timestamptz,
  note      text NOT NULL,
  PRIMARY KEY (outage_id, version)
);

-- When a clock stood still because of an outage: a pause like those of `clock_pauses`.
CREATE TABLE clock_outages (
  clock_id  uuid NOT NULL REFERENCES clocks,
  outage_id uuid NOT NULL REFERENCES outages,
  from_at   timestamptz NOT NULL,
  to_at     timestamptz,
  PRIMARY KEY (clock_id, outage_id),
  CONSTRAINT forward CHECK (to_at >= from_at)
);
CREATE INDEX clock_outages_outage ON clock_outages (outage_id);
CREATE INDEX clock_outages_open ON clock_outages (clock_id) WHERE to_at IS NULL;

-- What an outage made of the deadline of a clock, each time it did.
CREATE TABLE outage_changes (
  clock_id      uuid NOT NULL REFERENCES clocks,
  outage_id     uuid NOT NULL REFERENCES outages,
  changed_at    timestamptz NOT NULL,
  what          text NOT NULL CHECK (what IN ('stands', 'moved', 'taken_back')),
  due_at        timestamptz NOT NULL,
  before_due_at timestamptz NOT NULL,
  PRIMARY KEY (clock_id, outage_id, changed_at)
);

-- Each rung once, whatever restarts, clocks or number of workers: the key says so.
CREATE TABLE escalations (
  case_id      uuid NOT NULL REFERENCES cases,
  clock_id     uuid NOT NULL REFERENCES clocks,
  cycle        integer NOT NULL,
  level        integer NOT NULL,
  effect       text NOT NULL,
  scheduled_at timestamptz NOT NULL,
  fired_at     timestamptz NOT NULL,
  ladder         text,                           -- NULL: fired before ladders had editions
  ladder_edition integer,
  PRIMARY KEY (case_id, clock_id, cycle, level),
  CONSTRAINT never_early CHECK (fired_at >= scheduled_at)
);

-- How late rungs fired, added up. By slot, so that sweepers do not wait for each other.
CREATE TABLE rung_lags (
  slot         integer NOT NULL,
  most_seconds double precision NOT NULL,        -- the upper border of the bucket
  fired        bigint NOT NULL,
  lag_seconds  double precision NOT NULL,        -- the sum
  PRIMARY KEY (slot, most_seconds)
);

-- ---------------------------------------------------------------------------------------------
-- News: what leaves with the commit, what was heard, what must be told to whom
-- ---------------------------------------------------------------------------------------------

CREATE TABLE outbox (
  seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id     uuid NOT NULL UNIQUE,
  type         text NOT NULL,
  case_id      uuid,
  body         text NOT NULL,                    -- the bytes that go out: JSON, CloudEvents 1.0
  created_at   timestamptz NOT NULL,
  available_at timestamptz NOT NULL,             -- end of a lease, or time of the next attempt
  attempts     integer NOT NULL DEFAULT 0,
  last_error   text
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
CREATE INDEX outbox_available ON outbox (available_at, seq);

CREATE TABLE inbox (
  queue    text NOT NULL,
  event_id uuid NOT NULL,
  heard_at timestamptz NOT NULL,
  PRIMARY KEY (queue, event_id)
);
CREATE INDEX inbox_heard ON inbox (heard_at);

-- Messages whose action failed: tried again by row, never by requeueing; dead after the last attempt.
CREATE TABLE failures (
  queue           text NOT NULL,
  event_id        uuid NOT NULL,
  type            text NOT NULL,
  body            text NOT NULL,
  attempts        integer NOT NULL,
  next_attempt_at timestamptz,                   -- NULL: dead
  last_error      text NOT NULL,
  first_failed_at timestamptz NOT NULL,
  PRIMARY KEY (queue, event_id)
);
CREATE INDEX failures_due ON failures (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

CREATE TABLE notices (
  id              uuid PRIMARY KEY,
  seq             bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  user_id         uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  event_id        uuid NOT NULL,
  case_id         uuid REFERENCES cases,
  kind            text NOT NULL,
  body            jsonb NOT NULL,
  created_at      timestamptz NOT NULL,
  acknowledged_at timestamptz,
  -- What a digest gathers stays a notice of its own; who is told of the digest is told of all in it.
  digest_id       uuid REFERENCES notices ON DELETE CASCADE,
  held_until      timestamptz,                   -- of a digest that waits for the end of quiet hours
  told_at         timestamptz,                   -- NULL: waits, or told when it was made
  UNIQUE (user_id, event_id, kind),
  CONSTRAINT a_digest_is_in_none CHECK (digest_id IS NULL OR (kind <> 'digest' AND held_until IS NULL)),
  CONSTRAINT only_digests_wait CHECK (held_until IS NULL OR (kind = 'digest' AND told_at IS NULL))
);
CREATE INDEX notices_waiting ON notices (user_id, seq) WHERE acknowledged_at IS NULL AND digest_id IS NULL;
CREATE INDEX notices_open_digests ON notices (user_id, seq) WHERE acknowledged_at IS NULL AND kind = 'digest';
CREATE INDEX notices_held ON notices (held_until) WHERE held_until IS NOT NULL AND acknowledged_at IS NULL;
CREATE INDEX notices_of_digest ON notices (digest_id, seq) WHERE digest_id IS NOT NULL;
CREATE INDEX notices_recent ON notices (user_id, created_at) WHERE kind IN ('case.escalated', 'case.reminded');

-- Ways to a person beside the app, in the order in which they are tried; what is secret is sealed.
CREATE TABLE channels (
  code           text COLLATE "C" PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{1,30}$' AND code <> 'app'),
  place          integer NOT NULL CHECK (place > 0),
  url            text NOT NULL,
  template       text NOT NULL,                  -- JSON with named fields
  headers_sealed bytea,                          -- JSON: name to value
  secret_sealed  bytea,                          -- signs what is sent (Standard Webhooks)
  failures       integer NOT NULL DEFAULT 0,     -- in a row
  rests_until    timestamptz,                    -- it failed too often: others are tried meanwhile
  CONSTRAINT push_has_its_key CHECK (code <> 'push' OR (url = '' AND secret_sealed IS NOT NULL))
);
CREATE TABLE channel_addresses (
  user_id        uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  channel        text COLLATE "C" NOT NULL REFERENCES channels ON DELETE CASCADE,
  address_sealed bytea NOT NULL,
  masked         text NOT NULL,
  set_at         timestamptz NOT NULL,
  PRIMARY KEY (user_id, channel)
);
-- Which notices go on when nobody acknowledges them; the first that fits. No kinds, no severities: all.
CREATE TABLE reach_rules (
  number     integer PRIMARY KEY,
  kinds      text[] NOT NULL,
  severities text[] NOT NULL,
  urgent     boolean NOT NULL,
  after_s    integer NOT NULL CHECK (after_s BETWEEN 10 AND 86400)
);
CREATE TABLE reachings (
  notice_id uuid PRIMARY KEY REFERENCES notices ON DELETE CASCADE,
  after_s   integer NOT NULL,
  place     integer NOT NULL DEFAULT 0,          -- of the channel that was tried last; 0: the app
  next_at   timestamptz,
  state     text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'reached', 'over', 'not_reached')),
  ended_at  timestamptz,
  CONSTRAINT waits_until_it_ends CHECK ((state = 'waiting') = (next_at IS NOT NULL)
                                        AND (state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX reachings_due ON reachings (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX reachings_not_reached ON reachings (ended_at) WHERE state = 'not_reached';
-- One try of one channel is one row, however often it is sent: its id is the key by which a gateway knows it again.
CREATE TABLE channel_tries (
  id        uuid PRIMARY KEY,
  notice_id uuid NOT NULL REFERENCES reachings ON DELETE CASCADE,
  channel   text COLLATE "C" NOT NULL REFERENCES channels ON DELETE CASCADE,
  made_at   timestamptz NOT NULL,
  tries     integer NOT NULL DEFAULT 0,
  next_at   timestamptz,
  state     text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
  outcome   text NOT NULL DEFAULT '',            -- a status, or what kept it from being sent
  ended_at  timestamptz,
  UNIQUE (notice_id, channel),
  CONSTRAINT waits_until_it_is_sent CHECK ((state = 'waiting') = (next_at IS NOT NULL)
                                           AND (state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX channel_tries_due ON channel_tries (next_at) WHERE next_at IS NOT NULL;

-- ---------------------------------------------------------------------------------------------
-- Visits (走访): who or what is visited how often. A visit that is due is a case of its plan's category
-- ---------------------------------------------------------------------------------------------

-- The subject is a key of the city's own: what it means stands nowhere here. next_on NULL: the plan has ended.
CREATE TABLE visit_plans (
  id           uuid PRIMARY KEY,
  edition      text NOT NULL,
  category     text COLLATE "C" NOT NULL,
  subject      text COLLATE "C" NOT NULL CHECK (subject ~ '^[A-Z0-9][A-Z0-9-]{1,31}$' AND subject !~ '[0-9]{7}'),
  place        geometry(Point, 4326) NOT NULL,
  divisions    text[] NOT NULL,
  seen_by      text[] NOT NULL,                  -- keys as of a case that lies there
  every_count  integer NOT NULL CHECK (every_count BETWEEN 1 AND 366),
  every_unit   text NOT NULL CHECK (every_unit IN ('day', 'week', 'month')),
  first_on     date NOT NULL,
  working_days boolean NOT NULL,
  next_on      date,
  fault        text NOT NULL DEFAULT '',         -- why no case could be opened; it rests until it is imported anew
  entered_by   text NOT NULL,
  entered_at   timestamptz NOT NULL,
  FOREIGN KEY (edition, category) REFERENCES categories,
  UNIQUE (edition, category, subject)
);
CREATE INDEX visit_plans_due ON visit_plans (next_on) WHERE next_on IS NOT NULL AND fault = '';

-- The form (attributes of the category, a note) is sealed: it opens with a logged reason.
CREATE TABLE visits (
  id          uuid PRIMARY KEY,
  plan_id     uuid NOT NULL REFERENCES visit_plans,
  case_id     uuid NOT NULL UNIQUE REFERENCES cases,
  subject     text COLLATE "C" NOT NULL,
  due_on      date NOT NULL,
  opened_at   timestamptz NOT NULL,
  ended_at    timestamptz,
  visited_at  timestamptz,                       -- by the phone's word, bounded by opened_at and ended_at
  result      text CHECK (result IN ('made', 'trouble', 'not_met', 'refused', 'gone')),
  officer_id  uuid REFERENCES users,             -- who made it
  distance_m  double precision,                  -- how far from the place he stood, where he said so
  form_sealed bytea,
  CONSTRAINT a_result_is_whole CHECK (num_nulls(ended_at, visited_at, result, officer_id, form_sealed) IN (0, 5)),
  CONSTRAINT visited_while_open CHECK (visited_at BETWEEN opened_at AND ended_at)
);
CREATE INDEX visits_plan ON visits (plan_id);

CREATE TABLE visit_openings (
  id        uuid PRIMARY KEY,
  visit_id  uuid NOT NULL REFERENCES visits,
  opened_by uuid NOT NULL REFERENCES users,
  reason    text NOT NULL CHECK (length(reason) >= 4),
  opened_at timestamptz NOT NULL
);

-- ---------------------------------------------------------------------------------------------
-- Patrols (巡查): which cells of a beat are walked in which shift, and how often
-- ---------------------------------------------------------------------------------------------

CREATE TABLE patrol_plans (
  id         uuid PRIMARY KEY,
  code       text COLLATE "C" NOT NULL UNIQUE,
  duty_line  text NOT NULL REFERENCES duty_lines,
  beat_code  text COLLATE "C" NOT NULL,
  shifts     text NOT NULL,                      -- as a roster writes them: '1-5 08:00-12:00 14:00-18:00'
  cells      text[] NOT NULL,                    -- empty: all of the beat
  times      integer NOT NULL CHECK (times BETWEEN 1 AND 20),
  stay       interval NOT NULL CHECK (stay >= interval '0'),
  warn       interval NOT NULL CHECK (warn > interval '0'),   -- so long before the end what is open is told
  active     boolean NOT NULL,
  entered_by text NOT NULL,
  entered_at timestamptz NOT NULL
);

-- One shift of a plan, as it was when it began. Judged when it ends, and once more when late positions have come.
CREATE TABLE patrols (
  id         uuid PRIMARY KEY,
  plan_id    uuid NOT NULL REFERENCES patrol_plans,
  duty_line  text NOT NULL,
  beat_code  text COLLATE "C" NOT NULL,
  divisions  text[] NOT NULL,
  seen_by    text[] NOT NULL,                    -- keys as of a case that lies there
  from_at    timestamptz NOT NULL,
  until_at   timestamptz NOT NULL CHECK (until_at > from_at),
  warn_at    timestamptz NOT NULL,
  cells      text[] NOT NULL,
  times      integer NOT NULL,
  stay       interval NOT NULL,
  warned_at  timestamptz,
  judged_at  timestamptz,
  settled_at timestamptz,
  officers   uuid[] NOT NULL DEFAULT '{}',       -- of the beat, on duty in the shift
  UNIQUE (plan_id, from_at),
  CONSTRAINT settled_after_it_was_judged CHECK (settled_at IS NULL OR judged_at IS NOT NULL)
);
CREATE INDEX patrols_to_do ON patrols (until_at) WHERE settled_at IS NULL;
CREATE INDEX patrols_from ON patrols (from_at);

CREATE TABLE patrol_cells (
  patrol_id uuid NOT NULL REFERENCES patrols,
  cell_code text COLLATE "C" NOT NULL,
  state     text NOT NULL CHECK (state IN ('walked', 'unknown', 'missed')),
  times     integer NOT NULL,
  officers  uuid[] NOT NULL,                     -- who was there
  PRIMARY KEY (patrol_id, cell_code)
);

-- ---------------------------------------------------------------------------------------------
-- Photographs and files
-- ---------------------------------------------------------------------------------------------

CREATE TABLE attachments (
  id           uuid PRIMARY KEY,
  sha256       bytea NOT NULL CHECK (length(sha256) = 32),   -- of what is shown, names the stored file
  original     bytea NOT NULL CHECK (length(original) = 32), -- of what was sent
  media_type   text NOT NULL,
  size_bytes   integer NOT NULL,
  width        integer,
  height       integer,
  claimed_at   text,                             -- EXIF time as written: has no zone, proves nothing
  claimed_lon  double precision,
  claimed_lat  double precision,
  uploaded_by  text NOT NULL,
  uploaded_at  timestamptz NOT NULL,
  case_id      uuid REFERENCES cases,
  report_id    uuid REFERENCES reports,
  purpose      text CHECK (purpose IN ('report', 'before', 'after', 'note', 'check')),
  kind         text NOT NULL DEFAULT 'picture' CHECK (kind IN ('picture', 'sound')),
  told_at      timestamptz,                      -- what the sender said of time and place: proves nothing either
  told_lon     double precision,
  told_lat     double precision,
  look         bigint,                           -- what it looks like (gridsvc/domain/likeness.py); NULL: too plain
  compared_at  timestamptz,
  original_kept boolean NOT NULL DEFAULT false,  -- what was sent lies sealed in the store
  sweep_at     timestamptz,                      -- when its time to be kept is looked at
  removed_at   timestamptz,                      -- its file is gone: what is known of it stays with its case
  CONSTRAINT attached_says_what_for CHECK ((case_id IS NULL) = (purpose IS NULL)),
  CONSTRAINT told_place_is_whole CHECK ((told_lon IS NULL) = (told_lat IS NULL)),
  CONSTRAINT only_pictures_have_a_look CHECK (kind = 'picture' OR look IS NULL),
  CONSTRAINT removed_is_swept_no_more CHECK (removed_at IS NULL OR (sweep_at IS NULL AND NOT original_kept))
);
CREATE INDEX attachments_case ON attachments (case_id);
CREATE INDEX attachments_loose ON attachments (uploaded_by, uploaded_at) WHERE case_id IS NULL;
CREATE INDEX attachments_sweep ON attachments (sweep_at) WHERE sweep_at IS NOT NULL;
CREATE INDEX attachments_of_file ON attachments (sha256) WHERE removed_at IS NULL;
CREATE INDEX attachments_of_original ON attachments (original) WHERE original_kept;
CREATE INDEX attachments_to_compare ON attachments (uploaded_at)
  WHERE case_id IS NOT NULL AND compared_at IS NULL AND kind = 'picture';

-- How long attachments are kept. One row: the city's own.
CREATE TABLE attachment_rules (
  only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  loose_days    integer NOT NULL DEFAULT 7 CHECK (loose_days BETWEEN 1 AND 365),         -- of no case, since it came
  picture_days  integer NOT NULL DEFAULT 1095 CHECK (picture_days BETWEEN 1 AND 36500),  -- since its case is over
  sound_days    integer NOT NULL DEFAULT 365 CHECK (sound_days BETWEEN 1 AND 36500),
  original_days integer NOT NULL DEFAULT 90 CHECK (original_days BETWEEN 1 AND 36500)
);
INSERT INTO attachment_rules DEFAULT VALUES;

-- Every file of an attachment that may lie in the store: written before the file is, gone after it is.
CREATE TABLE attachment_files (
  sha256     bytea NOT NULL CHECK (length(sha256) = 32),
  kind       text NOT NULL CHECK (kind IN ('picture', 'sound', 'original')),
  size_bytes integer NOT NULL,
  written_at timestamptz NOT NULL,
  PRIMARY KEY (sha256, kind)
);

-- What was removed, and until when it had to be kept: the proof that nothing went too early.
CREATE TABLE attachment_removals (
  id            uuid PRIMARY KEY,
  attachment_id uuid NOT NULL,                   -- of one that belonged to no case the row is gone
  case_id       uuid REFERENCES cases,
  kind          text NOT NULL CHECK (kind IN ('picture', 'sound', 'original')),
  why           text NOT NULL CHECK (why IN ('loose', 'case_over')),
  sha256        bytea NOT NULL CHECK (length(sha256) = 32),
  kept_until    timestamptz NOT NULL,
  removed_at    timestamptz NOT NULL,
  UNIQUE (attachment_id, kind),
  CONSTRAINT loose_is_of_no_case CHECK ((why = 'loose') = (case_id IS NULL))
);
CREATE INDEX attachment_removals_at ON attachment_removals (removed_at);

-- What pictures of cases look like, in four parts of sixteen bits: two that are alike share one of them.
CREATE TABLE attachment_looks (
  attachment_id uuid PRIMARY KEY REFERENCES attachments ON DELETE CASCADE,
  original      bytea NOT NULL CHECK (length(original) = 32),
  parts         integer[] NOT NULL
);
CREATE INDEX attachment_looks_parts ON attachment_looks USING gin (parts);
CREATE INDEX attachment_looks_original ON attachment_looks (original);

-- A photograph that was used before: of another case, or of the same for another purpose.
CREATE TABLE attachment_twins (
  attachment_id uuid NOT NULL REFERENCES attachments ON DELETE CASCADE,
  earlier_id    uuid NOT NULL REFERENCES attachments ON DELETE CASCADE,
  distance      integer NOT NULL CHECK (distance BETWEEN 0 AND 64),
  same_file     boolean NOT NULL,
  found_at      timestamptz NOT NULL,
  PRIMARY KEY (attachment_id, earlier_id),
  CONSTRAINT not_its_own_twin CHECK (attachment_id <> earlier_id)
);
CREATE INDEX attachment_twins_earlier ON attachment_twins (earlier_id);

-- Who opened which original, and why.
CREATE TABLE original_openings (
  id            uuid PRIMARY KEY,
  attachment_id uuid NOT NULL REFERENCES attachments,
  opened_by     uuid NOT NULL REFERENCES users,
  reason        text NOT NULL CHECK (reason <> ''),
  opened_at     timestamptz NOT NULL
);
CREATE INDEX original_openings_of ON original_openings (attachment_id, opened_at);

-- Uploads on their way. The last byte counts when the attachment is kept: an upload is whole or open.
CREATE TABLE uploads (
  id          uuid PRIMARY KEY,                  -- of the attachment that it becomes
  uploaded_by text NOT NULL,
  length      bigint NOT NULL CHECK (length > 0),
  received    bigint NOT NULL DEFAULT 0,
  state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'kept', 'refused')),
  refusal     jsonb,                             -- {code, detail, given, wanted} of a file that was refused
  metadata    text NOT NULL DEFAULT '',          -- as it was sent: whoever resumes is told it again
  told_at     timestamptz,
  told_lon    double precision,
  told_lat    double precision,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  CONSTRAINT whole_or_open CHECK (CASE state WHEN 'open' THEN received >= 0 AND received < length
                                             ELSE received = length END),
  CONSTRAINT refused_says_why CHECK ((state = 'refused') = (refusal IS NOT NULL))
);
CREATE INDEX uploads_open ON uploads (uploaded_by) WHERE state = 'open';
CREATE INDEX uploads_expire ON uploads (expires_at);

-- ---------------------------------------------------------------------------------------------
-- Keys: who is calling
-- ---------------------------------------------------------------------------------------------

CREATE TABLE sessions (
  id            uuid PRIMARY KEY,
  user_id       uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  kind          text NOT NULL CHECK (kind IN ('browser', 'app')),
  label         text NOT NULL DEFAULT '',
  refresh_hash  bytea NOT NULL UNIQUE,           -- the one that may be used next
  used_hash     bytea,                           -- the one before, kept for a lost answer
  rotated_at    timestamptz NOT NULL,
  created_at    timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  ended_at      timestamptz,
  ended_why     text,
  cookie_turn      integer NOT NULL DEFAULT 0 CHECK (cookie_turn >= 0),   -- the newest that was used
  cookie_turned_at timestamptz
);
CREATE INDEX sessions_used ON sessions (used_hash);
CREATE INDEX sessions_user ON sessions (user_id) WHERE ended_at IS NULL;
-- Phones that take Web Push: one of a session, and gone with it. The address and the keys are sealed.
CREATE TABLE push_subscriptions (
  session_id    uuid PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
  user_id       uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  channel       text COLLATE "C" NOT NULL DEFAULT 'push' CHECK (channel = 'push') REFERENCES channels ON DELETE CASCADE,
  endpoint_hash bytea NOT NULL UNIQUE,           -- SHA-256: one browser, one person
  sealed        bytea NOT NULL,
  made_at       timestamptz NOT NULL
);
CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id);

CREATE TABLE api_keys (
  id            uuid PRIMARY KEY,
  name          text NOT NULL,
  secret_hash   bytea NOT NULL UNIQUE,
  scopes        text[] NOT NULL,
  division_code text COLLATE "C" NOT NULL CHECK (division_code !~ '[,/]'),
  department    text REFERENCES departments,
  duty_line     text REFERENCES duty_lines,
  created_at    timestamptz NOT NULL,
  expires_at    timestamptz,
  revoked_at    timestamptz,
  signed_only   boolean NOT NULL DEFAULT false   -- its camera events must be signed
);

-- What a program signs its camera events with (Standard Webhooks), sealed: it is computed with. Two while one replaces
-- the other.
CREATE TABLE signing_secrets (
  id         uuid PRIMARY KEY,
  key_id     uuid NOT NULL REFERENCES api_keys ON DELETE CASCADE,
  sealed     bytea NOT NULL,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX signing_secrets_of_key ON signing_secrets (key_id);

-- The ids of signed requests of which everything was taken, for longer than their signature is good.
CREATE TABLE signed_requests (
  key_id      uuid NOT NULL REFERENCES api_keys ON DELETE CASCADE,
  webhook_id  text COLLATE "C" NOT NULL,
  fingerprint bytea NOT NULL,                    -- sha256 of the body
  received_at timestamptz NOT NULL,
  PRIMARY KEY (key_id, webhook_id)
);
CREATE INDEX signed_requests_oldest ON signed_requests (received_at);

CREATE TABLE login_failures (
  subject text NOT NULL,                         -- 'user:<name>' or 'from:<address>'
  at      timestamptz NOT NULL
);
CREATE INDEX login_failures_recent ON login_failures (subject, at);

CREATE TABLE idempotency_keys (
  caller      text NOT NULL,
  key         text NOT NULL,
  fingerprint bytea NOT NULL,                    -- sha256 of method, path and the parsed body
  status      integer,
  answer      jsonb,
  created_at  timestamptz NOT NULL,
  PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- ---------------------------------------------------------------------------------------------
-- What cameras say
-- ---------------------------------------------------------------------------------------------

-- How much is asked of cameras, and what becomes of what they say (docs/rules/storms.md). One row; the city's data.
CREATE TABLE camera_rules (
  only_row       boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  wait_s         double precision NOT NULL DEFAULT 5 CHECK (wait_s >= 0),        -- a group waits for its others
  interval_s     double precision NOT NULL DEFAULT 60 CHECK (interval_s >= 0),   -- a joined case is told of at most so often
  repeat_s       double precision NOT NULL DEFAULT 14400 CHECK (repeat_s >= 0),  -- what goes on opens no second case before
  resolve_s      double precision NOT NULL DEFAULT 300 CHECK (resolve_s > 0),    -- silent for so long: it is over
  rate_per_s     double precision NOT NULL DEFAULT 5 CHECK (rate_per_s > 0),     -- of one camera
  burst          integer NOT NULL DEFAULT 50 CHECK (burst > 0),
  sample_every   integer NOT NULL DEFAULT 100 CHECK (sample_every > 0),          -- beyond the rate one of so many is kept
  storm_after    integer NOT NULL DEFAULT 500 CHECK (storm_after > 0),           -- so many beyond it: the camera storms
  storm_category text,                                                           -- of the default edition; NULL: no case
  blinding       text[] NOT NULL DEFAULT '{tamper,tampered,tamperdetection,shelteralarm,videoloss,scenechangedetection,offline}',
  repeats_s      double precision NOT NULL DEFAULT 86400 CHECK (repeats_s > 0),  -- so long the same message is known again
  keep_days      integer NOT NULL DEFAULT 30 CHECK (keep_days > 1),
  mute_after     integer NOT NULL DEFAULT 20 CHECK (mute_after > 0),             -- verdicts, before precision counts
  mute_below     double precision NOT NULL DEFAULT 0.2 CHECK (mute_below >= 0 AND mute_below <= 1),
  keep_counts_days integer NOT NULL DEFAULT 400,   -- of an hour, and of incidents that led to a case
  CONSTRAINT counts_stay_as_long_as_events CHECK (keep_counts_days >= keep_days)
);

-- What cameras have said. Written in bulk; that commit is the acknowledgement. One partition a day (UTC), made ahead;
-- what no day has been made for lies in the default one until its day is made. No foreign keys: intake waits for nobody.
CREATE TABLE camera_events (
  id             uuid NOT NULL,
  camera         text COLLATE "C" NOT NULL,
  protocol       text NOT NULL,
  key            text COLLATE "C" NOT NULL,      -- names the incident by the device
  kind           text NOT NULL,
  phase          text NOT NULL CHECK (phase IN ('start', 'update', 'end', 'pulse')),
  at             timestamptz NOT NULL,           -- by the device, bounded by received_at
  received_at    timestamptz NOT NULL,
  zone           text NOT NULL DEFAULT '',
  target         text NOT NULL DEFAULT '',
  score          double precision,
  lon            double precision,               -- WGS-84, where the message carries its own place
  lat            double precision,
  count          integer NOT NULL,
  taken_back     boolean NOT NULL,               -- the device itself calls it a false alarm
  snapshots      text[] NOT NULL DEFAULT '{}',   -- addresses; never fetched here
  digest         uuid NOT NULL,                  -- of camera, key, phase and content: what is sent twice has it twice
  raw            bytea NOT NULL CHECK (octet_length(raw) <= 8192),
  sent_by        text NOT NULL,                  -- key:… or token:…
  incident_id    uuid,
  review_id      uuid,
  outcome        text CHECK (outcome IN ('opened', 'joined', 'suppressed', 'rejected', 'review')),
  outcome_reason text NOT NULL DEFAULT '',
  case_id        uuid,
  PRIMARY KEY (received_at, id),
  CONSTRAINT a_case_where_it_led_to_one CHECK ((outcome IN ('opened', 'joined')) IS TRUE = (case_id IS NOT NULL))
) PARTITION BY RANGE (received_at);
CREATE INDEX camera_events_digest ON camera_events (digest);
CREATE INDEX camera_events_new ON camera_events (received_at) WHERE outcome IS NULL AND incident_id IS NULL;
CREATE INDEX camera_events_of_incident ON camera_events (incident_id) WHERE outcome IS NULL AND incident_id IS NOT NULL;
CREATE INDEX camera_events_of_review ON camera_events (review_id) WHERE outcome = 'review';
CREATE INDEX camera_events_of_case ON camera_events (case_id) WHERE case_id IS NOT NULL;
CREATE TABLE camera_events_default PARTITION OF camera_events DEFAULT;

-- What came, and what became of that which is not kept as a row (and of rows whose day is gone), by camera and hour.
CREATE TABLE camera_counts (
  camera  text COLLATE "C" NOT NULL,             -- '' where nobody knows whose it is
  hour    timestamptz NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('received', 'duplicate', 'opened', 'joined', 'suppressed', 'rejected',
                                           'review', 'quarantined')),
  reason  text NOT NULL DEFAULT '',
  events  bigint NOT NULL,
  PRIMARY KEY (camera, hour, outcome, reason)
);
CREATE INDEX camera_counts_hour ON camera_counts (hour);

-- The token bucket of each camera. Whoever takes in what a camera says locks its row: two cannot let the same in twice.
CREATE TABLE camera_meters (
  camera    text COLLATE "C" PRIMARY KEY,
  tokens    double precision NOT NULL,
  filled_at timestamptz NOT NULL,
  over      bigint NOT NULL DEFAULT 0,           -- events beyond the rate since the bucket was last full
  heard_at  timestamptz NOT NULL
);

-- A thing that goes on at one place, whichever cameras see it: what becomes one case.
CREATE TABLE camera_incidents (
  id         uuid PRIMARY KEY,
  group_key  text NOT NULL,                      -- cell and category; camera and category where it is about the camera
  camera     text COLLATE "C" NOT NULL,          -- the first to see it
  edition    text NOT NULL,
  category   text NOT NULL,
  cell_code  text COLLATE "C" NOT NULL,
  lon        double precision NOT NULL,
  lat        double precision NOT NULL,
  first_at   timestamptz NOT NULL,               -- when it was first and last seen, by the devices
  last_at    timestamptz NOT NULL,
  heard_at   timestamptz NOT NULL,               -- when something was last received
  due_at     timestamptz,                        -- end of the wait; NULL: decided
  events     bigint NOT NULL DEFAULT 0,          -- observations that led to its case
  cameras    text[] NOT NULL DEFAULT '{}',
  case_id    uuid,
  decided_at timestamptz,
  told_at    timestamptz,
  over_at    timestamptz
);
CREATE UNIQUE INDEX camera_incidents_going_on ON camera_incidents (group_key) WHERE over_at IS NULL;
CREATE INDEX camera_incidents_due ON camera_incidents (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX camera_incidents_silent ON camera_incidents (heard_at) WHERE over_at IS NULL;
CREATE INDEX camera_incidents_of_case ON camera_incidents (case_id);
CREATE INDEX camera_incidents_over ON camera_incidents (over_at) WHERE over_at IS NOT NULL;

-- One incident as one device tells it: what comes late, or twice, or in the wrong order still finds where it belongs.
CREATE TABLE camera_sightings (
  camera      text COLLATE "C" NOT NULL,
  key         text COLLATE "C" NOT NULL,
  kind        text NOT NULL,
  zone        text NOT NULL,
  target      text NOT NULL,
  first_at    timestamptz NOT NULL,
  last_at     timestamptz NOT NULL,
  heard_at    timestamptz NOT NULL,
  ended       boolean NOT NULL,
  taken_back  boolean NOT NULL,
  messages    bigint NOT NULL,
  incident_id uuid,
  came_to_nothing text,                          -- why nothing came of it; NULL: something did, or nobody knows yet
  PRIMARY KEY (camera, key)
);
CREATE INDEX camera_sightings_heard ON camera_sightings (heard_at);

-- Who said that nothing shall come of some events for a time, and why: works that are planned, a festival.
CREATE TABLE camera_silences (
  id         uuid PRIMARY KEY,
  matchers   jsonb NOT NULL,                     -- field -> the values of which it must have one
  author     text NOT NULL,
  reason     text NOT NULL,
  starts_at  timestamptz NOT NULL,
  ends_at    timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  expired_by text,
  CONSTRAINT starts_before_it_ends CHECK (starts_at <= ends_at)
);
CREATE INDEX camera_silences_ends ON camera_silences (ends_at);

-- What a person is to judge before anything comes of it.
CREATE TABLE camera_reviews (
  id            uuid PRIMARY KEY,
  camera        text COLLATE "C" NOT NULL,
  kind          text NOT NULL,
  zone          text NOT NULL,
  target        text NOT NULL,
  why           text NOT NULL CHECK (why IN ('mode', 'unmapped')),
  category      text,                            -- of the label map; NULL: the label stands in none
  lon           double precision NOT NULL,
  lat           double precision NOT NULL,
  cell_code     text COLLATE "C" NOT NULL,
  division_code text COLLATE "C" NOT NULL,
  seen_by       text[] NOT NULL,
  first_at      timestamptz NOT NULL,
  last_at       timestamptz NOT NULL,
  events        bigint NOT NULL,
  opened_at     timestamptz NOT NULL,
  verdict       text CHECK (verdict IN ('real', 'false', 'duplicate')),
  verdict_by    text,
  verdict_at    timestamptz,
  CONSTRAINT a_verdict_is_somebodys CHECK ((verdict IS NULL) = (verdict_by IS NULL)
                                       AND (verdict IS NULL) = (verdict_at IS NULL))
);
CREATE UNIQUE INDEX camera_reviews_open ON camera_reviews (camera, kind, zone, target) WHERE verdict IS NULL;
CREATE INDEX camera_reviews_queue ON camera_reviews (opened_at, id) WHERE verdict IS NULL;
CREATE INDEX camera_reviews_judged ON camera_reviews (verdict_at) WHERE verdict IS NOT NULL;
CREATE INDEX camera_reviews_verdicts ON camera_reviews (camera, kind, verdict_at) WHERE verdict IS NOT NULL;

-- A camera whose words were too often wrong: nothing comes of that kind until somebody lifts it.
CREATE TABLE camera_mutes (
  id          uuid PRIMARY KEY,
  camera      text COLLATE "C" NOT NULL,
  kind        text NOT NULL,
  seen_real   integer NOT NULL,
  seen_false  integer NOT NULL,
  muted_at    timestamptz NOT NULL,
  lifted_at   timestamptz,
  lifted_by   text
);
CREATE UNIQUE INDEX camera_mutes_standing ON camera_mutes (camera, kind) WHERE lifted_at IS NULL;

-- Messages that could not be read, as they came (headers without secrets), until somebody looks and replays them.
CREATE TABLE camera_quarantine (
  id           uuid PRIMARY KEY,
  received_at  timestamptz NOT NULL,
  protocol     text NOT NULL,
  token_id     uuid,
  cameras      text[] NOT NULL DEFAULT '{}',     -- for which the token speaks
  peer         text NOT NULL,
  content_type text NOT NULL,
  headers      jsonb NOT NULL,
  body         bytea NOT NULL,
  bytes        bigint NOT NULL,                  -- how many came; more than is kept where it was cut
  code         text NOT NULL,
  says         text NOT NULL,
  replayed_at  timestamptz,
  replayed_as  text
);
CREATE INDEX camera_quarantine_newest ON camera_quarantine (received_at, id);
CREATE INDEX camera_quarantine_waiting ON camera_quarantine (token_id, code) WHERE replayed_at IS NULL;
INSERT INTO camera_rules DEFAULT VALUES;

-- Devices that do not come by HTTP. Each speaks for its cameras, and for no other.

-- A site that publishes over MQTT (Frigate): a user of the broker who may write below the topic of his name alone.
CREATE TABLE mqtt_sites (
  name          text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
  password_hash text NOT NULL,                   -- as RabbitMQ takes it: base64 of a salt and of SHA-256
  label         text NOT NULL DEFAULT '',
  created_at    timestamptz NOT NULL,
  created_by    text NOT NULL,
  rotated_at    timestamptz,
  revoked_at    timestamptz,
  heard_at      timestamptz,
  messages      bigint NOT NULL DEFAULT 0        -- taken in so far
);
CREATE TABLE mqtt_site_cameras (
  site   text COLLATE "C" NOT NULL REFERENCES mqtt_sites ON DELETE CASCADE,
  camera text COLLATE "C" NOT NULL REFERENCES cameras ON DELETE CASCADE,
  PRIMARY KEY (site, camera)
);
CREATE INDEX mqtt_site_cameras_camera ON mqtt_site_cameras (camera);

-- A device or platform of GB/T 28181 that registers here by SIP.
CREATE TABLE sip_devices (
  code             text COLLATE "C" PRIMARY KEY CHECK (code ~ '^[0-9]{20}$'),
  secret           bytea NOT NULL,               -- its password, sealed
  label            text NOT NULL DEFAULT '',
  created_at       timestamptz NOT NULL,
  created_by       text NOT NULL,
  rotated_at       timestamptz,
  revoked_at       timestamptz,
  registered_at    timestamptz,
  registered_until timestamptz,
  host             text NOT NULL DEFAULT '',     -- from where it registered: nobody else speaks for it
  heard_at         timestamptz,
  CONSTRAINT registered_from_somewhere CHECK ((registered_until IS NULL) = (host = ''))
);
CREATE TABLE sip_device_cameras (
  device text COLLATE "C" NOT NULL REFERENCES sip_devices ON DELETE CASCADE,
  camera text COLLATE "C" NOT NULL REFERENCES cameras ON DELETE CASCADE,
  PRIMARY KEY (device, camera)
);
CREATE INDEX sip_device_cameras_camera ON sip_device_cameras (camera);

-- Messages by the way they came and what became of them, since the city began: for the figures.
CREATE TABLE intake_counts (
  way      text NOT NULL CHECK (way IN ('mqtt', 'sip')),
  outcome  text NOT NULL,
  messages bigint NOT NULL,
  PRIMARY KEY (way, outcome)
);

-- Pictures of cameras, and looking through them

-- How many pictures of cameras are taken in, and how long they are kept (docs/cameras/pictures.md). One row; the city's data.
CREATE TABLE camera_picture_rules (
  only_row         boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  of_event         integer NOT NULL DEFAULT 4 CHECK (of_event >= 0),
  of_hour          integer NOT NULL DEFAULT 120 CHECK (of_hour >= 0),                     -- of one camera
  waiting_bytes    bigint NOT NULL DEFAULT 536870912 CHECK (waiting_bytes >= 0),          -- of all, as they came
  attempts         integer NOT NULL DEFAULT 5 CHECK (attempts > 0),
  at_once_per_host integer NOT NULL DEFAULT 2 CHECK (at_once_per_host > 0),
  open_days        integer NOT NULL DEFAULT 1095 CHECK (open_days > 0),    -- of a case or review that is open
  closed_days      integer NOT NULL DEFAULT 365 CHECK (closed_days > 0),   -- after its case is over
  false_days       integer NOT NULL DEFAULT 7 CHECK (false_days > 0),      -- after it was judged false or a duplicate
  nothing_days     integer NOT NULL DEFAULT 3 CHECK (nothing_days > 0),    -- nothing came of it
  look_days        integer NOT NULL DEFAULT 30 CHECK (look_days > 0)       -- somebody looked through the camera
);
INSERT INTO camera_picture_rules DEFAULT VALUES;

-- The only places from which the service fetches a picture. Everything else that a device names stays an address.
CREATE TABLE camera_hosts (
  code          text COLLATE "C" PRIMARY KEY,
  scheme        text NOT NULL CHECK (scheme IN ('http', 'https')),
  host          text NOT NULL CHECK (host = lower(host)),
  port          integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
  path_prefix   text NOT NULL CHECK (path_prefix LIKE '/%'),
  networks      text[] NOT NULL DEFAULT '{}',    -- addresses beside public ones that its name may stand for
  cameras       text[] COLLATE "C" NOT NULL DEFAULT '{}',  -- whose addresses without a host are of this one
  authorization_sealed bytea,                    -- the header that it wants, sealed
  leased_until  timestamptz NOT NULL DEFAULT '-infinity',  -- a worker asks it at this moment
  UNIQUE (scheme, host, port, path_prefix)
);

-- Streaming gateways, through which alone somebody looks through a camera.
CREATE TABLE camera_gateways (
  code              text COLLATE "C" PRIMARY KEY,
  cameras           text[] COLLATE "C" NOT NULL DEFAULT '{}',  -- which it serves; none named: all of its protocols
  protocols         text[] NOT NULL DEFAULT '{}',              -- none named: all
  play_template     text,                        -- with {camera}, {expires} and {signature}
  snapshot_template text,                        -- with {camera}
  host              text COLLATE "C" REFERENCES camera_hosts,  -- from which its snapshots are fetched
  key_sealed        bytea,                       -- signs play links
  CONSTRAINT does_something CHECK (play_template IS NOT NULL OR snapshot_template IS NOT NULL),
  CONSTRAINT play_links_are_signed CHECK (play_template IS NULL OR key_sealed IS NOT NULL),
  CONSTRAINT snapshots_have_a_host CHECK ((snapshot_template IS NULL) = (host IS NULL))
);

-- Who looked through which camera, why, and until when.
CREATE TABLE camera_looks (
  id         uuid PRIMARY KEY,
  camera     text COLLATE "C" NOT NULL REFERENCES cameras,
  kind       text NOT NULL CHECK (kind IN ('play', 'snapshot')),
  looked_by  text NOT NULL,
  reason     text NOT NULL CHECK (reason <> ''),
  gateway    text NOT NULL,                      -- as it was called then
  looked_at  timestamptz NOT NULL,
  until      timestamptz NOT NULL,
  CONSTRAINT looks_forward CHECK (until >= looked_at)
);
CREATE INDEX camera_looks_of_camera ON camera_looks (camera, looked_at, id);

-- Every file of a picture that may lie on the disk: written before the file is, gone after it is.
CREATE TABLE camera_files (
  sha256     bytea PRIMARY KEY CHECK (length(sha256) = 32),
  size_bytes integer NOT NULL,
  written_at timestamptz NOT NULL
);

-- Pictures of camera events and of looks. No foreign key to events: their days are dropped, and intake waits for nobody.
CREATE TABLE camera_pictures (
  id          uuid PRIMARY KEY,
  camera      text COLLATE "C" NOT NULL,
  event_id    uuid,
  event_at    timestamptz,                       -- when its event was received: with event_id its key
  look_id     uuid REFERENCES camera_looks,
  number      integer NOT NULL,                  -- place among those of the event
  came_as     text NOT NULL CHECK (came_as IN ('sent', 'address', 'look')),
  url         text,
  host        text COLLATE "C" REFERENCES camera_hosts ON DELETE SET NULL,
  bytes       integer NOT NULL,                  -- as it came; 0 for what is to be fetched
  received_at timestamptz NOT NULL,
  state       text NOT NULL CHECK (state IN ('waiting', 'kept', 'refused')),
  reason      text NOT NULL DEFAULT '',          -- of a refusal, or of the last attempt
  attempts    integer NOT NULL DEFAULT 0,
  due_at      timestamptz,                       -- when somebody works at it next; NULL: nobody does
  sweep_at    timestamptz,                       -- when its time to be kept is looked at
  sha256      bytea REFERENCES camera_files,
  original    bytea CHECK (length(original) = 32),
  width       integer,
  height      integer,
  settled_at  timestamptz,
  review_id   uuid,
  case_id     uuid,
  CONSTRAINT of_an_event_or_a_look CHECK ((event_id IS NULL) = (look_id IS NOT NULL)
                                      AND (event_id IS NULL) = (event_at IS NULL)),
  CONSTRAINT an_address_where_it_came_as_one CHECK ((came_as = 'address') = (url IS NOT NULL)),
  CONSTRAINT waits_or_is_settled CHECK ((state = 'waiting') = (due_at IS NOT NULL)
                                    AND (state = 'waiting') = (sweep_at IS NULL)
                                    AND (state = 'waiting') = (settled_at IS NULL)),
  CONSTRAINT kept_has_its_file CHECK ((state = 'kept') = (sha256 IS NOT NULL))
);
CREATE INDEX camera_pictures_of_event ON camera_pictures (event_id);
CREATE INDEX camera_pictures_of_review ON camera_pictures (review_id) WHERE review_id IS NOT NULL;
CREATE INDEX camera_pictures_of_case ON camera_pictures (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX camera_pictures_of_camera ON camera_pictures (camera, received_at);
CREATE INDEX camera_pictures_of_file ON camera_pictures (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX camera_pictures_of_look ON camera_pictures (look_id) WHERE look_id IS NOT NULL;
CREATE INDEX camera_pictures_due ON camera_pictures (due_at) WHERE state = 'waiting';
CREATE INDEX camera_pictures_sweep ON camera_pictures (sweep_at) WHERE sweep_at IS NOT NULL;

-- Bytes as a device sent them, until they are drawn anew.
CREATE TABLE camera_picture_bytes (
  picture_id uuid PRIMARY KEY REFERENCES camera_pictures ON DELETE CASCADE,
  content    bytea NOT NULL
);
ALTER TABLE camera_picture_bytes ALTER COLUMN content SET STORAGE EXTERNAL;  -- packed already

-- Pictures by camera and hour of their coming: all that came, and those of which no row is left.
CREATE TABLE camera_picture_counts (
  camera   text COLLATE "C" NOT NULL,
  hour     timestamptz NOT NULL,
  outcome  text NOT NULL CHECK (outcome IN ('received', 'dropped', 'removed')),
  reason   text NOT NULL DEFAULT '',
  pictures bigint NOT NULL,
  PRIMARY KEY (camera, hour, outcome, reason)
);

-- The application owns no table and cannot make one; these two make and drop days, and do nothing else.
CREATE FUNCTION camera_events_make_day(day date) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
  part text := 'camera_events_' || to_char(day, 'YYYYMMDD');
  since timestamptz := day::timestamp AT TIME ZONE 'UTC';
  until timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('camera_events days'));
  IF to_regclass(part) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE camera_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
  EXECUTE format('REVOKE ALL ON %I FROM gridsvc_app', part);
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
  -- What came before its day was made moves over; nothing may come in between.
  LOCK TABLE camera_events_default IN ACCESS EXCLUSIVE MODE;
  EXECUTE format('WITH gone AS (DELETE FROM camera_events_default WHERE received_at >= %L AND received_at < %L RETURNING *)'
                 ' INSERT INTO %I SELECT * FROM gone', since, until, part);
  EXECUTE format('ALTER TABLE camera_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, since, until);
  RETURN true;
END
$$;

-- Its outcomes are counted first, so that the ledger goes on to balance. False: something of that day is undecided yet.
CREATE FUNCTION camera_events_drop_day(day date) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
  part text := 'camera_events_' || to_char(day, 'YYYYMMDD');
  undecided boolean;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('camera_events days'));
  IF to_regclass(part) IS NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', part);
  EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE outcome IS NULL)', part) INTO undecided;
  IF undecided THEN
    RETURN false;
  END IF;
  EXECUTE format('INSERT INTO camera_counts AS c (camera, hour, outcome, reason, events)'
                 ' SELECT camera, date_trunc(''hour'', received_at, ''UTC''), outcome, outcome_reason, count(*)'
                 '   FROM %I GROUP BY 1, 2, 3, 4'
                 ' ON CONFLICT (camera, hour, outcome, reason) DO UPDATE SET events = c.events + excluded.events', part);
  EXECUTE format('DROP TABLE %I', part);
  RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION camera_events_make_day(date), camera_events_drop_day(date) FROM PUBLIC;

-- ---------------------------------------------------------------------------------------------
-- The live feed (实时推送): alarms, and what has changed, numbered in the order of commits
-- ---------------------------------------------------------------------------------------------

-- What asks for a person at once (警报): a new emergency, a case whose limit has passed, a camera that storms. It stands
-- until somebody says by name that he has seen it.
CREATE TABLE alarms (
  id              uuid PRIMARY KEY,
  kind            text NOT NULL CHECK (kind IN ('emergency', 'escalation', 'camera_storm')),
  case_id         uuid REFERENCES cases,
  camera          text COLLATE "C" REFERENCES cameras,
  severity        text NOT NULL CHECK (severity IN ('low', 'normal', 'high', 'emergency')),
  says            text NOT NULL,
  says_en         text NOT NULL,
  raised_at       timestamptz NOT NULL,
  acknowledged_by uuid REFERENCES users,
  acknowledged_at timestamptz,
  CONSTRAINT about_one_thing CHECK (num_nonnulls(case_id, camera) = 1 AND (kind = 'camera_storm') = (camera IS NOT NULL)),
  CONSTRAINT seen_by_somebody CHECK (num_nulls(acknowledged_by, acknowledged_at) IN (0, 2))
);
-- A case that climbs rung after rung rings once until somebody has seen it.
CREATE UNIQUE INDEX alarms_of_case ON alarms (case_id, kind) WHERE acknowledged_at IS NULL;
CREATE INDEX alarms_raised ON alarms (raised_at, id);
CREATE INDEX alarms_camera ON alarms (camera, raised_at) WHERE camera IS NOT NULL;
CREATE INDEX alarms_seen ON alarms (acknowledged_at) WHERE acknowledged_at IS NOT NULL;

-- How far the live feed is (docs/live.md). The number belongs to the transaction that gives it: no number is seen
-- before a smaller one.
CREATE TABLE live_position (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  epoch    uuid NOT NULL DEFAULT gen_random_uuid(),
  seq      bigint NOT NULL DEFAULT 0
);
INSERT INTO live_position DEFAULT VALUES;

-- What has changed and has no number yet: written by the transaction that changed it, numbered after its commit.
-- was_keys, was_areas: who could see it before, and where it lay.
CREATE TABLE live_changes (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind      text NOT NULL CHECK (kind IN ('case', 'officer', 'camera', 'alarm', 'review', 'scope', 'session')),
  ref       text COLLATE "C" NOT NULL,
  was_keys  text[] NOT NULL DEFAULT '{}',
  was_areas text[] NOT NULL DEFAULT '{}'
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- The last of the feed, number after number without a gap: what each web process reads, and begins with.
CREATE TABLE live_log (
  seq       bigint PRIMARY KEY,
  at        timestamptz NOT NULL,
  kind      text NOT NULL,
  ref       text COLLATE "C" NOT NULL,
  keys      text[] NOT NULL,                     -- that open it now; none: it is gone for all
  areas     text[] COLLATE "C" NOT NULL,         -- divisions and cell that it lies in
  was_keys  text[] NOT NULL,
  was_areas text[] NOT NULL,
  body      text                                 -- JSON as clients get it
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- Keys of the feed beside those of cases: who may list an officer of a grant, and who a camera.
CREATE FUNCTION live_officer_keys(division text, duty_line text) RETURNS text[]
  LANGUAGE sql STABLE
  RETURN (
    SELECT array_agg(key ORDER BY key)
      FROM (SELECT live_officer_keys.division
             UNION
            SELECT unnest(d.path)
              FROM divisions d
             WHERE d.grid_set_id = grid_set_at(city_now())
               AND d.code = live_officer_keys.division) AS above (code),
           LATERAL (VALUES ('officers@' || code), ('officers@' || code || '/line:' || duty_line)) AS keys (key)
  );

CREATE FUNCTION live_camera_keys(divisions text[]) RETURNS text[]
  LANGUAGE sql IMMUTABLE
  RETURN ARRAY(SELECT 'cameras@' || code FROM unnest(divisions) AS code);

CREATE FUNCTION live_case_areas(divisions text[], desk_path text[], cell_code text) RETURNS text[]
  LANGUAGE sql IMMUTABLE
  RETURN CASE WHEN divisions = '{}' THEN desk_path ELSE divisions END
         || CASE WHEN cell_code IS NULL THEN '{}'::text[] ELSE ARRAY[cell_code] END;

CREATE FUNCTION live_new_cases() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO live_changes (kind, ref) SELECT 'case', id FROM now_is;
  RETURN NULL;
END
$$;

CREATE FUNCTION live_changed_cases() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO live_changes (kind, ref, was_keys, was_areas)
  SELECT 'case', o.id, o.seen_by, live_case_areas(o.divisions, o.desk_path, o.cell_code)
    FROM was o
         JOIN now_is n ON n.id = o.id
   WHERE (o.version, o.due_at, o.seen_by, o.cell_code, o.beat_code, o.grid_set_id, o.divisions, o.suspended, o.updated_at)
         IS DISTINCT FROM
         (n.version, n.due_at, n.seen_by, n.cell_code, n.beat_code, n.grid_set_id, n.divisions, n.suspended, n.updated_at);
  INSERT INTO live_changes (kind, ref)   -- how many each has in hand
  SELECT DISTINCT 'officer', hand.officer_id
    FROM was o
         JOIN now_is n ON n.id = o.id
         CROSS JOIN LATERAL (VALUES (o.officer_id), (n.officer_id)) AS hand (officer_id)
   WHERE hand.officer_id IS NOT NULL
     AND (o.officer_id, o.state) IS DISTINCT FROM (n.officer_id, n.state);
  RETURN NULL;
END
$$;

CREATE FUNCTION live_changed_camera() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO live_changes (kind, ref, was_keys, was_areas)
  SELECT 'camera', NEW.code, live_camera_keys(OLD.divisions), OLD.divisions;
  RETURN NULL;
END
$$;

CREATE FUNCTION live_changed_grant() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO live_changes (kind, ref) VALUES ('scope', OLD.user_id);
    IF OLD.role = 'officer' THEN
      INSERT INTO live_changes (kind, ref, was_keys)
      VALUES ('officer', OLD.user_id, live_officer_keys(OLD.division_code, OLD.duty_line));
    END IF;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO live_changes (kind, ref) VALUES ('scope', NEW.user_id);
    IF NEW.role = 'officer' THEN
      INSERT INTO live_changes (kind, ref) VALUES ('officer', NEW.user_id);
    END IF;
  END IF;
  RETURN NULL;
END
$$;

-- What is told anew, whole, whenever a row changes: kind, and the column that names it.
CREATE FUNCTION live_changed() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO live_changes (kind, ref) VALUES (TG_ARGV[0], to_jsonb(coalesce(NEW, OLD)) ->> TG_ARGV[1]);
  RETURN NULL;
END
$$;

CREATE TRIGGER live_new_cases AFTER INSERT ON cases
  REFERENCING NEW TABLE AS now_is FOR EACH STATEMENT EXECUTE FUNCTION live_new_cases();
CREATE TRIGGER live_changed_cases AFTER UPDATE ON cases
  REFERENCING OLD TABLE AS was NEW TABLE AS now_is FOR EACH STATEMENT EXECUTE FUNCTION live_changed_cases();
CREATE TRIGGER live_changed_clock AFTER UPDATE ON clocks
  FOR EACH ROW WHEN (OLD.provisional IS DISTINCT FROM NEW.provisional)
  EXECUTE FUNCTION live_changed('case', 'case_id');
CREATE TRIGGER live_changed_duty AFTER INSERT OR UPDATE ON officers
  FOR EACH ROW EXECUTE FUNCTION live_changed('officer', 'user_id');
CREATE TRIGGER live_changed_position AFTER INSERT OR UPDATE ON officer_positions
  FOR EACH ROW EXECUTE FUNCTION live_changed('officer', 'officer_id');
CREATE TRIGGER live_changed_beat AFTER INSERT OR UPDATE OR DELETE ON officer_beats
  FOR EACH ROW EXECUTE FUNCTION live_changed('officer', 'officer_id');
CREATE TRIGGER live_renamed AFTER UPDATE ON users
  FOR EACH ROW WHEN (OLD.display_name IS DISTINCT FROM NEW.display_name OR OLD.active IS DISTINCT FROM NEW.active)
  EXECUTE FUNCTION live_changed('officer', 'id');
CREATE TRIGGER live_put_out AFTER UPDATE ON users
  FOR EACH ROW WHEN (OLD.active IS DISTINCT FROM NEW.active)
  EXECUTE FUNCTION live_changed('scope', 'id');
CREATE TRIGGER live_changed_grant AFTER INSERT OR UPDATE OR DELETE ON grants
  FOR EACH ROW EXECUTE FUNCTION live_changed_grant();
CREATE TRIGGER live_signed_out AFTER UPDATE ON sessions
  FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
  EXECUTE FUNCTION live_changed('session', 'id');
CREATE TRIGGER live_new_camera AFTER INSERT ON cameras
  FOR EACH ROW EXECUTE FUNCTION live_changed('camera', 'code');
CREATE TRIGGER live_changed_camera AFTER UPDATE ON cameras
  FOR EACH ROW EXECUTE FUNCTION live_changed_camera();
CREATE TRIGGER live_heard_camera AFTER INSERT ON camera_health
  FOR EACH ROW EXECUTE FUNCTION live_changed('camera', 'camera');
CREATE TRIGGER live_turned_camera AFTER UPDATE ON camera_health
  FOR EACH ROW WHEN ((OLD.offline_since IS NULL) <> (NEW.offline_since IS NULL))
  EXECUTE FUNCTION live_changed('camera', 'camera');
CREATE TRIGGER live_alarm AFTER INSERT OR UPDATE ON alarms
  FOR EACH ROW EXECUTE FUNCTION live_changed('alarm', 'id');
CREATE TRIGGER live_new_review AFTER INSERT ON camera_reviews
  FOR EACH ROW EXECUTE FUNCTION live_changed('review', 'id');
CREATE TRIGGER live_judged_review AFTER UPDATE ON camera_reviews
  FOR EACH ROW WHEN (OLD.verdict IS DISTINCT FROM NEW.verdict)
  EXECUTE FUNCTION live_changed('review', 'id');

-- ---------------------------------------------------------------------------------------------
-- Who sees what
-- ---------------------------------------------------------------------------------------------
-- A case lists the keys that open it (seen_by): for each division above it the bare code, the code
-- with its duty line, the code with each of its departments; its officer, its handler, its reporter. A caller
-- carries the keys that his grants give. They meet, or the case is not there. '*' is the service itself.

CREATE FUNCTION scope_keys() RETURNS text[]
  LANGUAGE sql STABLE
  RETURN string_to_array(coalesce(current_setting('gridsvc.scope', true), ''), ',');

CREATE FUNCTION scope_is_service() RETURNS boolean
  LANGUAGE sql STABLE
  RETURN coalesce(current_setting('gridsvc.scope', true), '') = '*';

ALTER TABLE cases ENABLE ROW LEVEL SECURITY;
CREATE POLICY cases_in_scope ON cases TO gridsvc_app
  USING ((SELECT scope_is_service()) OR seen_by && (SELECT scope_keys()))
  -- What is found and changed is held against the scope; PostgreSQL holds the new row against it too.
  -- A move that takes a case out of the mover's sight (a department gives it back) therefore looks
  -- under the caller's scope and writes as the service (gridsvc/db.py, act_as_service).
  WITH CHECK (true);

-- What hangs on a case is seen with it.
ALTER TABLE reports ENABLE ROW LEVEL SECURITY;
CREATE POLICY reports_in_scope ON reports TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE reporters ENABLE ROW LEVEL SECURITY;
CREATE POLICY reporters_in_scope ON reporters TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM reports r WHERE r.id = report_id)) WITH CHECK (true);
ALTER TABLE history ENABLE ROW LEVEL SECURITY;
CREATE POLICY history_in_scope ON history TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE assignments ENABLE ROW LEVEL SECURITY;
CREATE POLICY assignments_in_scope ON assignments TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE case_marks ENABLE ROW LEVEL SECURITY;
CREATE POLICY case_marks_in_scope ON case_marks TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE checks ENABLE ROW LEVEL SECURITY;
CREATE POLICY checks_in_scope ON checks TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE supervision_orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY supervision_orders_in_scope ON supervision_orders TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE co_handlings ENABLE ROW LEVEL SECURITY;
CREATE POLICY co_handlings_in_scope ON co_handlings TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE calls ENABLE ROW LEVEL SECURITY;
CREATE POLICY calls_in_scope ON calls TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE call_widenings ENABLE ROW LEVEL SECURITY;
CREATE POLICY call_widenings_in_scope ON call_widenings TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE called ENABLE ROW LEVEL SECURITY;
CREATE POLICY called_in_scope ON called TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE clocks ENABLE ROW LEVEL SECURITY;
CREATE POLICY clocks_in_scope ON clocks TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE clock_pauses ENABLE ROW LEVEL SECURITY;
CREATE POLICY clock_pauses_in_scope ON clock_pauses TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM clocks c WHERE c.id = clock_id)) WITH CHECK (true);
ALTER TABLE clock_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY clock_changes_in_scope ON clock_changes TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM clocks c WHERE c.id = clock_id)) WITH CHECK (true);
ALTER TABLE clock_outages ENABLE ROW LEVEL SECURITY;
CREATE POLICY clock_outages_in_scope ON clock_outages TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM clocks c WHERE c.id = clock_id)) WITH CHECK (true);
ALTER TABLE outage_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY outage_changes_in_scope ON outage_changes TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM clocks c WHERE c.id = clock_id)) WITH CHECK (true);
ALTER TABLE escalations ENABLE ROW LEVEL SECURITY;
CREATE POLICY escalations_in_scope ON escalations TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE attachments ENABLE ROW LEVEL SECURITY;
CREATE POLICY attachments_in_scope ON attachments TO gridsvc_app
  USING ((SELECT scope_is_service())
         OR uploaded_by = ANY ((SELECT scope_keys())::text[])
         OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE call_backs ENABLE ROW LEVEL SECURITY;
CREATE POLICY call_backs_in_scope ON call_backs TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE bulk_items ENABLE ROW LEVEL SECURITY;
CREATE POLICY bulk_items_in_scope ON bulk_items TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE bulk_moves ENABLE ROW LEVEL SECURITY;
CREATE POLICY bulk_moves_in_scope ON bulk_moves TO gridsvc_app
  USING ((SELECT scope_is_service())
         OR made_by = ANY ((SELECT scope_keys())::text[])
         OR EXISTS (SELECT FROM bulk_items i WHERE i.bulk_id = id)) WITH CHECK (true);
ALTER TABLE notices ENABLE ROW LEVEL SECURITY;
CREATE POLICY notices_of_my_own ON notices TO gridsvc_app
  USING ((SELECT scope_is_service()) OR 'user:' || user_id::text = ANY ((SELECT scope_keys())::text[])) WITH CHECK (true);
ALTER TABLE quiet_hours ENABLE ROW LEVEL SECURITY;
CREATE POLICY quiet_hours_of_my_own ON quiet_hours TO gridsvc_app
  USING ((SELECT scope_is_service()) OR 'user:' || user_id::text = ANY ((SELECT scope_keys())::text[])) WITH CHECK (true);
ALTER TABLE channels ENABLE ROW LEVEL SECURITY;
CREATE POLICY channels_of_the_service ON channels TO gridsvc_app USING ((SELECT scope_is_service()));
ALTER TABLE channel_addresses ENABLE ROW LEVEL SECURITY;
CREATE POLICY channel_addresses_of_the_service ON channel_addresses TO gridsvc_app USING ((SELECT scope_is_service()));
ALTER TABLE reachings ENABLE ROW LEVEL SECURITY;
CREATE POLICY reachings_of_my_own ON reachings TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM notices n WHERE n.id = notice_id)) WITH CHECK (true);
ALTER TABLE channel_tries ENABLE ROW LEVEL SECURITY;
CREATE POLICY channel_tries_of_my_own ON channel_tries TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM notices n WHERE n.id = notice_id)) WITH CHECK (true);
ALTER TABLE push_subscriptions ENABLE ROW LEVEL SECURITY;
CREATE POLICY push_subscriptions_of_the_service ON push_subscriptions TO gridsvc_app
  USING ((SELECT scope_is_service()));
ALTER TABLE camera_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_events_in_scope ON camera_events TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE camera_events_default ENABLE ROW LEVEL SECURITY;  -- read and written through its parent alone
CREATE POLICY camera_events_default_in_scope ON camera_events_default TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK (true);
ALTER TABLE camera_incidents ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_incidents_in_scope ON camera_incidents TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE camera_reviews ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_reviews_in_scope ON camera_reviews TO gridsvc_app
  USING ((SELECT scope_is_service()) OR seen_by && (SELECT scope_keys())) WITH CHECK (true);
ALTER TABLE shift_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY shift_log_in_scope ON shift_log TO gridsvc_app
  USING ((SELECT scope_is_service()) OR seen_by && (SELECT scope_keys())) WITH CHECK (true);
ALTER TABLE mqtt_sites ENABLE ROW LEVEL SECURITY;
CREATE POLICY mqtt_sites_of_the_service ON mqtt_sites TO gridsvc_app USING ((SELECT scope_is_service()));
ALTER TABLE sip_devices ENABLE ROW LEVEL SECURITY;
CREATE POLICY sip_devices_of_the_service ON sip_devices TO gridsvc_app USING ((SELECT scope_is_service()));
ALTER TABLE case_audiences ENABLE ROW LEVEL SECURITY;
CREATE POLICY case_audiences_in_scope ON case_audiences TO gridsvc_app
  USING ((SELECT scope_is_service()) OR keys && (SELECT scope_keys())) WITH CHECK (true);
ALTER TABLE cell_counts ENABLE ROW LEVEL SECURITY;
CREATE POLICY cell_counts_in_scope ON cell_counts TO gridsvc_app
  USING ((SELECT scope_is_service()) OR audience_id IN (SELECT id FROM case_audiences)) WITH CHECK (true);
ALTER TABLE division_counts ENABLE ROW LEVEL SECURITY;
CREATE POLICY division_counts_in_scope ON division_counts TO gridsvc_app
  USING ((SELECT scope_is_service()) OR audience_id IN (SELECT id FROM case_audiences)) WITH CHECK (true);
ALTER TABLE case_count_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY case_count_changes_in_scope ON case_count_changes TO gridsvc_app
  USING ((SELECT scope_is_service()) OR keys && (SELECT scope_keys())) WITH CHECK (true);

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
ALTER TABLE viid_account_cameras ENABLE ROW LEVEL SECURITY;
CREATE POLICY viid_account_cameras_in_scope ON viid_account_cameras TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);
ALTER TABLE viid_accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY viid_accounts_in_scope ON viid_accounts TO gridsvc_app
  USING ((SELECT scope_is_service())
         OR EXISTS (SELECT FROM viid_account_cameras a WHERE a.account_id = id)) WITH CHECK (true);
ALTER TABLE viid_apes ENABLE ROW LEVEL SECURITY;
CREATE POLICY viid_apes_in_scope ON viid_apes TO gridsvc_app
  USING ((SELECT scope_is_service())
         OR EXISTS (SELECT FROM viid_accounts a WHERE a.id = account_id)) WITH CHECK (true);
-- The books and secrets of the intake are the service's alone.
ALTER TABLE camera_labels ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_labels_in_scope ON camera_labels TO gridsvc_app
  USING ((SELECT scope_is_service()) OR camera IS NULL OR EXISTS (SELECT FROM cameras c WHERE c.code = camera))
  WITH CHECK (true);
ALTER TABLE camera_mutes ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_mutes_in_scope ON camera_mutes TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);
ALTER TABLE camera_counts ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_counts_of_the_service ON camera_counts TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE camera_meters ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_meters_of_the_service ON camera_meters TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE camera_sightings ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_sightings_of_the_service ON camera_sightings TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE camera_quarantine ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_quarantine_of_the_service ON camera_quarantine TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE camera_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_tokens_of_the_service ON camera_tokens TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE camera_token_cameras ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_token_cameras_of_the_service ON camera_token_cameras TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));

ALTER TABLE alarms ENABLE ROW LEVEL SECURITY;
CREATE POLICY alarms_in_scope ON alarms TO gridsvc_app
  USING ((SELECT scope_is_service())
         OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)
         OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);
-- The feed is the service's: who is told what of it is decided for each watcher.
ALTER TABLE live_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY live_changes_of_the_service ON live_changes TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK (true);
ALTER TABLE live_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY live_log_of_the_service ON live_log TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE camera_pictures ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_pictures_in_scope ON camera_pictures TO gridsvc_app
  USING ((SELECT scope_is_service())
         OR CASE WHEN case_id IS NOT NULL THEN EXISTS (SELECT FROM cases c WHERE c.id = case_id)
                 WHEN review_id IS NOT NULL THEN EXISTS (SELECT FROM camera_reviews r WHERE r.id = review_id)
                 ELSE EXISTS (SELECT FROM cameras c WHERE c.code = camera) END) WITH CHECK (true);
ALTER TABLE camera_picture_bytes ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_picture_bytes_of_the_service ON camera_picture_bytes TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK (true);
ALTER TABLE camera_hosts ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_hosts_of_the_service ON camera_hosts TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK (true);
ALTER TABLE camera_gateways ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_gateways_of_the_service ON camera_gateways TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK (true);
ALTER TABLE camera_looks ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_looks_in_scope ON camera_looks TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);
ALTER TABLE visit_plans ENABLE ROW LEVEL SECURITY;
CREATE POLICY visit_plans_in_scope ON visit_plans TO gridsvc_app
  USING ((SELECT scope_is_service()) OR seen_by && (SELECT scope_keys())) WITH CHECK (true);
ALTER TABLE visits ENABLE ROW LEVEL SECURITY;
CREATE POLICY visits_in_scope ON visits TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE visit_openings ENABLE ROW LEVEL SECURITY;
CREATE POLICY visit_openings_in_scope ON visit_openings TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM visits v WHERE v.id = visit_id)) WITH CHECK (true);
ALTER TABLE patrols ENABLE ROW LEVEL SECURITY;
CREATE POLICY patrols_in_scope ON patrols TO gridsvc_app
  USING ((SELECT scope_is_service()) OR seen_by && (SELECT scope_keys())) WITH CHECK (true);
ALTER TABLE patrol_cells ENABLE ROW LEVEL SECURITY;
CREATE POLICY patrol_cells_in_scope ON patrol_cells TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM patrols p WHERE p.id = patrol_id)) WITH CHECK (true);
ALTER TABLE attachment_removals ENABLE ROW LEVEL SECURITY;
CREATE POLICY attachment_removals_in_scope ON attachment_removals TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE attachment_looks ENABLE ROW LEVEL SECURITY;
CREATE POLICY attachment_looks_of_the_service ON attachment_looks TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE attachment_twins ENABLE ROW LEVEL SECURITY;
CREATE POLICY attachment_twins_in_scope ON attachment_twins TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM attachments a WHERE a.id = attachment_id))
  WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE original_openings ENABLE ROW LEVEL SECURITY;
CREATE POLICY original_openings_in_scope ON original_openings TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM attachments a WHERE a.id = attachment_id))
  WITH CHECK (true);
ALTER TABLE uploads ENABLE ROW LEVEL SECURITY;
CREATE POLICY uploads_of_my_own ON uploads TO gridsvc_app
  USING ((SELECT scope_is_service()) OR uploaded_by = ANY ((SELECT scope_keys())::text[])) WITH CHECK (true);

-- Whose absence is seen: one's own, and an officer's with a post in the caller's area, above it or below, on whatever
-- axis. Who may not see that somebody is away would take him to be there.
CREATE FUNCTION officer_in_scope(officer uuid) RETURNS boolean
  LANGUAGE sql STABLE
  RETURN 'user:' || officer::text = ANY (scope_keys())
         OR EXISTS (SELECT
                      FROM grants g
                      LEFT JOIN divisions d ON d.grid_set_id = grid_set_at(city_now()) AND d.code = g.division_code
                     WHERE g.user_id = officer
                       AND (g.division_code = ANY (scope_divisions())
                            OR d.path && scope_divisions()
                            OR EXISTS (SELECT
                                         FROM divisions mine
                                        WHERE mine.grid_set_id = grid_set_at(city_now())
                                          AND mine.code = ANY (scope_divisions())
                                          AND g.division_code = ANY (mine.path))));
ALTER TABLE absences ENABLE ROW LEVEL SECURITY;
CREATE POLICY absences_in_scope ON absences TO gridsvc_app
  USING ((SELECT scope_is_service()) OR officer_in_scope(officer_id)) WITH CHECK (true);
ALTER TABLE hand_overs ENABLE ROW LEVEL SECURITY;
CREATE POLICY hand_overs_of_the_service ON hand_overs TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));

GRANT USAGE ON SCHEMA public TO gridsvc_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO gridsvc_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO gridsvc_app;
REVOKE ALL ON camera_events_default FROM gridsvc_app;
-- What has happened stays: the service adds to these and changes nothing in them.
REVOKE UPDATE, DELETE ON history, history_heads, escalations, reporter_openings, calendar_editions, clock_changes
  FROM gridsvc_app;
REVOKE UPDATE, DELETE ON case_marks FROM gridsvc_app;
REVOKE DELETE ON cases, reports, assignments, clocks, checks, supervision_orders, co_handlings, calls, called FROM gridsvc_app;
REVOKE DELETE ON call_backs, bulk_moves, bulk_items FROM gridsvc_app;
REVOKE UPDATE, DELETE ON reasons FROM gridsvc_app;
REVOKE UPDATE, DELETE ON routing_publications FROM gridsvc_app;
GRANT UPDATE (active) ON reasons TO gridsvc_app;
REVOKE UPDATE, DELETE ON category_majors, category_conditions, category_limits FROM gridsvc_app;
REVOKE UPDATE, DELETE ON component_changes, camera_changes, call_widenings FROM gridsvc_app;
REVOKE UPDATE, DELETE ON camera_looks FROM gridsvc_app;
REVOKE DELETE ON components, cameras FROM gridsvc_app;
REVOKE DELETE ON viid_accounts FROM gridsvc_app;
REVOKE UPDATE, DELETE ON calendar_alarms FROM gridsvc_app;
REVOKE DELETE ON absences FROM gridsvc_app;
REVOKE INSERT, DELETE ON notice_rules FROM gridsvc_app;
REVOKE DELETE ON outages, rung_lags FROM gridsvc_app;
REVOKE UPDATE, DELETE ON outage_steps, outage_changes FROM gridsvc_app;
REVOKE INSERT, UPDATE, DELETE ON roster_rules FROM gridsvc_app;
REVOKE UPDATE, DELETE ON hand_overs FROM gridsvc_app;
REVOKE UPDATE, DELETE ON shift_log FROM gridsvc_app;
GRANT UPDATE (taken_by, taken_at) ON shift_log TO gridsvc_app;
REVOKE DELETE ON visit_plans, visits FROM gridsvc_app;
REVOKE UPDATE, DELETE ON visit_openings FROM gridsvc_app;
REVOKE DELETE ON patrol_plans, patrols, patrol_cells FROM gridsvc_app;
REVOKE ALL ON officer_trails_default, cell_stays_default FROM gridsvc_app;
GRANT EXECUTE ON FUNCTION trail_days_make(date), trail_days_drop(date) TO gridsvc_app;
REVOKE INSERT, DELETE ON attachment_rules FROM gridsvc_app;
REVOKE UPDATE, DELETE ON attachment_removals, original_openings FROM gridsvc_app;
GRANT EXECUTE ON FUNCTION camera_events_make_day(date), camera_events_drop_day(date) TO gridsvc_app;
-- Time is the owner's.
REVOKE INSERT, UPDATE, DELETE ON instance FROM gridsvc_app;
REVOKE INSERT, UPDATE, DELETE ON spatial_ref_sys FROM gridsvc_app;
