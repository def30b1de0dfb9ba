-- Cameras that are watched without a session. The address holds its password: whoever reads the database can watch the cameras.
CREATE TABLE saved_cameras (
  camera_id smallint PRIMARY KEY CHECK (camera_id > 0),
  name text NOT NULL,
  rtsp_url text NOT NULL UNIQUE,
  recognise boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
