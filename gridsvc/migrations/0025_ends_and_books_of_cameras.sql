-- Why nothing came of a sighting: its end comes to nothing too. NULL: something did, or nobody knows yet.
ALTER TABLE camera_sightings ADD COLUMN came_to_nothing text;

-- How long the counts of an hour are kept, and incidents that led to a case; never shorter than the events themselves.
ALTER TABLE camera_rules ADD COLUMN keep_counts_days integer NOT NULL DEFAULT 400;
ALTER TABLE camera_rules ADD CONSTRAINT counts_stay_as_long_as_events CHECK (keep_counts_days >= keep_days);
CREATE INDEX camera_counts_hour ON camera_counts (hour);
CREATE INDEX camera_incidents_over ON camera_incidents (over_at) WHERE over_at IS NOT NULL;

-- What is said of one camera is seen with it; what is said of all of a protocol by everybody. The books and secrets of
-- the intake are the service's alone.
ALTER TABLE camera_labels ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_labels_in_scope ON camera_labels TO gridsvc_app
  USING ((SELECT scope_is_service()) OR camera IS NULL OR EXISTS (SELECT FROM cameras c WHERE c.code = camera))
  WITH CHECK (true);
ALTER TABLE camera_mutes ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_mutes_in_scope ON camera_mutes TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);
ALTER TABLE camera_counts ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_counts_of_the_service ON camera_counts TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE camera_meters ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_meters_of_the_service ON camera_meters TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE camera_sightings ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_sightings_of_the_service ON camera_sightings TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE camera_quarantine ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_quarantine_of_the_service ON camera_quarantine TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE camera_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_tokens_of_the_service ON camera_tokens TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE camera_token_cameras ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_token_cameras_of_the_service ON camera_token_cameras TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
