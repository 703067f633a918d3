-- The rest of the table of moves: levels that hold a case, suspension once in its life, self-handled cases.

ALTER TABLE cases
  ADD COLUMN held_by        text COLLATE "C",
  ADD COLUMN suspensions    integer NOT NULL DEFAULT 0,
  ADD COLUMN self_handled   boolean NOT NULL DEFAULT false,
  ADD COLUMN sampled        boolean NOT NULL DEFAULT false,
  ADD COLUMN returned_by    text,
  ADD COLUMN late           boolean NOT NULL DEFAULT false,
  ADD COLUMN appeal         text CHECK (appeal IN ('open', 'granted', 'refused')),
  ADD CONSTRAINT held_by_a_level_above_it CHECK (held_by IS NULL OR held_by = ANY (divisions)),
  ADD CONSTRAINT suspended_once CHECK (suspensions BETWEEN 0 AND 1),
  ADD CONSTRAINT sampled_of_the_self_handled CHECK (self_handled OR NOT sampled),
  ADD CONSTRAINT only_late_is_appealed CHECK (late OR appeal IS NULL);

-- The clocks know which case was late; from now on the case says it too.
UPDATE cases c
   SET late = true
  FROM clocks k
 WHERE k.case_id = c.id
   AND k.cycle = c.cycle
   AND k.kind = 'handling'
   AND k.state = 'stopped'
   AND k.stopped_at > k.due_at;
