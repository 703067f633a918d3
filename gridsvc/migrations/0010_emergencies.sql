-- Emergencies: the nearest officers are called at once, in rounds that widen; limits of the desks by severity; minutes.

ALTER TABLE categories
  DROP CONSTRAINT categories_limit_unit_check,
  ADD CONSTRAINT categories_limit_unit_check CHECK (limit_unit IN (
    'urgent_minute', 'urgent_hour', 'urgent_day', 'work_hour', 'work_day', 'day'));
ALTER TABLE category_limits
  DROP CONSTRAINT category_limits_unit_check,
  ADD CONSTRAINT category_limits_unit_check CHECK (unit IN (
    'urgent_minute', 'urgent_hour', 'urgent_day', 'work_hour', 'work_day', 'day'));

ALTER TABLE stage_limits
  DROP CONSTRAINT stage_limits_pkey,
  DROP CONSTRAINT stage_limits_kind_check,
  ADD CONSTRAINT stage_limits_kind_check CHECK (kind IN ('filing', 'dispatch', 'pool', 'acknowledge', 'checking',
                                                         'on_site', 'supervision', 'co_handling', 'call', 'call_back',
                                                         'stop_it')),
  ADD COLUMN severity text CHECK (severity IN ('low', 'normal', 'high', 'emergency')),
  ADD CONSTRAINT one_limit_of_a_kind UNIQUE NULLS NOT DISTINCT (kind, severity);
ALTER TABLE clocks
  DROP CONSTRAINT clocks_kind_check,
  ADD CONSTRAINT clocks_kind_check CHECK (kind IN ('filing', 'dispatch', 'pool', 'acknowledge', 'handling', 'checking',
                                                   'on_site', 'supervision', 'co_handling', 'call', 'call_back',
                                                   'stop_it'));

-- How far, how many and how long each round of a call goes; after the last it is rung again and again.
CREATE TABLE call_rounds (
  round        integer PRIMARY KEY CHECK (round >= 1),
  radius_m     double precision CHECK (radius_m > 0),        -- NULL: everybody on duty in the district
  most         integer CHECK (most >= 1),                    -- officers who are called; NULL: all of them
  wait_seconds integer NOT NULL CHECK (wait_seconds > 0)     -- until the next round
);
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON call_rounds
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();

ALTER TABLE cases
  DROP CONSTRAINT cases_pool_check,
  ADD CONSTRAINT cases_pool_check CHECK (pool IN ('filing', 'locate', 'routing', 'dispatch', 'cause', 'call')),
  ADD COLUMN call_id      uuid,
  ADD COLUMN call_for     text CHECK (call_for IN ('owner', 'first_on_scene')),
  ADD COLUMN called       uuid[] NOT NULL DEFAULT '{}',
  ADD COLUMN responder_id uuid REFERENCES officers,
  ADD CONSTRAINT a_call_rings_for_something CHECK ((call_id IS NULL) = (call_for IS NULL)),
  ADD CONSTRAINT only_a_call_has_called CHECK (call_id IS NOT NULL OR called = '{}'),
  ADD CONSTRAINT rings_in_the_pool CHECK (pool IS DISTINCT FROM 'call' OR call_for = 'owner');

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

ALTER TABLE calls ENABLE ROW LEVEL SECURITY;
CREATE POLICY calls_in_scope ON calls TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE call_widenings ENABLE ROW LEVEL SECURITY;
CREATE POLICY call_widenings_in_scope ON call_widenings TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE called ENABLE ROW LEVEL SECURITY;
CREATE POLICY called_in_scope ON called TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON calls, called TO gridsvc_app;
GRANT SELECT, INSERT ON call_widenings TO gridsvc_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON call_rounds TO gridsvc_app;

-- A city that has set its limits already gets the starter's for emergencies.
DO $$
BEGIN
  IF EXISTS (SELECT FROM stage_limits) THEN
    INSERT INTO stage_limits (kind, budget_seconds, ladder, severity)
    VALUES ('call', 180, 'call', NULL),
           ('filing', 120, 'emergency', 'emergency'),
           ('dispatch', 120, 'emergency', 'emergency'),
           ('pool', 120, 'emergency', 'emergency'),
           ('acknowledge', 180, 'emergency_acknowledge', 'emergency');
    INSERT INTO rungs (ladder, level, share, effect, role, division_level)
    VALUES ('call', 1, 1.0, 'overdue', 'dispatcher', 'district'),
           ('call', 2, 2.0, 'climb', 'supervisor', 'district'),
           ('call', 3, 3.0, 'climb', 'supervisor', 'city'),
           ('emergency', 1, 1.0, 'overdue', 'dispatcher', 'district'),
           ('emergency', 2, 2.0, 'climb', 'supervisor', 'district'),
           ('emergency', 3, 3.0, 'climb', 'supervisor', 'city'),
           ('emergency_acknowledge', 1, 0.5, 'warning', 'owner', NULL),
           ('emergency_acknowledge', 2, 1.0, 'overdue', 'dispatcher', 'district'),
           ('emergency_acknowledge', 3, 1.5, 'climb', 'supervisor', 'district'),
           ('emergency_acknowledge', 4, 2.0, 'climb', 'supervisor', 'city'),
           ('emergency_acknowledge', 5, 3.0, 'move_on', 'dispatcher', 'district')
        ON CONFLICT DO NOTHING;
    INSERT INTO call_rounds (round, radius_m, most, wait_seconds)
    VALUES (1, 500, 3, 60), (2, 1500, 5, 60), (3, 5000, 10, 120), (4, NULL, NULL, 300);
  END IF;
END
$$;
