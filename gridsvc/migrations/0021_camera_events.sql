-- What cameras say: kept in bulk, decided afterwards, one case per incident, and never a flood.

-- How much is asked of cameras, and what becomes of what they say (docs/rules/storms.md). One row; the city's data.
CREATE TABLE camera_rules (
  only_row       boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  wait_s         double precision NOT NULL DEFAULT 5 CHECK (wait_s >= 0),        -- a group waits for its others
  interval_s     double precision NOT NULL DEFAULT 60 CHECK (interval_s >= 0),   -- a joined case is told of at most so often
  repeat_s       double precision NOT NULL DEFAULT 14400 CHECK (repeat_s >= 0),  -- what goes on opens no second case before
  resolve_s      double precision NOT NULL DEFAULT 300 CHECK (resolve_s > 0),    -- silent for so long: it is over
  rate_per_s     double precision NOT NULL DEFAULT 5 CHECK (rate_per_s > 0),     -- of one camera
  burst          integer NOT NULL DEFAULT 50 CHECK (burst > 0),
  sample_every   integer NOT NULL DEFAULT 100 CHECK (sample_every > 0),          -- beyond the rate one of so many is kept
  storm_after    integer NOT NULL DEFAULT 500 CHECK (storm_after > 0),           -- so many beyond it: the camera storms
  storm_category text,                                                           -- of the default edition; NULL: no case
  blinding       text[] NOT NULL DEFAULT '{tamper,tampered,tamperdetection,shelteralarm,videoloss,scenechangedetection,offline}',
  repeats_s      double precision NOT NULL DEFAULT 86400 CHECK (repeats_s > 0),  -- so long the same message is known again
  keep_days      integer NOT NULL DEFAULT 30 CHECK (keep_days > 1),
  mute_after     integer NOT NULL DEFAULT 20 CHECK (mute_after > 0),             -- verdicts, before precision counts
  mute_below     double precision NOT NULL DEFAULT 0.2 CHECK (mute_below >= 0 AND mute_below <= 1)
);

-- What cameras have said. Written in bulk; that commit is the acknowledgement. One partition a day (UTC), made ahead;
-- what no day has been made for lies in the default one until its day is made. No foreign keys: intake waits for nobody.
CREATE TABLE camera_events (
  id             uuid NOT NULL,
  camera         text COLLATE "C" NOT NULL,
  protocol       text NOT NULL,
  key            text COLLATE "C" NOT NULL,      -- names the incident by the device
  kind           text NOT NULL,
  phase          text NOT NULL CHECK (phase IN ('start', 'update', 'end', 'pulse')),
  at             timestamptz NOT NULL,           -- by the device, bounded by received_at
  received_at    timestamptz NOT NULL,
  zone           text NOT NULL DEFAULT '',
  target         text NOT NULL DEFAULT '',
  score          double precision,
  lon            double precision,               -- WGS-84, where the message carries its own place
  lat            double precision,
  count          integer NOT NULL,
  taken_back     boolean NOT NULL,               -- the device itself calls it a false alarm
  snapshots      text[] NOT NULL DEFAULT '{}',   -- addresses; never fetched here
  digest         uuid NOT NULL,                  -- of camera, key, phase and content: what is sent twice has it twice
  raw            bytea NOT NULL CHECK (octet_length(raw) <= 8192),
  sent_by        text NOT NULL,                  -- key:… or token:…
  incident_id    uuid,
  review_id      uuid,
  outcome        text CHECK (outcome IN ('opened', 'joined', 'suppressed', 'rejected', 'review')),
  outcome_reason text NOT NULL DEFAULT '',
  case_id        uuid,
  PRIMARY KEY (received_at, id),
  CONSTRAINT a_case_where_it_led_to_one CHECK ((outcome IN ('opened', 'joined')) IS TRUE = (case_id IS NOT NULL))
) PARTITION BY RANGE (received_at);
CREATE INDEX camera_events_digest ON camera_events (digest);
CREATE INDEX camera_events_new ON camera_events (received_at) WHERE outcome IS NULL AND incident_id IS NULL;
CREATE INDEX camera_events_of_incident ON camera_events (incident_id) WHERE outcome IS NULL AND incident_id IS NOT NULL;
CREATE INDEX camera_events_of_review ON camera_events (review_id) WHERE outcome = 'review';
CREATE INDEX camera_events_of_case ON camera_events (case_id) WHERE case_id IS NOT NULL;
CREATE TABLE camera_events_default PARTITION OF camera_events DEFAULT;

-- What came, and what became of that which is not kept as a row (and of rows whose day is gone), by camera and hour.
CREATE TABLE camera_counts (
  camera  text COLLATE "C" NOT NULL,             -- '' where nobody knows whose it is
  hour    timestamptz NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('received', 'duplicate', 'opened', 'joined', 'suppressed', 'rejected',
                                           'review', 'quarantined')),
  reason  text NOT NULL DEFAULT '',
  events  bigint NOT NULL,
  PRIMARY KEY (camera, hour, outcome, reason)
);

-- The token bucket of each camera. Whoever takes in what a camera says locks its row: two cannot let the same in twice.
CREATE TABLE camera_meters (
  camera    text COLLATE "C" PRIMARY KEY,
  tokens    double precision NOT NULL,
  filled_at timestamptz NOT NULL,
  over      bigint NOT NULL DEFAULT 0,           -- events beyond the rate since the bucket was last full
  heard_at  timestamptz NOT NULL
);

-- A thing that goes on at one place, whichever cameras see it: what becomes one case.
CREATE TABLE camera_incidents (
  id         uuid PRIMARY KEY,
  group_key  text NOT NULL,                      -- cell and category; camera and category where it is about the camera
  camera     text COLLATE "C" NOT NULL,          -- the first to see it
  edition    text NOT NULL,
  category   text NOT NULL,
  cell_code  text COLLATE "C" NOT NULL,
  lon        double precision NOT NULL,
  lat        double precision NOT NULL,
  first_at   timestamptz NOT NULL,               -- when it was first and last seen, by the devices
  last_at    timestamptz NOT NULL,
  heard_at   timestamptz NOT NULL,               -- when something was last received
  due_at     timestamptz,                        -- end of the wait; NULL: decided
  events     bigint NOT NULL DEFAULT 0,          -- observations that led to its case
  cameras    text[] NOT NULL DEFAULT '{}',
  case_id    uuid,
  decided_at timestamptz,
  told_at    timestamptz,
  over_at    timestamptz
);
CREATE UNIQUE INDEX camera_incidents_going_on ON camera_incidents (group_key) WHERE over_at IS NULL;
CREATE INDEX camera_incidents_due ON camera_incidents (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX camera_incidents_silent ON camera_incidents (heard_at) WHERE over_at IS NULL;
CREATE INDEX camera_incidents_of_case ON camera_incidents (case_id);

-- One incident as one device tells it: what comes late, or twice, or in the wrong order still finds where it belongs.
CREATE TABLE camera_sightings (
  camera      text COLLATE "C" NOT NULL,
  key         text COLLATE "C" NOT NULL,
  kind        text NOT NULL,
  zone        text NOT NULL,
  target      text NOT NULL,
  first_at    timestamptz NOT NULL,
  last_at     timestamptz NOT NULL,
  heard_at    timestamptz NOT NULL,
  ended       boolean NOT NULL,
  taken_back  boolean NOT NULL,
  messages    bigint NOT NULL,
  incident_id uuid,
  PRIMARY KEY (camera, key)
);
CREATE INDEX camera_sightings_heard ON camera_sightings (heard_at);

-- Who said that nothing shall come of some events for a time, and why: works that are planned, a festival.
CREATE TABLE camera_silences (
  id         uuid PRIMARY KEY,
  matchers   jsonb NOT NULL,                     -- field -> the values of which it must have one
  author     text NOT NULL,
  reason     text NOT NULL,
  starts_at  timestamptz NOT NULL,
  ends_at    timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  expired_by text,
  CONSTRAINT starts_before_it_ends CHECK (starts_at <= ends_at)
);
CREATE INDEX camera_silences_ends ON camera_silences (ends_at);

-- What a person is to judge before anything comes of it.
CREATE TABLE camera_reviews (
  id            uuid PRIMARY KEY,
  camera        text COLLATE "C" NOT NULL,
  kind          text NOT NULL,
  zone          text NOT NULL,
  target        text NOT NULL,
  why           text NOT NULL CHECK (why IN ('mode', 'unmapped')),
  category      text,                            -- of the label map; NULL: the label stands in none
  lon           double precision NOT NULL,
  lat           double precision NOT NULL,
  cell_code     text COLLATE "C" NOT NULL,
  division_code text COLLATE "C" NOT NULL,
  seen_by       text[] NOT NULL,
  first_at      timestamptz NOT NULL,
  last_at       timestamptz NOT NULL,
  events        bigint NOT NULL,
  opened_at     timestamptz NOT NULL,
  verdict       text CHECK (verdict IN ('real', 'false', 'duplicate')),
  verdict_by    text,
  verdict_at    timestamptz,
  CONSTRAINT a_verdict_is_somebodys CHECK ((verdict IS NULL) = (verdict_by IS NULL)
                                       AND (verdict IS NULL) = (verdict_at IS NULL))
);
CREATE UNIQUE INDEX camera_reviews_open ON camera_reviews (camera, kind, zone, target) WHERE verdict IS NULL;
CREATE INDEX camera_reviews_queue ON camera_reviews (opened_at, id) WHERE verdict IS NULL;
CREATE INDEX camera_reviews_verdicts ON camera_reviews (camera, kind, verdict_at) WHERE verdict IS NOT NULL;

-- A camera whose words were too often wrong: nothing comes of that kind until somebody lifts it.
CREATE TABLE camera_mutes (
  id          uuid PRIMARY KEY,
  camera      text COLLATE "C" NOT NULL,
  kind        text NOT NULL,
  seen_real   integer NOT NULL,
  seen_false  integer NOT NULL,
  muted_at    timestamptz NOT NULL,
  lifted_at   timestamptz,
  lifted_by   text
);
CREATE UNIQUE INDEX camera_mutes_standing ON camera_mutes (camera, kind) WHERE lifted_at IS NULL;

-- Messages that could not be read, as they came (headers without secrets), until somebody looks and replays them.
CREATE TABLE camera_quarantine (
  id           uuid PRIMARY KEY,
  received_at  timestamptz NOT NULL,
  protocol     text NOT NULL,
  token_id     uuid,
  cameras      text[] NOT NULL DEFAULT '{}',     -- for which the token speaks
  peer         text NOT NULL,
  content_type text NOT NULL,
  headers      jsonb NOT NULL,
  body         bytea NOT NULL,
  bytes        bigint NOT NULL,                  -- how many came; more than is kept where it was cut
  code         text NOT NULL,
  says         text NOT NULL,
  replayed_at  timestamptz,
  replayed_as  text
);
CREATE INDEX camera_quarantine_newest ON camera_quarantine (received_at, id);
INSERT INTO camera_rules DEFAULT VALUES;
-- A city that works by the starter rules has a category for what is wrong with a camera.
UPDATE camera_rules
   SET storm_category = 'starter-2026:100150'
 WHERE EXISTS (SELECT FROM categories WHERE edition = 'starter-2026' AND code = '100150');

-- The application owns no table and cannot make one; these two make and drop days, and do nothing else.
CREATE FUNCTION camera_events_make_day(day date) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
  part text := 'camera_events_' || to_char(day, 'YYYYMMDD');
  since timestamptz := day::timestamp AT TIME ZONE 'UTC';
  until timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('camera_events days'));
  IF to_regclass(part) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE camera_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
  EXECUTE format('REVOKE ALL ON %I FROM gridsvc_app', part);
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
  -- What came before its day was made moves over; nothing may come in between.
  LOCK TABLE camera_events_default IN ACCESS EXCLUSIVE MODE;
  EXECUTE format('WITH gone AS (DELETE FROM camera_events_default WHERE received_at >= %L AND received_at < %L RETURNING *)'
                 ' INSERT INTO %I SELECT * FROM gone', since, until, part);
  EXECUTE format('ALTER TABLE camera_events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, since, until);
  RETURN true;
END
$$;

-- Its outcomes are counted first, so that the ledger goes on to balance. False: something of that day is undecided yet.
CREATE FUNCTION camera_events_drop_day(day date) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
  part text := 'camera_events_' || to_char(day, 'YYYYMMDD');
  undecided boolean;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('camera_events days'));
  IF to_regclass(part) IS NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', part);
  EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE outcome IS NULL)', part) INTO undecided;
  IF undecided THEN
    RETURN false;
  END IF;
  EXECUTE format('INSERT INTO camera_counts AS c (camera, hour, outcome, reason, events)'
                 ' SELECT camera, date_trunc(''hour'', received_at, ''UTC''), outcome, outcome_reason, count(*)'
                 '   FROM %I GROUP BY 1, 2, 3, 4'
                 ' ON CONFLICT (camera, hour, outcome, reason) DO UPDATE SET events = c.events + excluded.events', part);
  EXECUTE format('DROP TABLE %I', part);
  RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION camera_events_make_day(date), camera_events_drop_day(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION camera_events_make_day(date), camera_events_drop_day(date) TO gridsvc_app;

ALTER TABLE camera_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_events_in_scope ON camera_events TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE camera_events_default ENABLE ROW LEVEL SECURITY;  -- read and written through its parent alone
CREATE POLICY camera_events_default_in_scope ON camera_events_default TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK (true);
ALTER TABLE camera_incidents ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_incidents_in_scope ON camera_incidents TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE camera_reviews ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_reviews_in_scope ON camera_reviews TO gridsvc_app
  USING ((SELECT scope_is_service()) OR seen_by && (SELECT scope_keys())) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON camera_rules, camera_events, camera_counts, camera_meters, camera_incidents, camera_sightings,
  camera_silences, camera_reviews, camera_mutes, camera_quarantine TO gridsvc_app;
REVOKE ALL ON camera_events_default FROM gridsvc_app;
