CREATE TABLE devices (
  -- As the board writes it: 1 to 128 printable characters.
  device_id text PRIMARY KEY CHECK (device_id <> ''),
  name text NOT NULL,
  type text NOT NULL,
  ip_address text NOT NULL,
  capabilities json NOT NULL,
  -- False for a board that was heard but never registered.
  registered boolean NOT NULL,
  -- What the last heartbeat said of itself.
  reported_status text NOT NULL,
  -- In the board's own unit, as it was sent.
  uptime float8 NOT NULL,
  -- Bytes.
  free_heap float8 NOT NULL,
  -- dBm; null where the board never told.
  wifi_rssi float8,
  error_count integer NOT NULL,
  -- The last ones, oldest first.
  errors json NOT NULL,
  -- Null for a board that was only heard by its frames.
  last_heartbeat_at timestamptz,
  last_seen_at timestamptz NOT NULL,
  -- Since a restart was ordered; null once the board was heard from again.
  maintenance_since timestamptz
);

-- Commands that wait for their device's next heartbeat. A row is deleted before its command is handed out.
CREATE TABLE device_commands (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device_id text NOT NULL REFERENCES devices ON DELETE CASCADE,
  command text NOT NULL,
  params json NOT NULL,
  created_at timestamptz NOT NULL
);
CREATE INDEX device_commands_device ON device_commands (device_id);

-- One row, once the first command was counted.
CREATE TABLE device_command_totals (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- Handed out to their device.
  sent bigint NOT NULL DEFAULT 0,
  -- Refused, or removed together with their device.
  failed bigint NOT NULL DEFAULT 0
);

CREATE TABLE sensor_readings (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  device_id text NOT NULL,
  -- By this server's clock: boards often count from their boot.
  received_at timestamptz NOT NULL,
  -- Kept letter by letter, hence not jsonb.
  data json NOT NULL
);
CREATE INDEX sensor_readings_device ON sensor_readings (device_id, id);
CREATE INDEX sensor_readings_received ON sensor_readings (received_at);
