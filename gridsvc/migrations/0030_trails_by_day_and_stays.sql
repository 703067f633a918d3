-- When each officer was on duty, his way in one fix per slot and day by day, and which cells he was in.

CREATE TABLE duty_spans (
  officer_id uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  from_at    timestamptz NOT NULL,
  until_at   timestamptz CHECK (until_at >= from_at),
  PRIMARY KEY (officer_id, from_at)
);
CREATE UNIQUE INDEX duty_spans_open ON duty_spans (officer_id) WHERE until_at IS NULL;
CREATE INDEX duty_spans_over ON duty_spans (until_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON duty_spans TO gridsvc_app;
INSERT INTO duty_spans (officer_id, from_at)
SELECT user_id, coalesce(duty_changed_at, city_now()) FROM officers WHERE on_duty;

CREATE FUNCTION note_duty() RETURNS trigger
  LANGUAGE plpgsql AS $$
DECLARE
  at timestamptz := coalesce(NEW.duty_changed_at, city_now());
BEGIN
  IF NEW.on_duty THEN
    INSERT INTO duty_spans (officer_id, from_at) VALUES (NEW.user_id, at)
        ON CONFLICT (officer_id, from_at) DO UPDATE SET until_at = NULL;
  ELSE
    UPDATE duty_spans SET until_at = greatest(from_at, at) WHERE officer_id = NEW.user_id AND until_at IS NULL;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER officers_come_on_duty AFTER INSERT ON officers
  FOR EACH ROW WHEN (NEW.on_duty) EXECUTE FUNCTION note_duty();
CREATE TRIGGER officers_change_duty AFTER UPDATE ON officers
  FOR EACH ROW WHEN (OLD.on_duty <> NEW.on_duty) EXECUTE FUNCTION note_duty();

CREATE TABLE officer_trails_were AS SELECT * FROM officer_trails;
DROP TABLE officer_trails;
CREATE TABLE officer_trails (
  officer_id uuid NOT NULL,
  slot_at    timestamptz NOT NULL,
  taken_at   timestamptz NOT NULL,
  place      geometry(Point, 4326) NOT NULL,
  accuracy_m double precision,
  mocked     boolean NOT NULL DEFAULT false,
  PRIMARY KEY (officer_id, slot_at)
) PARTITION BY RANGE (slot_at);
CREATE TABLE officer_trails_default PARTITION OF officer_trails DEFAULT;
INSERT INTO officer_trails (officer_id, slot_at, taken_at, place, accuracy_m)
SELECT DISTINCT ON (officer_id, date_bin('20 s', taken_at, '1970-01-01+00'))
       officer_id, date_bin('20 s', taken_at, '1970-01-01+00'), taken_at, place, accuracy_m
  FROM officer_trails_were
 ORDER BY officer_id, date_bin('20 s', taken_at, '1970-01-01+00'), taken_at;
DROP TABLE officer_trails_were;

CREATE TABLE cell_stays (
  officer_id uuid NOT NULL,
  cell_code  text COLLATE "C" NOT NULL,
  entered_at timestamptz NOT NULL,
  left_at    timestamptz NOT NULL,
  fixes      integer NOT NULL CHECK (fixes > 0),
  PRIMARY KEY (officer_id, entered_at),
  CONSTRAINT stays_end_after_they_begin CHECK (left_at >= entered_at)
) PARTITION BY RANGE (entered_at);
CREATE INDEX cell_stays_cell ON cell_stays (cell_code, entered_at);
CREATE TABLE cell_stays_default PARTITION OF cell_stays DEFAULT;

CREATE TABLE stays_due (
  officer_id uuid PRIMARY KEY REFERENCES officers ON DELETE CASCADE,
  from_at    timestamptz NOT NULL,
  until_at   timestamptz NOT NULL,
  changes    bigint NOT NULL DEFAULT 1
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
GRANT SELECT, INSERT, UPDATE, DELETE ON officer_trails, cell_stays, stays_due TO gridsvc_app;
REVOKE ALL ON officer_trails_default, cell_stays_default FROM gridsvc_app;
INSERT INTO stays_due SELECT officer_id, min(slot_at), max(slot_at) FROM officer_trails GROUP BY officer_id;

CREATE FUNCTION trail_days_make(day date) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
  whole text;
  by_what text;
  part text;
  since timestamptz := day::timestamp AT TIME ZONE 'UTC';
  until timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
  made boolean := false;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('trail days'));
  FOR whole, by_what IN VALUES ('officer_trails', 'slot_at'), ('cell_stays', 'entered_at') LOOP
    part := whole || '_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(part) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, whole);
    EXECUTE format('REVOKE ALL ON %I FROM gridsvc_app', part);
    -- What came before its day was made moves over; nothing may come in between.
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', whole || '_default');
    EXECUTE format('WITH gone AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *)'
                   ' INSERT INTO %5$I SELECT * FROM gone', whole || '_default', by_what, since, until, part);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', whole, part, since, until);
    made := true;
  END LOOP;
  RETURN made;
END
$$;

CREATE FUNCTION trail_days_drop(day date) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
  whole text;
  part text;
  dropped boolean := false;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('trail days'));
  FOREACH whole IN ARRAY ARRAY['officer_trails', 'cell_stays'] LOOP
    part := whole || '_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(part) IS NULL;
    EXECUTE format('DROP TABLE %I', part);
    dropped := true;
  END LOOP;
  RETURN dropped;
END
$$;
REVOKE EXECUTE ON FUNCTION trail_days_make(date), trail_days_drop(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trail_days_make(date), trail_days_drop(date) TO gridsvc_app;
