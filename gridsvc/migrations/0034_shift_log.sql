-- The book of the shift (交接班日志): what whoever goes leaves to whoever comes. An entry is written once; a hand-over is
-- signed by who takes over, once.
CREATE TABLE shift_log (
  id            uuid PRIMARY KEY,
  division_code text COLLATE "C" NOT NULL,
  duty_line     text REFERENCES duty_lines,      -- NULL: all
  seen_by       text[] NOT NULL,
  hand_over     boolean NOT NULL,
  words         text NOT NULL CHECK (words <> ''),
  cases         uuid[] NOT NULL,                 -- that are to be watched
  figures       jsonb NOT NULL,                  -- of the desk as they stood
  written_by    uuid NOT NULL REFERENCES users,
  written_at    timestamptz NOT NULL,
  taken_by      uuid REFERENCES users,
  taken_at      timestamptz,
  CONSTRAINT a_hand_over_is_taken_by_another CHECK (
    num_nulls(taken_by, taken_at) IN (0, 2) AND (taken_by IS NULL OR (hand_over AND taken_by <> written_by)))
);
CREATE INDEX shift_log_by_time ON shift_log (written_at DESC, id DESC);
ALTER TABLE shift_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY shift_log_in_scope ON shift_log TO gridsvc_app
  USING ((SELECT scope_is_service()) OR seen_by && (SELECT scope_keys())) WITH CHECK (true);
GRANT SELECT, INSERT ON shift_log TO gridsvc_app;
GRANT UPDATE (taken_by, taken_at) ON shift_log TO gridsvc_app;
