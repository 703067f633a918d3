-- Categories as versioned data: major classes, conditions, limits by condition and by management level.
-- A published edition never changes; old cases keep the edition, the condition and the level that gave their limit.

ALTER TABLE category_editions
  ADD COLUMN published_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN source       text NOT NULL DEFAULT '';

CREATE TABLE category_majors (
  edition text NOT NULL REFERENCES category_editions,
  code    text COLLATE "C" NOT NULL,
  kind    text NOT NULL CHECK (kind IN ('component', 'event')),
  name    text NOT NULL,
  name_en text NOT NULL DEFAULT '',
  PRIMARY KEY (edition, code)
);

ALTER TABLE categories
  ADD COLUMN major              text COLLATE "C",
  ADD COLUMN dispatches_itself  boolean NOT NULL DEFAULT true,
  ADD COLUMN attributes         text[] NOT NULL DEFAULT '{}',
  ADD COLUMN evidence           text[] NOT NULL DEFAULT '{}',
  ADD COLUMN duplicate_radius_m double precision NOT NULL DEFAULT 50,
  ADD COLUMN duplicate_window_h double precision NOT NULL DEFAULT 24,
  ADD FOREIGN KEY (edition, major) REFERENCES category_majors,
  ADD CONSTRAINT evidence_is_known CHECK (evidence <@ ARRAY['report', 'before', 'after']),
  ADD CONSTRAINT duplicates_have_a_reach CHECK (duplicate_radius_m >= 0 AND duplicate_window_h >= 0);

CREATE TABLE category_conditions (
  edition    text NOT NULL,
  category   text COLLATE "C" NOT NULL,
  code       text COLLATE "C" NOT NULL,
  position   integer NOT NULL,
  says       text NOT NULL,
  closing    text NOT NULL DEFAULT '',
  is_default boolean NOT NULL DEFAULT false,
  PRIMARY KEY (edition, category, code),
  FOREIGN KEY (edition, category) REFERENCES categories
);
CREATE UNIQUE INDEX one_default_condition ON category_conditions (edition, category) WHERE is_default;

CREATE TABLE category_limits (
  edition          text NOT NULL,
  category         text COLLATE "C" NOT NULL,
  condition        text COLLATE "C",
  management_level text CHECK (management_level IN ('A', 'B', 'C')),
  stage            text COLLATE "C" NOT NULL DEFAULT 'handling',
  amount           double precision NOT NULL CHECK (amount > 0),
  unit             text NOT NULL CHECK (unit IN ('urgent_hour', 'urgent_day', 'work_hour', 'work_day', 'day')),
  FOREIGN KEY (edition, category) REFERENCES categories,
  FOREIGN KEY (edition, category, condition) REFERENCES category_conditions,
  UNIQUE NULLS NOT DISTINCT (edition, category, condition, management_level, stage)
);

ALTER TABLE cases
  ADD COLUMN condition        text COLLATE "C",
  ADD COLUMN management_level text CHECK (management_level IN ('A', 'B', 'C')),
  ADD FOREIGN KEY (edition, category, condition) REFERENCES category_conditions;

CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON category_majors
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON category_conditions
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON category_limits
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();

GRANT SELECT, INSERT ON category_majors, category_conditions, category_limits TO gridsvc_app;
