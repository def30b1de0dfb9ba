-- Results of attendance sessions on their way to the backend: a row is a request that is repeated until the backend took it.
CREATE TABLE callback_batches (
  -- In the order of arrival, which the clock does not promise.
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  batch_id uuid NOT NULL UNIQUE,
  session_id uuid NOT NULL,
  callback_url text NOT NULL,
  origin text NOT NULL,
  -- The bytes that are sent, so text and not jsonb.
  body text NOT NULL,
  recognitions integer NOT NULL CHECK (recognitions > 0),
  failed_rounds integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  -- While a process sends it.
  claimed_until timestamptz,
  expires_at timestamptz NOT NULL
);

CREATE INDEX callback_batches_by_origin ON callback_batches (origin, number);
CREATE INDEX callback_batches_by_expiry ON callback_batches (expires_at);
