-- The rest of the table of moves: levels that hold a case, suspension once in its life, self-handled cases.

ALTER TABLE cases
  ADD COLUMN held_by        text COLLATE "C",
  ADD COLUMN suspensions    integer NOT NULL DEFAULT 0,
  ADD COLUMN self_handled   boolean NOT NULL DEFAULT false,
  ADD COLUMN sampled        boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT held_by_a_level_above_it CHECK (held_by IS NULL OR held_by = ANY (divisions)),
  ADD CONSTRAINT suspended_once CHECK (suspensions BETWEEN 0 AND 1),
  ADD CONSTRAINT sampled_of_the_self_handled CHECK (self_handled OR NOT sampled);
