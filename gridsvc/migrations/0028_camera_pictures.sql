-- Pictures of cameras, and looking through a camera.

-- How many pictures of cameras are taken in, and how long they are kept (docs/cameras/pictures.md). One row; the city's data.
CREATE TABLE camera_picture_rules (
  only_row         boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  of_event         integer NOT NULL DEFAULT 4 CHECK (of_event >= 0),
  of_hour          integer NOT NULL DEFAULT 120 CHECK (of_hour >= 0),                     -- of one camera
  waiting_bytes    bigint NOT NULL DEFAULT 536870912 CHECK (waiting_bytes >= 0),          -- of all, as they came
  attempts         integer NOT NULL DEFAULT 5 CHECK (attempts > 0),
  at_once_per_host integer NOT NULL DEFAULT 2 CHECK (at_once_per_host > 0),
  open_days        integer NOT NULL DEFAULT 1095 CHECK (open_days > 0),    -- of a case or review that is open
  closed_days      integer NOT NULL DEFAULT 365 CHECK (closed_days > 0),   -- after its case is over
  false_days       integer NOT NULL DEFAULT 7 CHECK (false_days > 0),      -- after it was judged false or a duplicate
  nothing_days     integer NOT NULL DEFAULT 3 CHECK (nothing_days > 0),    -- nothing came of it
  look_days        integer NOT NULL DEFAULT 30 CHECK (look_days > 0)       -- somebody looked through the camera
);
INSERT INTO camera_picture_rules DEFAULT VALUES;

-- The only places from which the service fetches a picture. Everything else that a device names stays an address.
CREATE TABLE camera_hosts (
  code          text COLLATE "C" PRIMARY KEY,
  scheme        text NOT NULL CHECK (scheme IN ('http', 'https')),
  host          text NOT NULL CHECK (host = lower(host)),
  port          integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
  path_prefix   text NOT NULL CHECK (path_prefix LIKE '/%'),
  networks      text[] NOT NULL DEFAULT '{}',    -- addresses beside public ones that its name may stand for
  cameras       text[] COLLATE "C" NOT NULL DEFAULT '{}',  -- whose addresses without a host are of this one
  authorization_sealed bytea,                    -- the header that it wants, sealed
  leased_until  timestamptz NOT NULL DEFAULT '-infinity',  -- a worker asks it at this moment
  UNIQUE (scheme, host, port, path_prefix)
);

-- Streaming gateways, through which alone somebody looks through a camera.
CREATE TABLE camera_gateways (
  code              text COLLATE "C" PRIMARY KEY,
  cameras           text[] COLLATE "C" NOT NULL DEFAULT '{}',  -- which it serves; none named: all of its protocols
  protocols         text[] NOT NULL DEFAULT '{}',              -- none named: all
  play_template     text,                        -- with {camera}, {expires} and {signature}
  snapshot_template text,                        -- with {camera}
  host              text COLLATE "C" REFERENCES camera_hosts,  -- from which its snapshots are fetched
  key_sealed        bytea,                       -- signs play links
  CONSTRAINT does_something CHECK (play_template IS NOT NULL OR snapshot_template IS NOT NULL),
  CONSTRAINT play_links_are_signed CHECK (play_template IS NULL OR key_sealed IS NOT NULL),
  CONSTRAINT snapshots_have_a_host CHECK ((snapshot_template IS NULL) = (host IS NULL))
);

-- Who looked through which camera, why, and until when.
CREATE TABLE camera_looks (
  id         uuid PRIMARY KEY,
  camera     text COLLATE "C" NOT NULL REFERENCES cameras,
  kind       text NOT NULL CHECK (kind IN ('play', 'snapshot')),
  looked_by  text NOT NULL,
  reason     text NOT NULL CHECK (reason <> ''),
  gateway    text NOT NULL,                      -- as it was called then
  looked_at  timestamptz NOT NULL,
  until      timestamptz NOT NULL,
  CONSTRAINT looks_forward CHECK (until >= looked_at)
);
CREATE INDEX camera_looks_of_camera ON camera_looks (camera, looked_at, id);

-- Every file of a picture that may lie on the disk: written before the file is, gone after it is.
CREATE TABLE camera_files (
  sha256     bytea PRIMARY KEY CHECK (length(sha256) = 32),
  size_bytes integer NOT NULL,
  written_at timestamptz NOT NULL
);

-- Pictures of camera events and of looks. No foreign key to events: their days are dropped, and intake waits for nobody.
CREATE TABLE camera_pictures (
  id          uuid PRIMARY KEY,
  camera      text COLLATE "C" NOT NULL,
  event_id    uuid,
  event_at    timestamptz,                       -- when its event was received: with event_id its key
  look_id     uuid REFERENCES camera_looks,
  number      integer NOT NULL,                  -- place among those of the event
  came_as     text NOT NULL CHECK (came_as IN ('sent', 'address', 'look')),
  url         text,
  host        text COLLATE "C" REFERENCES camera_hosts ON DELETE SET NULL,
  bytes       integer NOT NULL,                  -- as it came; 0 for what is to be fetched
  received_at timestamptz NOT NULL,
  state       text NOT NULL CHECK (state IN ('waiting', 'kept', 'refused')),
  reason      text NOT NULL DEFAULT '',          -- of a refusal, or of the last attempt
  attempts    integer NOT NULL DEFAULT 0,
  due_at      timestamptz,                       -- when somebody works at it next; NULL: nobody does
  sweep_at    timestamptz,                       -- when its time to be kept is looked at
  sha256      bytea REFERENCES camera_files,
  original    bytea CHECK (length(original) = 32),
  width       integer,
  height      integer,
  settled_at  timestamptz,
  review_id   uuid,
  case_id     uuid,
  CONSTRAINT of_an_event_or_a_look CHECK ((event_id IS NULL) = (look_id IS NOT NULL)
                                      AND (event_id IS NULL) = (event_at IS NULL)),
  CONSTRAINT an_address_where_it_came_as_one CHECK ((came_as = 'address') = (url IS NOT NULL)),
  CONSTRAINT waits_or_is_settled CHECK ((state = 'waiting') = (due_at IS NOT NULL)
                                    AND (state = 'waiting') = (sweep_at IS NULL)
                                    AND (state = 'waiting') = (settled_at IS NULL)),
  CONSTRAINT kept_has_its_file CHECK ((state = 'kept') = (sha256 IS NOT NULL))
);
CREATE INDEX camera_pictures_of_event ON camera_pictures (event_id);
CREATE INDEX camera_pictures_of_review ON camera_pictures (review_id) WHERE review_id IS NOT NULL;
CREATE INDEX camera_pictures_of_case ON camera_pictures (case_id) WHERE case_id IS NOT NULL;
CREATE INDEX camera_pictures_of_camera ON camera_pictures (camera, received_at);
CREATE INDEX camera_pictures_of_file ON camera_pictures (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX camera_pictures_of_look ON camera_pictures (look_id) WHERE look_id IS NOT NULL;
CREATE INDEX camera_pictures_due ON camera_pictures (due_at) WHERE state = 'waiting';
CREATE INDEX camera_pictures_sweep ON camera_pictures (sweep_at) WHERE sweep_at IS NOT NULL;

-- Bytes as a device sent them, until they are drawn anew.
CREATE TABLE camera_picture_bytes (
  picture_id uuid PRIMARY KEY REFERENCES camera_pictures ON DELETE CASCADE,
  content    bytea NOT NULL
);
ALTER TABLE camera_picture_bytes ALTER COLUMN content SET STORAGE EXTERNAL;  -- packed already

-- Pictures by camera and hour of their coming: all that came, and those of which no row is left.
CREATE TABLE camera_picture_counts (
  camera   text COLLATE "C" NOT NULL,
  hour     timestamptz NOT NULL,
  outcome  text NOT NULL CHECK (outcome IN ('received', 'dropped', 'removed')),
  reason   text NOT NULL DEFAULT '',
  pictures bigint NOT NULL,
  PRIMARY KEY (camera, hour, outcome, reason)
);

ALTER TABLE camera_pictures ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_pictures_in_scope ON camera_pictures TO gridsvc_app
  USING ((SELECT scope_is_service())
         OR CASE WHEN case_id IS NOT NULL THEN EXISTS (SELECT FROM cases c WHERE c.id = case_id)
                 WHEN review_id IS NOT NULL THEN EXISTS (SELECT FROM camera_reviews r WHERE r.id = review_id)
                 ELSE EXISTS (SELECT FROM cameras c WHERE c.code = camera) END) WITH CHECK (true);
ALTER TABLE camera_picture_bytes ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_picture_bytes_of_the_service ON camera_picture_bytes TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK (true);
ALTER TABLE camera_hosts ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_hosts_of_the_service ON camera_hosts TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK (true);
ALTER TABLE camera_gateways ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_gateways_of_the_service ON camera_gateways TO gridsvc_app
  USING ((SELECT scope_is_service())) WITH CHECK (true);
ALTER TABLE camera_looks ENABLE ROW LEVEL SECURITY;
CREATE POLICY camera_looks_in_scope ON camera_looks TO gridsvc_app
  USING ((SELECT scope_is_service()) OR EXISTS (SELECT FROM cameras c WHERE c.code = camera)) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON camera_picture_rules, camera_hosts, camera_gateways, camera_looks, camera_files,
  camera_pictures, camera_picture_bytes, camera_picture_counts TO gridsvc_app;
REVOKE UPDATE, DELETE ON camera_looks FROM gridsvc_app;
