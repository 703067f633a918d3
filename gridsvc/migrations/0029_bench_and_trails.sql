-- Whoever judges what cameras saw is told at once what others have judged; and where officers have been.

ALTER TABLE live_changes DROP CONSTRAINT live_changes_kind_check;
ALTER TABLE live_changes ADD CONSTRAINT live_changes_kind_check
  CHECK (kind IN ('case', 'officer', 'camera', 'alarm', 'review', 'scope', 'session'));
CREATE TRIGGER live_new_review AFTER INSERT ON camera_reviews
  FOR EACH ROW EXECUTE FUNCTION live_changed('review', 'id');
CREATE TRIGGER live_judged_review AFTER UPDATE ON camera_reviews
  FOR EACH ROW WHEN (OLD.verdict IS DISTINCT FROM NEW.verdict)
  EXECUTE FUNCTION live_changed('review', 'id');
CREATE INDEX camera_reviews_judged ON camera_reviews (verdict_at) WHERE verdict IS NOT NULL;

-- The way of each officer while he was on duty, thinned; kept for thirty days.
CREATE TABLE officer_trails (
  officer_id uuid NOT NULL REFERENCES officers ON DELETE CASCADE,
  taken_at   timestamptz NOT NULL,
  place      geometry(Point, 4326) NOT NULL,
  accuracy_m double precision,
  PRIMARY KEY (officer_id, taken_at)
);
CREATE INDEX officer_trails_taken ON officer_trails (taken_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON officer_trails TO gridsvc_app;
REVOKE UPDATE ON officer_trails FROM gridsvc_app;
