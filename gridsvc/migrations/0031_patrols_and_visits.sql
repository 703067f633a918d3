-- Visits (走访): who or what is visited how often. A visit that is due is a case of its plan's category.

-- The subject is a key of the city's own: what it means stands nowhere here. next_on NULL: the plan has ended.
CREATE TABLE visit_plans (
  id           uuid PRIMARY KEY,
  edition      text NOT NULL,
  category     text COLLATE "C" NOT NULL,
  subject      text COLLATE "C" NOT NULL CHECK (subject ~ '^[A-Z0-9][A-Z0-9-]{1,31}$' AND subject !~ '[0-9]{7}'),
  place        geometry(Point, 4326) NOT NULL,
  divisions    text[] NOT NULL,
  seen_by      text[] NOT NULL,                  -- keys as of a case that lies there
  every_count  integer NOT NULL CHECK (every_count BETWEEN 1 AND 366),
  every_unit   text NOT NULL CHECK (every_unit IN ('day', 'week', 'month')),
  first_on     date NOT NULL,
  working_days boolean NOT NULL,
  next_on      date,
  fault        text NOT NULL DEFAULT '',         -- why no case could be opened; it rests until it is imported anew
  entered_by   text NOT NULL,
  entered_at   timestamptz NOT NULL,
  FOREIGN KEY (edition, category) REFERENCES categories,
  UNIQUE (edition, category, subject)
);
CREATE INDEX visit_plans_due ON visit_plans (next_on) WHERE next_on IS NOT NULL AND fault = '';

-- The form (attributes of the category, a note) is sealed: it opens with a logged reason.
CREATE TABLE visits (
  id          uuid PRIMARY KEY,
  plan_id     uuid NOT NULL REFERENCES visit_plans,
  case_id     uuid NOT NULL UNIQUE REFERENCES cases,
  subject     text COLLATE "C" NOT NULL,
  due_on      date NOT NULL,
  opened_at   timestamptz NOT NULL,
  ended_at    timestamptz,
  visited_at  timestamptz,                       -- by the phone's word, bounded by opened_at and ended_at
  result      text CHECK (result IN ('made', 'trouble', 'not_met', 'refused', 'gone')),
  officer_id  uuid REFERENCES users,             -- who made it
  distance_m  double precision,                  -- how far from the place he stood, where he said so
  form_sealed bytea,
  CONSTRAINT a_result_is_whole CHECK (num_nulls(ended_at, visited_at, result, officer_id, form_sealed) IN (0, 5)),
  CONSTRAINT visited_while_open CHECK (visited_at BETWEEN opened_at AND ended_at)
);
CREATE INDEX visits_plan ON visits (plan_id);

CREATE TABLE visit_openings (
  id        uuid PRIMARY KEY,
  visit_id  uuid NOT NULL REFERENCES visits,
  opened_by uuid NOT NULL REFERENCES users,
  reason    text NOT NULL CHECK (length(reason) >= 4),
  opened_at timestamptz NOT NULL
);

ALTER TABLE visit_plans ENABLE ROW LEVEL SECURITY;
CREATE POLICY visit_plans_in_scope ON visit_plans TO gridsvc_app
  USING ((SELECT scope_is_service()) OR seen_by && (SELECT scope_keys())) WITH CHECK (true);
ALTER TABLE visits ENABLE ROW LEVEL SECURITY;
CREATE POLICY visits_in_scope ON visits TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE visit_openings ENABLE ROW LEVEL SECURITY;
CREATE POLICY visit_openings_in_scope ON visit_openings TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM visits v WHERE v.id = visit_id)) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE ON visit_plans, visits TO gridsvc_app;
GRANT SELECT, INSERT ON visit_openings TO gridsvc_app;

-- Patrols (巡查): which cells of a beat are walked in which shift, and how often.

CREATE TABLE patrol_plans (
  id         uuid PRIMARY KEY,
  code       text COLLATE "C" NOT NULL UNIQUE,
  duty_line  text NOT NULL REFERENCES duty_lines,
  beat_code  text COLLATE "C" NOT NULL,
  shifts     text NOT NULL,                      -- as a roster writes them: '1-5 08:00-12:00 14:00-18:00'
  cells      text[] NOT NULL,                    -- empty: all of the beat
  times      integer NOT NULL CHECK (times BETWEEN 1 AND 20),
  stay       interval NOT NULL CHECK (stay >= interval '0'),
  warn       interval NOT NULL CHECK (warn > interval '0'),   -- so long before the end what is open is told
  active     boolean NOT NULL,
  entered_by text NOT NULL,
  entered_at timestamptz NOT NULL
);

-- One shift of a plan, as it was when it began. Judged when it ends, and once more when late positions have come.
CREATE TABLE patrols (
  id         uuid PRIMARY KEY,
  plan_id    uuid NOT NULL REFERENCES patrol_plans,
  duty_line  text NOT NULL,
  beat_code  text COLLATE "C" NOT NULL,
  divisions  text[] NOT NULL,
  seen_by    text[] NOT NULL,                    -- keys as of a case that lies there
  from_at    timestamptz NOT NULL,
  until_at   timestamptz NOT NULL CHECK (until_at > from_at),
  warn_at    timestamptz NOT NULL,
  cells      text[] NOT NULL,
  times      integer NOT NULL,
  stay       interval NOT NULL,
  warned_at  timestamptz,
  judged_at  timestamptz,
  settled_at timestamptz,
  officers   uuid[] NOT NULL DEFAULT '{}',       -- of the beat, on duty in the shift
  UNIQUE (plan_id, from_at),
  CONSTRAINT settled_after_it_was_judged CHECK (settled_at IS NULL OR judged_at IS NOT NULL)
);
CREATE INDEX patrols_to_do ON patrols (until_at) WHERE settled_at IS NULL;
CREATE INDEX patrols_from ON patrols (from_at);

CREATE TABLE patrol_cells (
  patrol_id uuid NOT NULL REFERENCES patrols,
  cell_code text COLLATE "C" NOT NULL,
  state     text NOT NULL CHECK (state IN ('walked', 'unknown', 'missed')),
  times     integer NOT NULL,
  officers  uuid[] NOT NULL,                     -- who was there
  PRIMARY KEY (patrol_id, cell_code)
);

ALTER TABLE patrols ENABLE ROW LEVEL SECURITY;
CREATE POLICY patrols_in_scope ON patrols TO gridsvc_app
  USING ((SELECT scope_is_service()) OR seen_by && (SELECT scope_keys())) WITH CHECK (true);
ALTER TABLE patrol_cells ENABLE ROW LEVEL SECURITY;
CREATE POLICY patrol_cells_in_scope ON patrol_cells TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM patrols p WHERE p.id = patrol_id)) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE ON patrol_plans, patrols, patrol_cells TO gridsvc_app;
