-- Open cases follow the grid set in force (docs/rules/grid-versions.md). Nothing needs to be stopped.

-- When a set was withdrawn: it was in force until then, and questions about that time still find it.
ALTER TABLE grid_sets ADD COLUMN retired_at timestamptz;
UPDATE grid_sets SET retired_at = least(valid_from, now()) WHERE state = 'retired';
ALTER TABLE grid_sets ADD CONSTRAINT retired_says_when CHECK ((state = 'retired') = (retired_at IS NOT NULL));

CREATE OR REPLACE FUNCTION grid_set_at(moment timestamptz) RETURNS integer
  LANGUAGE sql STABLE
  RETURN (SELECT id FROM grid_sets
           WHERE (state = 'published' OR retired_at > moment) AND valid_from <= moment
           ORDER BY valid_from DESC, id DESC LIMIT 1);

ALTER TABLE cases ADD COLUMN lost_in integer REFERENCES grid_sets;
CREATE INDEX cases_to_follow ON cases (grid_set_id)
  WHERE cell_code IS NOT NULL AND state NOT IN ('closed', 'rejected', 'cancelled', 'merged');
