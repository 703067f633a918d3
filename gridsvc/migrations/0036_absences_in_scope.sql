-- Whose absence is seen: one's own, and an officer's with a post in the caller's area, above it or below, on whatever
-- axis. Who may not see that somebody is away would take him to be there.
CREATE FUNCTION officer_in_scope(officer uuid) RETURNS boolean
  LANGUAGE sql STABLE
  RETURN 'user:' || officer::text = ANY (scope_keys())
         OR EXISTS (SELECT
                      FROM grants g
                      LEFT JOIN divisions d ON d.grid_set_id = grid_set_at(city_now()) AND d.code = g.division_code
                     WHERE g.user_id = officer
                       AND (g.division_code = ANY (scope_divisions())
                            OR d.path && scope_divisions()
                            OR EXISTS (SELECT
                                         FROM divisions mine
                                        WHERE mine.grid_set_id = grid_set_at(city_now())
                                          AND mine.code = ANY (scope_divisions())
                                          AND g.division_code = ANY (mine.path))));
ALTER TABLE absences ENABLE ROW LEVEL SECURITY;
CREATE POLICY absences_in_scope ON absences TO gridsvc_app
  USING ((SELECT scope_is_service()) OR officer_in_scope(officer_id)) WITH CHECK (true);
ALTER TABLE hand_overs ENABLE ROW LEVEL SECURITY;
CREATE POLICY hand_overs_of_the_service ON hand_overs TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
