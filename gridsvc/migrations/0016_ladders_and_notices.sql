-- Ladders as editions of the city's own; digests and quiet hours of notices.

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

-- A rung stands at a share of the limit, or so long after the rung before it; the last may repeat.
ALTER TABLE rungs
  ADD COLUMN edition      integer NOT NULL DEFAULT 1 REFERENCES ladder_editions,
  ADD COLUMN axis         text NOT NULL DEFAULT 'block' CHECK (axis IN ('block', 'line', 'both')),
  ADD COLUMN after_amount double precision CHECK (after_amount > 0),
  ADD COLUMN after_unit   text CHECK (after_unit IN ('urgent_minute', 'urgent_hour', 'urgent_day', 'work_hour',
                                                     'work_day', 'day')),
  ADD COLUMN repeats      integer NOT NULL DEFAULT 0 CHECK (repeats BETWEEN 0 AND 100),
  ALTER COLUMN share DROP NOT NULL,
  DROP CONSTRAINT rungs_pkey,
  ADD PRIMARY KEY (edition, ladder, level),
  DROP CONSTRAINT rungs_role_check,
  ADD CONSTRAINT rungs_role_check CHECK (role IN ('owner', 'handler', 'dispatcher', 'acceptor', 'supervisor', 'admin')),
  ADD CONSTRAINT one_moment CHECK ((share IS NULL) = (after_amount IS NOT NULL)
                                   AND (after_amount IS NULL) = (after_unit IS NULL)),
  ADD CONSTRAINT repeats_after CHECK (repeats = 0 OR after_amount IS NOT NULL);

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

CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ladder_editions
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON rung_hearers
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ladder_uses
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();

ALTER TABLE clocks
  ADD COLUMN ladder_edition integer NOT NULL DEFAULT 1,
  ADD COLUMN rung_calendar  text REFERENCES calendars,   -- of a natural clock whose rungs wait in working time
  ADD COLUMN rung_at        timestamptz;                 -- when the last rung fired
UPDATE clocks k
   SET rung_at = (SELECT max(fired_at) FROM escalations e WHERE e.clock_id = k.id)
 WHERE state <> 'stopped' AND fired_level > 0;
CREATE INDEX clocks_by_ladders ON clocks (ladder_edition) WHERE state <> 'stopped';
CREATE INDEX clocks_by_rung_calendar ON clocks (rung_calendar, edition)
  WHERE state <> 'stopped' AND rung_calendar IS NOT NULL;
ALTER TABLE escalations
  ADD COLUMN ladder         text,                        -- NULL: fired before ladders had editions
  ADD COLUMN ladder_edition integer;

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

-- What a digest gathers stays a notice of its own; who is told of the digest is told of all in it.
ALTER TABLE notices
  ADD COLUMN digest_id  uuid REFERENCES notices ON DELETE CASCADE,
  ADD COLUMN held_until timestamptz,                     -- of a digest that waits for the end of quiet hours
  ADD COLUMN told_at    timestamptz,                     -- NULL: waits, or told when it was made
  ADD CONSTRAINT a_digest_is_in_none CHECK (digest_id IS NULL OR (kind <> 'digest' AND held_until IS NULL)),
  ADD CONSTRAINT only_digests_wait CHECK (held_until IS NULL OR (kind = 'digest' AND told_at IS NULL));
DROP INDEX notices_waiting;
CREATE INDEX notices_waiting ON notices (user_id, seq) WHERE acknowledged_at IS NULL AND digest_id IS NULL;
CREATE INDEX notices_open_digests ON notices (user_id, seq) WHERE acknowledged_at IS NULL AND kind = 'digest';
CREATE INDEX notices_held ON notices (held_until) WHERE held_until IS NOT NULL AND acknowledged_at IS NULL;
CREATE INDEX notices_of_digest ON notices (digest_id, seq) WHERE digest_id IS NOT NULL;
CREATE INDEX notices_recent ON notices (user_id, created_at) WHERE kind IN ('case.escalated', 'case.reminded');

ALTER TABLE quiet_hours ENABLE ROW LEVEL SECURITY;
CREATE POLICY quiet_hours_of_my_own ON quiet_hours TO gridsvc_app
  USING ((SELECT scope_is_service()) OR 'user:' || user_id::text = ANY ((SELECT scope_keys())::text[])) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON ladder_editions, rung_hearers, ladder_uses, quiet_hours, quiet_defaults
  TO gridsvc_app;
GRANT SELECT, UPDATE ON notice_rules TO gridsvc_app;
