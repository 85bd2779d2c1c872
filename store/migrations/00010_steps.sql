-- +goose Up
-- Which steps of a machine run is read seldom, and their status changes often:
-- the index holds what does not.
DROP INDEX steps_open;
CREATE INDEX steps_machine ON steps (machine, seq, attempt);
