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
