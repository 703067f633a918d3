-- Evaluation (综合评价): marks of what no other table than the history tells of a cycle once the next one runs; exercises.

-- A mark is left by a move that evaluation counts. Append-only.
CREATE TABLE case_marks (
  case_id       uuid NOT NULL REFERENCES cases,
  version       integer NOT NULL,                -- of the history row that says the rest
  cycle         integer NOT NULL,                -- in which it happened
  mark          text NOT NULL CHECK (mark IN ('reworked', 'extended', 'suspended', 'appealed', 'granted', 'reopened',
                                              'undone')),   -- takes back the mark of the version before
  at            timestamptz NOT NULL,
  assignment_id uuid REFERENCES assignments,     -- who had the case, or had it last
  PRIMARY KEY (case_id, version)
);
CREATE INDEX case_marks_at ON case_marks (at);

-- What happened before this migration is in the history.
INSERT INTO case_marks (case_id, version, cycle, mark, at, assignment_id)
SELECT h.case_id, h.version, h.cycle,
       CASE h.move WHEN 'rework' THEN 'reworked' WHEN 'send_back' THEN 'reworked' WHEN 'extend' THEN 'extended'
                   WHEN 'suspend' THEN 'suspended' WHEN 'appeal' THEN 'appealed' WHEN 'settle_appeal' THEN 'granted'
                   WHEN 'undo' THEN 'undone' ELSE 'reopened' END,
       h.at,
       (SELECT a.id FROM assignments a
         WHERE a.case_id = h.case_id AND a.assigned_at <= h.at ORDER BY a.assigned_at DESC, a.id DESC LIMIT 1)
  FROM (SELECT case_id, version, move, at, facts,
               (1 + count(*) FILTER (WHERE move = 'reopen')
                      OVER (PARTITION BY case_id ORDER BY version)
                  - CASE WHEN move = 'reopen' THEN 1 ELSE 0 END)::integer AS cycle
          FROM history) AS h
 WHERE h.move IN ('rework', 'send_back', 'extend', 'suspend', 'appeal', 'reopen')
    OR (h.move = 'settle_appeal' AND h.facts ->> 'result' = 'granted')
    OR (h.move = 'undo' AND h.facts ->> 'undone' IN ('suspend', 'extend'));

-- An exercise (演练) rings and runs like any case, and counts nowhere.
ALTER TABLE cases ADD COLUMN exercise boolean NOT NULL DEFAULT false;

ALTER TABLE case_marks ENABLE ROW LEVEL SECURITY;
CREATE POLICY case_marks_in_scope ON case_marks TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);

GRANT SELECT, INSERT ON case_marks TO gridsvc_app;
