-- Co-handling (主办、协办): parts of a case that further departments do. And causes with their effects (主因、关联案卷).

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

ALTER TABLE co_handlings ENABLE ROW LEVEL SECURITY;
CREATE POLICY co_handlings_in_scope ON co_handlings TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON co_handlings TO gridsvc_app;

ALTER TABLE cases
  DROP CONSTRAINT cases_pool_check,
  ADD CONSTRAINT cases_pool_check CHECK (pool IN ('filing', 'locate', 'routing', 'dispatch', 'cause', 'call')),
  ADD COLUMN co_departments text[] NOT NULL DEFAULT '{}',   -- that have or had a part of it: they see it
  ADD COLUMN co_open        text[] NOT NULL DEFAULT '{}',   -- those of them whose part is open
  ADD COLUMN cause_id       uuid REFERENCES cases,          -- the case that it is an effect of
  ADD COLUMN had_effects    boolean NOT NULL DEFAULT false, -- another case was linked to it, at some time
  ADD CONSTRAINT an_open_part_is_a_part CHECK (co_open <@ co_departments),
  ADD CONSTRAINT the_lead_has_no_part CHECK (NOT department = ANY (co_open)),
  ADD CONSTRAINT not_its_own_cause CHECK (cause_id <> id),
  ADD CONSTRAINT an_effect_waits_or_was_handled_with_its_cause CHECK (
    CASE WHEN pool = 'cause' THEN cause_id IS NOT NULL
         ELSE cause_id IS NULL OR state IN ('handled', 'closed') END);
CREATE INDEX cases_cause ON cases (cause_id) WHERE cause_id IS NOT NULL;

ALTER TABLE stage_limits
  DROP CONSTRAINT stage_limits_kind_check,
  ADD CONSTRAINT stage_limits_kind_check CHECK (kind IN ('filing', 'dispatch', 'pool', 'acknowledge', 'checking',
                                                         'on_site', 'supervision', 'co_handling', 'call',
                                                         'call_back'));
ALTER TABLE clocks
  DROP CONSTRAINT clocks_kind_check,
  ADD CONSTRAINT clocks_kind_check CHECK (kind IN ('filing', 'dispatch', 'pool', 'acknowledge', 'handling', 'checking',
                                                   'on_site', 'supervision', 'co_handling', 'call', 'call_back')),
  ADD COLUMN co_handling_id uuid REFERENCES co_handlings,   -- the part whose clock it is
  ADD CONSTRAINT a_clock_of_a_part_names_it CHECK ((kind = 'co_handling') = (co_handling_id IS NOT NULL));
DROP INDEX one_live_clock_of_a_kind;
CREATE UNIQUE INDEX one_live_clock_of_a_kind ON clocks (case_id, kind)
  WHERE state <> 'stopped' AND co_handling_id IS NULL;
CREATE UNIQUE INDEX one_clock_of_a_part ON clocks (co_handling_id);

-- A city that has set its ladders already gets the starter's for a part.
DO $$
BEGIN
  IF EXISTS (SELECT FROM stage_limits) THEN
    INSERT INTO rungs (ladder, level, share, effect, role, division_level)
    VALUES ('co_handling', 1, 0.75, 'warning', 'owner', NULL),
           ('co_handling', 2, 1.0, 'overdue', 'owner', NULL),
           ('co_handling', 3, 1.5, 'climb', 'supervisor', 'district'),
           ('co_handling', 4, 2.0, 'climb', 'supervisor', 'city')
        ON CONFLICT DO NOTHING;
  END IF;
END
$$;
