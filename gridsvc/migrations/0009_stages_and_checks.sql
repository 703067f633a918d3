-- Limits of stages other than the handling, checks that the service sends by itself, calendars that lack a year.

ALTER TABLE stage_limits
  DROP CONSTRAINT stage_limits_kind_check,
  ADD CONSTRAINT stage_limits_kind_check CHECK (kind IN ('filing', 'dispatch', 'pool', 'acknowledge', 'checking',
                                                         'on_site', 'supervision', 'co_handling', 'call', 'call_back',
                                                         'stop_it'));
ALTER TABLE clocks
  DROP CONSTRAINT clocks_kind_check,
  ADD CONSTRAINT clocks_kind_check CHECK (kind IN ('filing', 'dispatch', 'pool', 'acknowledge', 'handling', 'checking',
                                                   'on_site', 'supervision', 'co_handling', 'call', 'call_back',
                                                   'stop_it'));

-- What is under way must be stopped (制止): a clock beside the handling, where a category has a limit for it.
DO $$
BEGIN
  IF EXISTS (SELECT FROM rungs) THEN
    INSERT INTO rungs (ladder, level, share, effect, role, division_level)
    VALUES ('stop_it', 1, 0.5, 'warning', 'owner', NULL),
           ('stop_it', 2, 1.0, 'overdue', 'dispatcher', 'street'),
           ('stop_it', 3, 2.0, 'climb', 'supervisor', 'district')
        ON CONFLICT DO NOTHING;
  END IF;
END
$$;

ALTER TABLE categories
  ADD COLUMN checks text[] NOT NULL DEFAULT '{}',
  ADD CONSTRAINT checks_are_known CHECK (checks <@ ARRAY['pre_filing_check', 'closing_check']);

ALTER TABLE checks
  DROP CONSTRAINT checks_kind_check,
  ADD CONSTRAINT checks_kind_check CHECK (kind IN ('pre_filing_check', 'closing_check', 're_check'));

ALTER TABLE cases
  ADD COLUMN check_again_at timestamptz,
  ADD COLUMN check_unmanned boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT a_check_is_wanted_or_out CHECK (
    check_again_at IS NULL OR (checker_id IS NULL AND state IN ('reported', 'handled', 'closed'))),
  ADD CONSTRAINT unmanned_is_tried_again CHECK (check_again_at IS NOT NULL OR NOT check_unmanned);
CREATE INDEX cases_to_check ON cases (check_again_at) WHERE check_again_at IS NOT NULL;

-- Where the sources of an edition disagreed and one of them was followed: [{"day": …, "said": {source: what}}, …].
ALTER TABLE calendars ADD COLUMN overruled jsonb NOT NULL DEFAULT '[]';
ALTER TABLE calendar_editions ADD COLUMN overruled jsonb NOT NULL DEFAULT '[]';

-- Said once for each calendar and year that nobody has published.
CREATE TABLE calendar_alarms (
  calendar text NOT NULL REFERENCES calendars,
  year     integer NOT NULL,
  told_at  timestamptz NOT NULL,
  PRIMARY KEY (calendar, year)
);
GRANT SELECT, INSERT ON calendar_alarms TO gridsvc_app;
