-- How devices name themselves, and the tokens that they post with.

CREATE TABLE camera_names (
  camera text COLLATE "C" NOT NULL REFERENCES cameras ON DELETE CASCADE,
  scheme text NOT NULL CHECK (scheme IN ('code', 'serial', 'mac', 'channel', 'name')),
  value  text COLLATE "C" NOT NULL,
  PRIMARY KEY (camera, scheme, value)
);
CREATE INDEX camera_names_value ON camera_names (scheme, value);

CREATE TABLE camera_tokens (
  id          uuid PRIMARY KEY,
  secret_hash bytea NOT NULL UNIQUE,             -- sha256 of the random token in the device's URL
  label       text NOT NULL DEFAULT '',
  protocol    text NOT NULL,
  created_at  timestamptz NOT NULL,
  created_by  text NOT NULL,
  expires_at  timestamptz,
  revoked_at  timestamptz,
  networks    cidr[] NOT NULL DEFAULT '{}'       -- from where it may be used; empty: from anywhere
);
-- Which cameras a token speaks for: one, or all of a site.
CREATE TABLE camera_token_cameras (
  token_id uuid NOT NULL REFERENCES camera_tokens ON DELETE CASCADE,
  camera   text COLLATE "C" NOT NULL REFERENCES cameras ON DELETE CASCADE,
  PRIMARY KEY (token_id, camera)
);
CREATE INDEX camera_token_cameras_camera ON camera_token_cameras (camera);

GRANT SELECT, INSERT, UPDATE, DELETE ON camera_names, camera_tokens, camera_token_cameras TO gridsvc_app;
