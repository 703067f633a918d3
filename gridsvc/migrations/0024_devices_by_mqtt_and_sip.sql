-- Devices that do not come by HTTP. Each speaks for its cameras, and for no other.

-- A site that publishes over MQTT (Frigate): a user of the broker who may write below the topic of his name alone.
CREATE TABLE mqtt_sites (
  name          text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
  password_hash text NOT NULL,                   -- as RabbitMQ takes it: base64 of a salt and of SHA-256
  label         text NOT NULL DEFAULT '',
  created_at    timestamptz NOT NULL,
  created_by    text NOT NULL,
  rotated_at    timestamptz,
  revoked_at    timestamptz,
  heard_at      timestamptz,
  messages      bigint NOT NULL DEFAULT 0        -- taken in so far
);
CREATE TABLE mqtt_site_cameras (
  site   text COLLATE "C" NOT NULL REFERENCES mqtt_sites ON DELETE CASCADE,
  camera text COLLATE "C" NOT NULL REFERENCES cameras ON DELETE CASCADE,
  PRIMARY KEY (site, camera)
);
CREATE INDEX mqtt_site_cameras_camera ON mqtt_site_cameras (camera);

-- A device or platform of GB/T 28181 that registers here by SIP.
CREATE TABLE sip_devices (
  code             text COLLATE "C" PRIMARY KEY CHECK (code ~ '^[0-9]{20}$'),
  secret           bytea NOT NULL,               -- its password, sealed
  label            text NOT NULL DEFAULT '',
  created_at       timestamptz NOT NULL,
  created_by       text NOT NULL,
  rotated_at       timestamptz,
  revoked_at       timestamptz,
  registered_at    timestamptz,
  registered_until timestamptz,
  host             text NOT NULL DEFAULT '',     -- from where it registered: nobody else speaks for it
  heard_at         timestamptz,
  CONSTRAINT registered_from_somewhere CHECK ((registered_until IS NULL) = (host = ''))
);
CREATE TABLE sip_device_cameras (
  device text COLLATE "C" NOT NULL REFERENCES sip_devices ON DELETE CASCADE,
  camera text COLLATE "C" NOT NULL REFERENCES cameras ON DELETE CASCADE,
  PRIMARY KEY (device, camera)
);
CREATE INDEX sip_device_cameras_camera ON sip_device_cameras (camera);

-- Messages by the way they came and what became of them, since the city began: for the figures.
CREATE TABLE intake_counts (
  way      text NOT NULL CHECK (way IN ('mqtt', 'sip')),
  outcome  text NOT NULL,
  messages bigint NOT NULL,
  PRIMARY KEY (way, outcome)
);

ALTER TABLE mqtt_sites ENABLE ROW LEVEL SECURITY;
CREATE POLICY mqtt_sites_of_the_service ON mqtt_sites TO gridsvc_app USING ((SELECT scope_is_service()));
ALTER TABLE sip_devices ENABLE ROW LEVEL SECURITY;
CREATE POLICY sip_devices_of_the_service ON sip_devices TO gridsvc_app USING ((SELECT scope_is_service()));

GRANT SELECT, INSERT, UPDATE, DELETE ON mqtt_sites, mqtt_site_cameras, sip_devices, sip_device_cameras, intake_counts
  TO gridsvc_app;
