-- Devices and platforms that speak GA/T 1400 (/VIID): what each signs in with, and what it reports of cameras.

CREATE TABLE viid_accounts (
  id              uuid PRIMARY KEY,
  device          text COLLATE "C" NOT NULL CHECK (device ~ '^[0-9]{20}$'),   -- the DeviceID that it registers as
  username        text NOT NULL,
  secret          bytea NOT NULL,                -- what digest is computed with, sealed
  old_secret      bytea,                         -- of a rotated account: good until old_until
  old_until       timestamptz,
  label           text NOT NULL DEFAULT '',
  networks        cidr[] NOT NULL DEFAULT '{}',  -- from where it may be used; empty: from anywhere
  created_at      timestamptz NOT NULL,
  created_by      text NOT NULL,
  expires_at      timestamptz,
  revoked_at      timestamptz,
  registered_at   timestamptz,                   -- NULL: it never registered, or has unregistered
  registered_from inet,
  heard_at        timestamptz,
  CONSTRAINT an_old_secret_ends CHECK ((old_secret IS NULL) = (old_until IS NULL)),
  CONSTRAINT registered_from_somewhere CHECK ((registered_at IS NULL) = (registered_from IS NULL)),
  CONSTRAINT who_registered_was_heard CHECK (registered_at IS NULL OR heard_at IS NOT NULL)
);
CREATE UNIQUE INDEX viid_accounts_device ON viid_accounts (device) WHERE revoked_at IS NULL;

-- Which cameras an account speaks for: one, or all of a site.
CREATE TABLE viid_account_cameras (
  account_id uuid NOT NULL REFERENCES viid_accounts,
  camera     text COLLATE "C" NOT NULL REFERENCES cameras,
  away       boolean NOT NULL DEFAULT false,     -- its platform reports that it is offline
  PRIMARY KEY (account_id, camera)
);
CREATE INDEX viid_account_cameras_camera ON viid_account_cameras (camera);

-- What a platform reports of its cameras (APE): proposals, which somebody imports into the registry, or does not.
CREATE TABLE viid_apes (
  account_id uuid NOT NULL REFERENCES viid_accounts,
  code       text COLLATE "C" NOT NULL,
  facts      jsonb NOT NULL,                     -- in the words of the standard, without addresses and passwords
  first_at   timestamptz NOT NULL,
  last_at    timestamptz NOT NULL,
  PRIMARY KEY (account_id, code)
);

-- Nonces that somebody has answered, and the last count; an answer counts once.
CREATE TABLE viid_nonces (
  nonce      text COLLATE "C" PRIMARY KEY,
  last_count bigint NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX viid_nonces_expires ON viid_nonces (expires_at);

CREATE INDEX camera_quarantine_waiting ON camera_quarantine (token_id, code) WHERE replayed_at IS NULL;

ALTER TABLE viid_account_cameras ENABLE ROW LEVEL SECURITY;
CREATE POLICY viid_account_cameras_in_scope ON viid_account_cameras TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);
ALTER TABLE viid_accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY viid_accounts_in_scope ON viid_accounts TO gridsvc_app
  USING ((SELECT scope_is_service())
         OR EXISTS (SELECT FROM viid_account_cameras a WHERE a.account_id = id)) WITH CHECK (true);
ALTER TABLE viid_apes ENABLE ROW LEVEL SECURITY;
CREATE POLICY viid_apes_in_scope ON viid_apes TO gridsvc_app
  USING ((SELECT scope_is_service())
         OR EXISTS (SELECT FROM viid_accounts a WHERE a.id = account_id)) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON viid_accounts, viid_account_cameras, viid_apes, viid_nonces TO gridsvc_app;
REVOKE DELETE ON viid_accounts FROM gridsvc_app;
