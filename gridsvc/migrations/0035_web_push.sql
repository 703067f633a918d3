-- Phones that take Web Push: one of a session, and gone with it. The address and the keys are sealed.
CREATE TABLE push_subscriptions (
  session_id    uuid PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
  user_id       uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  channel       text COLLATE "C" NOT NULL DEFAULT 'push' CHECK (channel = 'push') REFERENCES channels ON DELETE CASCADE,
  endpoint_hash bytea NOT NULL UNIQUE,           -- SHA-256: one browser, one person
  sealed        bytea NOT NULL,
  made_at       timestamptz NOT NULL
);
CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id);
ALTER TABLE channels ADD CONSTRAINT push_has_its_key CHECK (
  code <> 'push' OR (url = '' AND secret_sealed IS NOT NULL));
ALTER TABLE push_subscriptions ENABLE ROW LEVEL SECURITY;
CREATE POLICY push_subscriptions_of_the_service ON push_subscriptions TO gridsvc_app
  USING ((SELECT scope_is_service()));
GRANT SELECT, INSERT, UPDATE, DELETE ON push_subscriptions TO gridsvc_app;
