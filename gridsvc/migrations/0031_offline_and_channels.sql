-- What is done without a network is judged by when it was done; and notices reach people in more ways than one.

ALTER TABLE clocks ADD COLUMN judged_at timestamptz;
ALTER TABLE clocks ADD CONSTRAINT judged_while_it_ran CHECK (judged_at >= started_at AND judged_at <= stopped_at);
