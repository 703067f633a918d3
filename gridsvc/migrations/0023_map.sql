-- The map: what tiles are drawn from, in the metres of web maps (EPSG:3857).

-- What each import of the ground brought; an import replaces its own edition.
CREATE TABLE basemap_editions (
  edition     text PRIMARY KEY,
  attribution text NOT NULL,                   -- shown on the map wherever its features are
  imported_at timestamptz NOT NULL
);

-- Until now only the demo city wrote features. Its storeys are three metres high.
INSERT INTO basemap_editions (edition, attribution, imported_at)
SELECT 'demo', 'gridsvc demo city', now()
 WHERE EXISTS (SELECT FROM basemap_features);

ALTER TABLE basemap_features
  ADD COLUMN edition text REFERENCES basemap_editions ON DELETE CASCADE,
  ADD COLUMN levels  integer,                  -- storeys of a building
  ADD COLUMN shape   geometry(Geometry, 3857) NOT NULL GENERATED ALWAYS AS (ST_Transform(outline, 3857)) STORED;
UPDATE basemap_features SET edition = 'demo', levels = round(height_m / 3) WHERE edition IS NULL;
ALTER TABLE basemap_features ALTER COLUMN edition SET NOT NULL;
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

INSERT INTO case_count_changes (cell_code, divisions, keys, cases)
SELECT cell_code, divisions, case_area_keys(seen_by, divisions), 1
  FROM cases
 WHERE cell_code IS NOT NULL AND NOT exercise;

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

GRANT SELECT, INSERT, UPDATE, DELETE ON basemap_editions, map_sets, map_divisions, map_cells, map_beats, case_audiences,
  cell_counts, division_counts, case_count_changes TO gridsvc_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO gridsvc_app;
