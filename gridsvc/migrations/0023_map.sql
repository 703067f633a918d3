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

GRANT SELECT, INSERT, UPDATE, DELETE ON basemap_editions, map_sets, map_divisions, map_cells, map_beats TO gridsvc_app;
