-- +goose Up
-- The number of an event, a boot event and a line is SQLite's own number of the
-- row: INTEGER PRIMARY KEY makes it so, and one index less is written with each
-- (PostgreSQL is to say BIGINT).
CREATE TABLE events_seq (
	seq INTEGER PRIMARY KEY,
	type TEXT NOT NULL,
	severity TEXT NOT NULL,
	machine TEXT NOT NULL,
	service TEXT NOT NULL,
	instance TEXT NOT NULL,
	doc JSONB NOT NULL
);
INSERT INTO events_seq (seq, type, severity, machine, service, instance, doc)
	SELECT seq, type, severity, machine, service, instance, doc FROM events ORDER BY seq;
DROP TABLE events;
ALTER TABLE events_seq RENAME TO events;
CREATE INDEX events_machine ON events (machine, seq);
CREATE INDEX events_service ON events (service, seq);

CREATE TABLE boot_events_seq (
	seq INTEGER PRIMARY KEY,
	mac TEXT NOT NULL,
	at TIMESTAMP NOT NULL,
	doc JSONB NOT NULL
);
INSERT INTO boot_events_seq (seq, mac, at, doc) SELECT seq, mac, at, doc FROM boot_events ORDER BY seq;
DROP TABLE boot_events;
ALTER TABLE boot_events_seq RENAME TO boot_events;
CREATE INDEX boot_events_mac ON boot_events (mac, seq);

CREATE TABLE logs_seq (
	seq INTEGER PRIMARY KEY,
	at TIMESTAMP NOT NULL,
	machine TEXT NOT NULL,
	service TEXT NOT NULL,
	instance TEXT NOT NULL,
	step TEXT NOT NULL,
	line TEXT NOT NULL
);
INSERT INTO logs_seq (seq, at, machine, service, instance, step, line)
	SELECT seq, at, machine, service, instance, step, line FROM logs ORDER BY seq;
DROP TABLE logs;
ALTER TABLE logs_seq RENAME TO logs;
CREATE INDEX logs_machine ON logs (machine, seq);
CREATE INDEX logs_service ON logs (service, seq);
