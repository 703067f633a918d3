-- What is done without a network is judged by when it was done; and notices reach people in more ways than one.

ALTER TABLE clocks ADD COLUMN judged_at timestamptz;
ALTER TABLE clocks ADD CONSTRAINT judged_while_it_ran CHECK (judged_at >= started_at AND judged_at <= stopped_at);

-- Ways to a person beside the app, in the order in which they are tried; what is secret is sealed.
CREATE TABLE channels (
  code           text COLLATE "C" PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{1,30}$' AND code <> 'app'),
  place          integer NOT NULL CHECK (place > 0),
  url            text NOT NULL,
  template       text NOT NULL,                  -- JSON with named fields
  headers_sealed bytea,                          -- JSON: name to value
  secret_sealed  bytea,                          -- signs what is sent (Standard Webhooks)
  failures       integer NOT NULL DEFAULT 0,     -- in a row
  rests_until    timestamptz                     -- it failed too often: others are tried meanwhile
);
CREATE TABLE channel_addresses (
  user_id        uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  channel        text COLLATE "C" NOT NULL REFERENCES channels ON DELETE CASCADE,
  address_sealed bytea NOT NULL,
  masked         text NOT NULL,
  set_at         timestamptz NOT NULL,
  PRIMARY KEY (user_id, channel)
);
-- Which notices go on when nobody acknowledges them; the first that fits. No kinds, no severities: all.
CREATE TABLE reach_rules (
  number     integer PRIMARY KEY,
  kinds      text[] NOT NULL,
  severities text[] NOT NULL,
  urgent     boolean NOT NULL,
  after_s    integer NOT NULL CHECK (after_s BETWEEN 10 AND 86400)
);
CREATE TABLE reachings (
  notice_id uuid PRIMARY KEY REFERENCES notices ON DELETE CASCADE,
  after_s   integer NOT NULL,
  place     integer NOT NULL DEFAULT 0,          -- of the channel that was tried last; 0: the app
  next_at   timestamptz,
  state     text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'reached', 'over', 'not_reached')),
  ended_at  timestamptz,
  CONSTRAINT waits_until_it_ends CHECK ((state = 'waiting') = (next_at IS NOT NULL)
                                        AND (state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX reachings_due ON reachings (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX reachings_not_reached ON reachings (ended_at) WHERE state = 'not_reached';
-- One try of one channel is one row, however often it is sent: its id is the key by which a gateway knows it again.
CREATE TABLE channel_tries (
  id        uuid PRIMARY KEY,
  notice_id uuid NOT NULL REFERENCES reachings ON DELETE CASCADE,
  channel   text COLLATE "C" NOT NULL REFERENCES channels ON DELETE CASCADE,
  made_at   timestamptz NOT NULL,
  tries     integer NOT NULL DEFAULT 0,
  next_at   timestamptz,
  state     text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
  outcome   text NOT NULL DEFAULT '',            -- a status, or what kept it from being sent
  ended_at  timestamptz,
  UNIQUE (notice_id, channel),
  CONSTRAINT waits_until_it_is_sent CHECK ((state = 'waiting') = (next_at IS NOT NULL)
                                           AND (state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX channel_tries_due ON channel_tries (next_at) WHERE next_at IS NOT NULL;

ALTER TABLE channels ENABLE ROW LEVEL SECURITY;
CREATE POLICY channels_of_the_service ON channels TO gridsvc_app USING ((SELECT scope_is_service()));
ALTER TABLE channel_addresses ENABLE ROW LEVEL SECURITY;
CREATE POLICY channel_addresses_of_the_service ON channel_addresses TO gridsvc_app USING ((SELECT scope_is_service()));
ALTER TABLE reachings ENABLE ROW LEVEL SECURITY;
CREATE POLICY reachings_of_my_own ON reachings TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM notices n WHERE n.id = notice_id)) WITH CHECK (true);
ALTER TABLE channel_tries ENABLE ROW LEVEL SECURITY;
CREATE POLICY channel_tries_of_my_own ON channel_tries TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM notices n WHERE n.id = notice_id)) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON channels, channel_addresses, reach_rules, reachings, channel_tries
  TO gridsvc_app;
