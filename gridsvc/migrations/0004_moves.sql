-- The rest of the table of moves: levels that hold a case, suspension once in its life, self-handled cases.

ALTER TABLE cases
  ADD COLUMN held_by        text COLLATE "C",
  ADD COLUMN suspensions    integer NOT NULL DEFAULT 0,
  ADD COLUMN self_handled   boolean NOT NULL DEFAULT false,
  ADD COLUMN sampled        boolean NOT NULL DEFAULT false,
  ADD COLUMN returned_by    text,
  ADD COLUMN late           boolean NOT NULL DEFAULT false,
  ADD COLUMN appeal         text CHECK (appeal IN ('open', 'granted', 'refused')),
  ADD COLUMN checker_id     uuid REFERENCES officers,
  ADD COLUMN order_id       uuid,
  ADD COLUMN square         bigint GENERATED ALWAYS AS (   -- writes the table anew: some seconds for a million cases
    (floor(ST_X(place) * 1000) * 1000000 + floor(ST_Y(place) * 1000))::bigint) STORED,
  ADD CONSTRAINT held_by_a_level_above_it CHECK (held_by IS NULL OR held_by = ANY (divisions)),
  ADD CONSTRAINT suspended_once CHECK (suspensions BETWEEN 0 AND 1),
  ADD CONSTRAINT sampled_of_the_self_handled CHECK (self_handled OR NOT sampled),
  ADD CONSTRAINT only_late_is_appealed CHECK (late OR appeal IS NULL);

CREATE INDEX cases_alike ON cases (square, category, reported_at);
CREATE INDEX cases_merged ON cases (merged_into) WHERE merged_into IS NOT NULL;

-- The clocks know which case was late; from now on the case says it too.
UPDATE cases c
   SET late = true
  FROM clocks k
 WHERE k.case_id = c.id
   AND k.cycle = c.cycle
   AND k.kind = 'handling'
   AND k.state = 'stopped'
   AND k.stopped_at > k.due_at;

-- An officer is sent to look before a case is filed or closed (核实、核查). Ended without a result: called off.
CREATE TABLE checks (
  id         uuid PRIMARY KEY,
  case_id    uuid NOT NULL REFERENCES cases,
  cycle      integer NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('pre_filing_check', 'closing_check')),
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

ALTER TABLE checks ENABLE ROW LEVEL SECURITY;
CREATE POLICY checks_in_scope ON checks TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE supervision_orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY supervision_orders_in_scope ON supervision_orders TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON checks, supervision_orders TO gridsvc_app;

-- Both have a clock, a limit and a ladder. A city that has set its limits already gets the starter's for the two.
ALTER TABLE stage_limits
  DROP CONSTRAINT stage_limits_kind_check,
  ADD CONSTRAINT stage_limits_kind_check CHECK (kind IN ('filing', 'dispatch', 'pool', 'acknowledge', 'checking',
                                                         'on_site', 'supervision'));
ALTER TABLE clocks
  DROP CONSTRAINT clocks_kind_check,
  ADD CONSTRAINT clocks_kind_check CHECK (kind IN ('filing', 'dispatch', 'pool', 'acknowledge', 'handling', 'checking',
                                                   'on_site', 'supervision'));
ALTER TABLE attachments
  DROP CONSTRAINT attachments_purpose_check,
  ADD CONSTRAINT attachments_purpose_check CHECK (purpose IN ('report', 'before', 'after', 'note', 'check'));

DO $$
BEGIN
  IF EXISTS (SELECT FROM stage_limits) THEN
    INSERT INTO stage_limits (kind, budget_seconds, ladder)
    VALUES ('on_site', 1800, 'on_site'), ('supervision', 86400, 'supervision');
    INSERT INTO rungs (ladder, level, share, effect, role, division_level)
    VALUES ('on_site', 1, 1.0, 'overdue', 'acceptor', 'district'),
           ('on_site', 2, 2.0, 'climb', 'supervisor', 'district'),
           ('supervision', 1, 0.75, 'warning', 'owner', NULL),
           ('supervision', 2, 1.0, 'overdue', 'supervisor', 'district'),
           ('supervision', 3, 2.0, 'climb', 'supervisor', 'city')
        ON CONFLICT DO NOTHING;
  END IF;
END
$$;
