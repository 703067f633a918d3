-- Outages that are declared and approved, what they make of clocks, and how late rungs fired.

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

-- The fact beside the corrected deadline: when it was due had no outage been. NULL: none moved it.
ALTER TABLE clocks ADD COLUMN plain_due_at timestamptz;

-- How late rungs fired, added up. By slot, so that sweepers do not wait for each other.
CREATE TABLE rung_lags (
  slot         integer NOT NULL,
  most_seconds double precision NOT NULL,        -- the upper border of the bucket
  fired        bigint NOT NULL,
  lag_seconds  double precision NOT NULL,        -- the sum
  PRIMARY KEY (slot, most_seconds)
);

-- Every emergency that is open, so that its rungs go before a backlog.
CREATE INDEX cases_emergencies ON cases (id)
  WHERE severity = 'emergency' AND state NOT IN ('closed', 'rejected', 'cancelled', 'merged');

ALTER TABLE clock_outages ENABLE ROW LEVEL SECURITY;
CREATE POLICY clock_outages_in_scope ON clock_outages TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM clocks c WHERE c.id = clock_id)) WITH CHECK (true);
ALTER TABLE outage_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY outage_changes_in_scope ON outage_changes TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM clocks c WHERE c.id = clock_id)) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE ON outages, rung_lags TO gridsvc_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON clock_outages TO gridsvc_app;
GRANT SELECT, INSERT ON outage_steps, outage_changes TO gridsvc_app;
