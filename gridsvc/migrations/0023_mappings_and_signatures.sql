-- Mappings of any other JSON, kept as data; secrets that programs sign camera events with.

-- 'json' was a name without a way in: no token of it was ever good for anything.
INSERT INTO camera_protocols VALUES ('mapped', 'JSON by a mapping', NULL);
UPDATE cameras SET protocol = 'mapped' WHERE protocol = 'json';
UPDATE camera_labels SET protocol = 'mapped' WHERE protocol = 'json';
DELETE FROM camera_protocols WHERE code = 'json';

-- Where in a message of somebody's JSON each thing stands. One draft of a name at a time; what is published stays.
CREATE TABLE camera_mappings (
  name         text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
  version      integer NOT NULL CHECK (version > 0),
  document     jsonb NOT NULL,
  drafted_at   timestamptz NOT NULL,
  drafted_by   text NOT NULL,
  published_at timestamptz,                      -- NULL: a draft; the published one with the highest version reads
  published_by text,
  PRIMARY KEY (name, version),
  CONSTRAINT a_publishing_is_somebodys CHECK ((published_at IS NULL) = (published_by IS NULL))
);
CREATE UNIQUE INDEX camera_mappings_one_draft ON camera_mappings (name) WHERE published_at IS NULL;

CREATE FUNCTION camera_mapping_stays() RETURNS trigger
  LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.published_at IS NOT NULL THEN
    RAISE EXCEPTION 'version % of the mapping % was published and never changes', OLD.version, OLD.name;
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER camera_mapping_stays BEFORE UPDATE OR DELETE ON camera_mappings
  FOR EACH ROW EXECUTE FUNCTION camera_mapping_stays();

ALTER TABLE camera_tokens
  ADD COLUMN mapping text COLLATE "C",           -- the name of the mapping that its messages are read with
  ADD CONSTRAINT a_mapped_token_names_its_mapping CHECK ((protocol = 'mapped') = (mapping IS NOT NULL));

-- What a program signs its camera events with (Standard Webhooks), sealed: it is computed with. Two while one replaces
-- the other.
CREATE TABLE signing_secrets (
  id         uuid PRIMARY KEY,
  key_id     uuid NOT NULL REFERENCES api_keys ON DELETE CASCADE,
  sealed     bytea NOT NULL,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX signing_secrets_of_key ON signing_secrets (key_id);

ALTER TABLE api_keys ADD COLUMN signed_only boolean NOT NULL DEFAULT false;  -- its camera events must be signed

-- The ids of signed requests of which everything was taken, for longer than their signature is good.
CREATE TABLE signed_requests (
  key_id      uuid NOT NULL REFERENCES api_keys ON DELETE CASCADE,
  webhook_id  text COLLATE "C" NOT NULL,
  fingerprint bytea NOT NULL,                    -- sha256 of the body
  received_at timestamptz NOT NULL,
  PRIMARY KEY (key_id, webhook_id)
);
CREATE INDEX signed_requests_oldest ON signed_requests (received_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON camera_mappings, signing_secrets, signed_requests TO gridsvc_app;
