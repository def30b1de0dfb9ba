-- Names this database's pictures in the data folder: files of another database in the same folder are never touched.
CREATE TABLE gallery_identity (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  id uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO gallery_identity DEFAULT VALUES;

CREATE TABLE persons (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Trimmed, Unicode NFC.
  name text NOT NULL UNIQUE CHECK (name <> ''),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE face_pictures (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person_id integer NOT NULL REFERENCES persons ON DELETE CASCADE,
  -- Plain name of the file in the gallery's folder.
  file_name text NOT NULL UNIQUE,
  -- Of the picture's bytes as they were posted, lower-case hexadecimal.
  sha256 text NOT NULL UNIQUE,
  -- Each from 0 (useless) to 1 (perfect).
  quality_overall real NOT NULL,
  quality_size real NOT NULL,
  quality_clarity real NOT NULL,
  quality_lighting real NOT NULL,
  quality_angle real NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX face_pictures_person ON face_pictures (person_id);

CREATE TABLE face_embeddings (
  picture_id integer NOT NULL REFERENCES face_pictures ON DELETE CASCADE,
  -- Embeddings of different models do not compare.
  model_id text NOT NULL,
  -- Unit length.
  embedding vector(512) NOT NULL,
  PRIMARY KEY (picture_id, model_id)
);
-- 2 kB fit into a row: stored beside the others instead of out of line, an exact search is twice to four times as fast.
ALTER TABLE face_embeddings ALTER COLUMN embedding SET STORAGE PLAIN;
CREATE INDEX face_embeddings_nearest ON face_embeddings USING hnsw (embedding vector_cosine_ops);

-- Pictures of the permitted-faces folder that have been enrolled once: deleting the person must not bring them back at the next start.
CREATE TABLE imported_pictures (
  sha256 text PRIMARY KEY,
  imported_at timestamptz NOT NULL DEFAULT now()
);
