-- What officers can do, the teams they are in, and when they are away.

-- What an officer can do beyond what all can (技能): electrician, climbs, has a boat. A word of the city's own.
CREATE TABLE officer_skills (
  officer_id uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  skill      text COLLATE "C" NOT NULL CHECK (skill ~ '^[a-z][a-z0-9_]{0,63}$'),
  PRIMARY KEY (officer_id, skill)
);

-- Named teams of officers (队), beside the beats: a night crew, a flood crew.
CREATE TABLE teams (
  code      text COLLATE "C" PRIMARY KEY CHECK (code !~ '[,/]'),
  name      text NOT NULL,
  name_en   text NOT NULL DEFAULT '',
  duty_line text NOT NULL REFERENCES duty_lines
);
CREATE TABLE team_officers (
  team       text COLLATE "C" NOT NULL REFERENCES teams,
  officer_id uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  PRIMARY KEY (team, officer_id)
);
CREATE INDEX team_officers_officer ON team_officers (officer_id);

-- When an officer is away whatever the shifts say (请假). Never deleted: cancelled.
CREATE TABLE absences (
  id           uuid PRIMARY KEY,
  officer_id   uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  from_at      timestamptz NOT NULL,
  until_at     timestamptz NOT NULL,
  reason       text NOT NULL CHECK (reason IN ('leave', 'sick', 'training', 'seconded', 'other')),
  entered_by   text NOT NULL,
  entered_at   timestamptz NOT NULL,
  cancelled_by text,
  cancelled_at timestamptz,
  CONSTRAINT an_absence_ends CHECK (until_at > from_at),
  CONSTRAINT a_cancelling_is_whole CHECK ((cancelled_by IS NULL) = (cancelled_at IS NULL))
);
CREATE INDEX absences_officer ON absences (officer_id, until_at) WHERE cancelled_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON officer_skills, teams, team_officers TO gridsvc_app;
GRANT SELECT, INSERT, UPDATE ON absences TO gridsvc_app;
