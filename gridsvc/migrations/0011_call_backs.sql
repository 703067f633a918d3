-- Call-backs (回访) after closing, bulk moves that may be undone, and a city's own reasons.

-- Who asks the reporters of a closed case. A level without a row, or of which no share is asked, asks nobody.
CREATE TABLE call_back_rules (
  level  text PRIMARY KEY CHECK (level IN ('district', 'city')),
  share  double precision NOT NULL CHECK (share BETWEEN 0 AND 1),   -- of the cases
  ladder text                                    -- NULL: that of the stage limit `call_back`
);
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON call_back_rules
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();

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
CREATE TRIGGER rules_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON reasons
  FOR EACH STATEMENT EXECUTE FUNCTION rules_changed();

ALTER TABLE stage_limits
  DROP CONSTRAINT stage_limits_kind_check,
  ADD CONSTRAINT stage_limits_kind_check CHECK (kind IN ('filing', 'dispatch', 'pool', 'acknowledge', 'checking',
                                                         'on_site', 'supervision', 'co_handling', 'call', 'call_back',
                                                         'stop_it'));
ALTER TABLE clocks
  DROP CONSTRAINT clocks_kind_check,
  ADD CONSTRAINT clocks_kind_check CHECK (kind IN ('filing', 'dispatch', 'pool', 'acknowledge', 'handling', 'checking',
                                                   'on_site', 'supervision', 'co_handling', 'call', 'call_back',
                                                   'stop_it'));
-- Several may be asked of one case at once, each with a clock of its own.
DROP INDEX one_live_clock_of_a_kind;
CREATE UNIQUE INDEX one_live_clock_of_a_kind ON clocks (case_id, kind)
  WHERE state <> 'stopped' AND kind NOT IN ('co_handling', 'call_back');

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
GRANT SELECT, INSERT, UPDATE, DELETE ON call_back_rules TO gridsvc_app;
GRANT SELECT, INSERT, UPDATE ON call_backs, bulk_moves, bulk_items TO gridsvc_app;
GRANT SELECT, INSERT, UPDATE (active) ON reasons TO gridsvc_app;

-- A city that has set its limits already gets the starter's for the call-backs.
DO $$
BEGIN
  IF EXISTS (SELECT FROM stage_limits) THEN
    INSERT INTO stage_limits (kind, budget_seconds, ladder) VALUES ('call_back', 259200, 'call_back');
    INSERT INTO call_back_rules (level, share, ladder)
    VALUES ('district', 1.0, NULL), ('city', 1.0, 'call_back_city');
    INSERT INTO rungs (ladder, level, share, effect, role, division_level)
    VALUES ('call_back', 1, 0.5, 'warning', 'acceptor', 'district'),
           ('call_back', 2, 1.0, 'overdue', 'supervisor', 'district'),
           ('call_back', 3, 2.0, 'climb', 'supervisor', 'city'),
           ('call_back_city', 1, 0.5, 'warning', 'acceptor', 'city'),
           ('call_back_city', 2, 1.0, 'overdue', 'supervisor', 'city')
        ON CONFLICT DO NOTHING;
  END IF;
END
$$;
