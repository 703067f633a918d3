-- Uploads that are taken up again, voice notes, photographs used twice, originals, and until when files are kept.

-- How long attachments are kept. One row: the city's own.
CREATE TABLE attachment_rules (
  only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  loose_days    integer NOT NULL DEFAULT 7 CHECK (loose_days BETWEEN 1 AND 365),         -- of no case, since it came
  picture_days  integer NOT NULL DEFAULT 1095 CHECK (picture_days BETWEEN 1 AND 36500),  -- since its case is over
  sound_days    integer NOT NULL DEFAULT 365 CHECK (sound_days BETWEEN 1 AND 36500),
  original_days integer NOT NULL DEFAULT 90 CHECK (original_days BETWEEN 1 AND 36500)
);
INSERT INTO attachment_rules DEFAULT VALUES;

ALTER TABLE attachments
  ADD COLUMN kind          text NOT NULL DEFAULT 'picture' CHECK (kind IN ('picture', 'sound')),
  ADD COLUMN told_at       timestamptz,
  ADD COLUMN told_lon      double precision,
  ADD COLUMN told_lat      double precision,
  ADD COLUMN look          bigint,
  ADD COLUMN compared_at   timestamptz,
  ADD COLUMN original_kept boolean NOT NULL DEFAULT false,
  ADD COLUMN sweep_at      timestamptz,
  ADD COLUMN removed_at    timestamptz,
  ADD CONSTRAINT told_place_is_whole CHECK ((told_lon IS NULL) = (told_lat IS NULL)),
  ADD CONSTRAINT only_pictures_have_a_look CHECK (kind = 'picture' OR look IS NULL),
  ADD CONSTRAINT removed_is_swept_no_more CHECK (removed_at IS NULL OR (sweep_at IS NULL AND NOT original_kept));
UPDATE attachments SET sweep_at = uploaded_at;
CREATE INDEX attachments_sweep ON attachments (sweep_at) WHERE sweep_at IS NOT NULL;
CREATE INDEX attachments_of_file ON attachments (sha256) WHERE removed_at IS NULL;
CREATE INDEX attachments_of_original ON attachments (original) WHERE original_kept;
CREATE INDEX attachments_to_compare ON attachments (uploaded_at)
  WHERE case_id IS NOT NULL AND compared_at IS NULL AND kind = 'picture';

-- Every file of an attachment that may lie in the store: written before the file is, gone after it is.
CREATE TABLE attachment_files (
  sha256     bytea NOT NULL CHECK (length(sha256) = 32),
  kind       text NOT NULL CHECK (kind IN ('picture', 'sound', 'original')),
  size_bytes integer NOT NULL,
  written_at timestamptz NOT NULL,
  PRIMARY KEY (sha256, kind)
);
INSERT INTO attachment_files
SELECT DISTINCT ON (sha256) sha256, 'picture', size_bytes, uploaded_at FROM attachments ORDER BY sha256, uploaded_at;

-- What was removed, and until when it had to be kept: the proof that nothing went too early.
CREATE TABLE attachment_removals (
  id            uuid PRIMARY KEY,
  attachment_id uuid NOT NULL,                   -- of one that belonged to no case the row is gone
  case_id       uuid REFERENCES cases,
  kind          text NOT NULL CHECK (kind IN ('picture', 'sound', 'original')),
  why           text NOT NULL CHECK (why IN ('loose', 'case_over')),
  sha256        bytea NOT NULL CHECK (length(sha256) = 32),
  kept_until    timestamptz NOT NULL,
  removed_at    timestamptz NOT NULL,
  UNIQUE (attachment_id, kind),
  CONSTRAINT loose_is_of_no_case CHECK ((why = 'loose') = (case_id IS NULL))
);
CREATE INDEX attachment_removals_at ON attachment_removals (removed_at);

-- What pictures of cases look like, in four parts of sixteen bits: two that are alike share one of them.
CREATE TABLE attachment_looks (
  attachment_id uuid PRIMARY KEY REFERENCES attachments ON DELETE CASCADE,
  original      bytea NOT NULL CHECK (length(original) = 32),
  parts         integer[] NOT NULL
);
CREATE INDEX attachment_looks_parts ON attachment_looks USING gin (parts);
CREATE INDEX attachment_looks_original ON attachment_looks (original);

-- A photograph that was used before: of another case, or of the same for another purpose.
CREATE TABLE attachment_twins (
  attachment_id uuid NOT NULL REFERENCES attachments ON DELETE CASCADE,
  earlier_id    uuid NOT NULL REFERENCES attachments ON DELETE CASCADE,
  distance      integer NOT NULL CHECK (distance BETWEEN 0 AND 64),
  same_file     boolean NOT NULL,
  found_at      timestamptz NOT NULL,
  PRIMARY KEY (attachment_id, earlier_id),
  CONSTRAINT not_its_own_twin CHECK (attachment_id <> earlier_id)
);
CREATE INDEX attachment_twins_earlier ON attachment_twins (earlier_id);

-- Who opened which original, and why.
CREATE TABLE original_openings (
  id            uuid PRIMARY KEY,
  attachment_id uuid NOT NULL REFERENCES attachments,
  opened_by     uuid NOT NULL REFERENCES users,
  reason        text NOT NULL CHECK (reason <> ''),
  opened_at     timestamptz NOT NULL
);
CREATE INDEX original_openings_of ON original_openings (attachment_id, opened_at);

-- Uploads on their way. The last byte counts when the attachment is kept: an upload is whole or open.
CREATE TABLE uploads (
  id          uuid PRIMARY KEY,                  -- of the attachment that it becomes
  uploaded_by text NOT NULL,
  length      bigint NOT NULL CHECK (length > 0),
  received    bigint NOT NULL DEFAULT 0,
  state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'kept', 'refused')),
  refusal     jsonb,                             -- {code, detail, given, wanted} of a file that was refused
  metadata    text NOT NULL DEFAULT '',          -- as it was sent: whoever resumes is told it again
  told_at     timestamptz,
  told_lon    double precision,
  told_lat    double precision,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  CONSTRAINT whole_or_open CHECK (CASE state WHEN 'open' THEN received >= 0 AND received < length
                                             ELSE received = length END),
  CONSTRAINT refused_says_why CHECK ((state = 'refused') = (refusal IS NOT NULL))
);
CREATE INDEX uploads_open ON uploads (uploaded_by) WHERE state = 'open';
CREATE INDEX uploads_expire ON uploads (expires_at);

ALTER TABLE attachment_removals ENABLE ROW LEVEL SECURITY;
CREATE POLICY attachment_removals_in_scope ON attachment_removals TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cases c WHERE c.id = case_id)) WITH CHECK (true);
ALTER TABLE attachment_looks ENABLE ROW LEVEL SECURITY;
CREATE POLICY attachment_looks_of_the_service ON attachment_looks TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE attachment_twins ENABLE ROW LEVEL SECURITY;
CREATE POLICY attachment_twins_in_scope ON attachment_twins TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM attachments a WHERE a.id = attachment_id))
  WITH CHECK ((SELECT scope_is_service()));
ALTER TABLE original_openings ENABLE ROW LEVEL SECURITY;
CREATE POLICY original_openings_in_scope ON original_openings TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM attachments a WHERE a.id = attachment_id))
  WITH CHECK (true);
ALTER TABLE uploads ENABLE ROW LEVEL SECURITY;
CREATE POLICY uploads_of_my_own ON uploads TO gridsvc_app
  USING ((SELECT scope_is_service()) OR uploaded_by = ANY ((SELECT scope_keys())::text[])) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON attachment_rules, attachment_files, attachment_removals, attachment_looks,
  attachment_twins, original_openings, uploads TO gridsvc_app;
REVOKE INSERT, DELETE ON attachment_rules FROM gridsvc_app;
REVOKE UPDATE, DELETE ON attachment_removals, original_openings FROM gridsvc_app;
