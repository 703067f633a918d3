-- Calendars with seasons, editions and places of use; clocks that follow them; suspensions that end by themselves.

-- ---------------------------------------------------------------------------------------------
-- Calendars
-- ---------------------------------------------------------------------------------------------

ALTER TABLE calendars
  ADD COLUMN seasons      jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN work_day     text NOT NULL DEFAULT 'eight_hours' CHECK (work_day IN ('eight_hours', 'end_of_day')),
  ADD COLUMN sources      jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN published_at timestamptz,
  ADD COLUMN published_by text NOT NULL DEFAULT '';

ALTER TABLE calendar_days
  ADD COLUMN notice integer;

CREATE TABLE calendar_editions (
  calendar     text NOT NULL REFERENCES calendars,
  edition      integer NOT NULL,
  name         text NOT NULL,
  slots        jsonb NOT NULL,
  seasons      jsonb NOT NULL,
  work_day     text NOT NULL,
  years        integer[] NOT NULL,
  days         jsonb NOT NULL,
  sources      jsonb NOT NULL,
  published_at timestamptz,
  published_by text NOT NULL,
  replaced_at  timestamptz NOT NULL,
  PRIMARY KEY (calendar, edition)
);

CREATE TABLE calendar_uses (
  department    text UNIQUE REFERENCES departments,
  division_code text COLLATE "C" UNIQUE,
  calendar      text NOT NULL REFERENCES calendars,
  CONSTRAINT one_place CHECK (num_nonnulls(department, division_code) = 1)
);

CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON calendar_uses
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();

-- ---------------------------------------------------------------------------------------------
-- Clocks
-- ---------------------------------------------------------------------------------------------

ALTER TABLE clocks
  DROP CONSTRAINT clocks_unit_check,
  DROP CONSTRAINT work_needs_a_calendar,
  ADD CONSTRAINT clocks_unit_check CHECK (unit IN ('natural', 'work', 'work_day')),
  ADD CONSTRAINT work_needs_a_calendar CHECK ((unit <> 'natural') = (calendar IS NOT NULL));

CREATE INDEX clocks_by_edition ON clocks (calendar, edition) WHERE state <> 'stopped' AND calendar IS NOT NULL;
CREATE INDEX clocks_provisional ON clocks (calendar) WHERE provisional AND state <> 'stopped';

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

-- ---------------------------------------------------------------------------------------------
-- Suspensions
-- ---------------------------------------------------------------------------------------------

ALTER TABLE cases ADD COLUMN suspended_until timestamptz;
UPDATE cases c
   SET suspended_until = (SELECT (h.facts ->> 'until')::timestamptz
                            FROM history h
                           WHERE h.case_id = c.id AND h.move = 'suspend'
                           ORDER BY h.version DESC LIMIT 1)
 WHERE suspended;
ALTER TABLE cases ADD CONSTRAINT suspended_has_an_end CHECK (suspended = (suspended_until IS NOT NULL));
CREATE INDEX cases_suspended ON cases (suspended_until) WHERE suspended_until IS NOT NULL;

-- ---------------------------------------------------------------------------------------------
-- Who sees what
-- ---------------------------------------------------------------------------------------------

ALTER TABLE clock_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY clock_changes_in_scope ON clock_changes TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM clocks c WHERE c.id = clock_id)) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_uses TO gridsvc_app;
GRANT SELECT, INSERT ON calendar_editions, clock_changes TO gridsvc_app;
