-- What the city has decided about shifts, and what was made of the work of officers who left.

CREATE TABLE roster_rules (
  only_row           boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  ends_soon_s        integer NOT NULL DEFAULT 900 CHECK (ends_soon_s BETWEEN 0 AND 14400),
  staffed_within_s   integer NOT NULL DEFAULT 1800 CHECK (staffed_within_s BETWEEN 0 AND 14400),
  when_assigned      text NOT NULL DEFAULT 'route' CHECK (when_assigned IN ('route', 'route_if_staffed', 'stay')),
  when_accepted      text NOT NULL DEFAULT 'route_if_staffed'
                     CHECK (when_accepted IN ('route', 'route_if_staffed', 'stay')),
  when_in_progress   text NOT NULL DEFAULT 'stay' CHECK (when_in_progress IN ('route', 'route_if_staffed', 'stay'))
);
INSERT INTO roster_rules DEFAULT VALUES;

CREATE TABLE hand_overs (
  id          uuid PRIMARY KEY,
  officer_id  uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  why         text NOT NULL CHECK (why IN ('shift_end', 'absence')),
  left_at     timestamptz NOT NULL,
  at          timestamptz NOT NULL,
  handed_over integer NOT NULL,
  stay        uuid[] NOT NULL,
  UNIQUE (officer_id, left_at)
);

CREATE INDEX assignments_officer ON assignments (officer_id, assigned_at) WHERE officer_id IS NOT NULL;

GRANT SELECT ON roster_rules TO gridsvc_app;
GRANT SELECT, INSERT ON hand_overs TO gridsvc_app;
