-- The live feed of the control centre: what has changed, numbered in the order of commits; and alarms.

-- What asks for a person at once (警报): a new emergency, a case whose limit has passed, a camera that storms. It stands
-- until somebody says by name that he has seen it.
CREATE TABLE alarms (
  id              uuid PRIMARY KEY,
  kind            text NOT NULL CHECK (kind IN ('emergency', 'escalation', 'camera_storm')),
  case_id         uuid REFERENCES cases,
  camera          text COLLATE "C" REFERENCES cameras,
  severity        text NOT NULL CHECK (severity IN ('low', 'normal', 'high', 'emergency')),
  says            text NOT NULL,
  says_en         text NOT NULL,
  raised_at       timestamptz NOT NULL,
  acknowledged_by uuid REFERENCES users,
  acknowledged_at timestamptz,
  CONSTRAINT about_one_thing CHECK (num_nonnulls(case_id, camera) = 1 AND (kind = 'camera_storm') = (camera IS NOT NULL)),
  CONSTRAINT seen_by_somebody CHECK (num_nulls(acknowledged_by, acknowledged_at) IN (0, 2))
);
-- A case that climbs rung after rung rings once until somebody has seen it.
CREATE UNIQUE INDEX alarms_of_case ON alarms (case_id, kind) WHERE acknowledged_at IS NULL;
CREATE INDEX alarms_raised ON alarms (raised_at, id);
CREATE INDEX alarms_camera ON alarms (camera, raised_at) WHERE camera IS NOT NULL;
CREATE INDEX alarms_seen ON alarms (acknowledged_at) WHERE acknowledged_at IS NOT NULL;

-- How far the live feed is (docs/live.md). The number belongs to the transaction that gives it: no number is seen
-- before a smaller one.
CREATE TABLE live_position (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  epoch    uuid NOT NULL DEFAULT gen_random_uuid(),
  seq      bigint NOT NULL DEFAULT 0
);
INSERT INTO live_position DEFAULT VALUES;

-- What has changed and has no number yet: written by the transaction that changed it, numbered after its commit.
-- was_keys, was_areas: who could see it before, and where it lay.
CREATE TABLE live_changes (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind      text NOT NULL CHECK (kind IN ('case', 'officer', 'camera', 'alarm', 'scope', 'session')),
  ref       text COLLATE "C" NOT NULL,
  was_keys  text[] NOT NULL DEFAULT '{}',
  was_areas text[] NOT NULL DEFAULT '{}'
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- The last of the feed, number after number without a gap: what each web process reads, and begins with.
CREATE TABLE live_log (
  seq       bigint PRIMARY KEY,
  at        timestamptz NOT NULL,
  kind      text NOT NULL,
  ref       text COLLATE "C" NOT NULL,
  keys      text[] NOT NULL,                     -- that open it now; none: it is gone for all
  areas     text[] COLLATE "C" NOT NULL,         -- divisions and cell that it lies in
  was_keys  text[] NOT NULL,
  was_areas text[] NOT NULL,
  body      text                                 -- JSON as clients get it
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- Keys of the feed beside those of cases: who may list an officer of a grant, and who a camera.
CREATE FUNCTION live_officer_keys(division text, duty_line text) RETURNS text[]
  LANGUAGE sql STABLE
  RETURN (
    SELECT array_agg(key ORDER BY key)
      FROM (SELECT live_officer_keys.division
             UNION
            SELECT unnest(d.path)
              FROM divisions d
             WHERE d.grid_set_id = grid_set_at(city_now())
               AND d.code = live_officer_keys.division) AS above (code),
           LATERAL (VALUES ('officers@' || code), ('officers@' || code || '/line:' || duty_line)) AS keys (key)
  );

CREATE FUNCTION live_camera_keys(divisions text[]) RETURNS text[]
  LANGUAGE sql IMMUTABLE
  RETURN ARRAY(SELECT 'cameras@' || code FROM unnest(divisions) AS code);

CREATE FUNCTION live_case_areas(divisions text[], desk_path text[], cell_code text) RETURNS text[]
  LANGUAGE sql IMMUTABLE
  RETURN CASE WHEN divisions = '{}' THEN desk_path ELSE divisions END
         || CASE WHEN cell_code IS NULL THEN '{}'::text[] ELSE ARRAY[cell_code] END;

CREATE FUNCTION live_new_cases() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO live_changes (kind, ref) SELECT 'case', id FROM now_is;
  RETURN NULL;
END
$$;

CREATE FUNCTION live_changed_cases() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO live_changes (kind, ref, was_keys, was_areas)
  SELECT 'case', o.id, o.seen_by, live_case_areas(o.divisions, o.desk_path, o.cell_code)
    FROM was o
         JOIN now_is n ON n.id = o.id
   WHERE (o.version, o.due_at, o.seen_by, o.cell_code, o.beat_code, o.grid_set_id, o.divisions, o.suspended, o.updated_at)
         IS DISTINCT FROM
         (n.version, n.due_at, n.seen_by, n.cell_code, n.beat_code, n.grid_set_id, n.divisions, n.suspended, n.updated_at);
  INSERT INTO live_changes (kind, ref)   -- how many each has in hand
  SELECT DISTINCT 'officer', hand.officer_id
    FROM was o
         JOIN now_is n ON n.id = o.id
         CROSS JOIN LATERAL (VALUES (o.officer_id), (n.officer_id)) AS hand (officer_id)
   WHERE hand.officer_id IS NOT NULL
     AND (o.officer_id, o.state) IS DISTINCT FROM (n.officer_id, n.state);
  RETURN NULL;
END
$$;

CREATE FUNCTION live_changed_camera() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO live_changes (kind, ref, was_keys, was_areas)
  SELECT 'camera', NEW.code, live_camera_keys(OLD.divisions), OLD.divisions;
  RETURN NULL;
END
$$;

CREATE FUNCTION live_changed_grant() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO live_changes (kind, ref) VALUES ('scope', OLD.user_id);
    IF OLD.role = 'officer' THEN
      INSERT INTO live_changes (kind, ref, was_keys)
      VALUES ('officer', OLD.user_id, live_officer_keys(OLD.division_code, OLD.duty_line));
    END IF;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO live_changes (kind, ref) VALUES ('scope', NEW.user_id);
    IF NEW.role = 'officer' THEN
      INSERT INTO live_changes (kind, ref) VALUES ('officer', NEW.user_id);
    END IF;
  END IF;
  RETURN NULL;
END
$$;

-- What is told anew, whole, whenever a row changes: kind, and the column that names it.
CREATE FUNCTION live_changed() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO live_changes (kind, ref) VALUES (TG_ARGV[0], to_jsonb(coalesce(NEW, OLD)) ->> TG_ARGV[1]);
  RETURN NULL;
END
$$;

CREATE TRIGGER live_new_cases AFTER INSERT ON cases
  REFERENCING NEW TABLE AS now_is FOR EACH STATEMENT EXECUTE FUNCTION live_new_cases();
CREATE TRIGGER live_changed_cases AFTER UPDATE ON cases
  REFERENCING OLD TABLE AS was NEW TABLE AS now_is FOR EACH STATEMENT EXECUTE FUNCTION live_changed_cases();
CREATE TRIGGER live_changed_clock AFTER UPDATE ON clocks
  FOR EACH ROW WHEN (OLD.provisional IS DISTINCT FROM NEW.provisional)
  EXECUTE FUNCTION live_changed('case', 'case_id');
CREATE TRIGGER live_changed_duty AFTER INSERT OR UPDATE ON officers
  FOR EACH ROW EXECUTE FUNCTION live_changed('officer', 'user_id');
CREATE TRIGGER live_changed_position AFTER INSERT OR UPDATE ON officer_positions
  FOR EACH ROW EXECUTE FUNCTION live_changed('officer', 'officer_id');
CREATE TRIGGER live_changed_beat AFTER INSERT OR UPDATE OR DELETE ON officer_beats
  FOR EACH ROW EXECUTE FUNCTION live_changed('officer', 'officer_id');
CREATE TRIGGER live_renamed AFTER UPDATE ON users
  FOR EACH ROW WHEN (OLD.display_name IS DISTINCT FROM NEW.display_name OR OLD.active IS DISTINCT FROM NEW.active)
  EXECUTE FUNCTION live_changed('officer', 'id');
CREATE TRIGGER live_put_out AFTER UPDATE ON users
  FOR EACH ROW WHEN (OLD.active IS DISTINCT FROM NEW.active)
  EXECUTE FUNCTION live_changed('scope', 'id');
CREATE TRIGGER live_changed_grant AFTER INSERT OR UPDATE OR DELETE ON grants
  FOR EACH ROW EXECUTE FUNCTION live_changed_grant();
CREATE TRIGGER live_signed_out AFTER UPDATE ON sessions
  FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
  EXECUTE FUNCTION live_changed('session', 'id');
CREATE TRIGGER live_new_camera AFTER INSERT ON cameras
  FOR EACH ROW EXECUTE FUNCTION live_changed('camera', 'code');
CREATE TRIGGER live_changed_camera AFTER UPDATE ON cameras
  FOR EACH ROW EXECUTE FUNCTION live_changed_camera();
CREATE TRIGGER live_heard_camera AFTER INSERT ON camera_health
  FOR EACH ROW EXECUTE FUNCTION live_changed('camera', 'camera');
CREATE TRIGGER live_turned_camera AFTER UPDATE ON camera_health
  FOR EACH ROW WHEN ((OLD.offline_since IS NULL) <> (NEW.offline_since IS NULL))
  EXECUTE FUNCTION live_changed('camera', 'camera');
CREATE TRIGGER live_alarm AFTER INSERT OR UPDATE ON alarms
  FOR EACH ROW EXECUTE FUNCTION live_changed('alarm', 'id');

ALTER TABLE alarms ENABLE ROW LEVEL SECURITY;
CREATE POLICY alarms_in_scope ON alarms TO gridsvc_app
  USING ((SELECT scope_is_service())
         OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)
         OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);
-- The feed is the service's: who is told what of it is decided for each watcher.
ALTER TABLE live_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY live_changes_of_the_service ON live_changes TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK (true);
ALTER TABLE live_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY live_log_of_the_service ON live_log TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));

GRANT SELECT, INSERT, UPDATE, DELETE ON alarms, live_position, live_changes, live_log TO gridsvc_app;
GRANT USAGE ON SEQUENCE live_changes_id_seq TO gridsvc_app;
