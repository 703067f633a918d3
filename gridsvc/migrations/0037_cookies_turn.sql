-- The newest turn of a session's cookie that was used, and since when.
ALTER TABLE sessions
  ADD COLUMN cookie_turn      integer NOT NULL DEFAULT 0 CHECK (cookie_turn >= 0),
  ADD COLUMN cookie_turned_at timestamptz;
