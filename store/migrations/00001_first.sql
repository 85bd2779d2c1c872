-- +goose Up
-- A row is its indexed columns and a document that holds the whole value.
-- The text is for SQLite and PostgreSQL alike.
CREATE TABLE machines (
	id TEXT PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	phase TEXT NOT NULL,
	instance TEXT NOT NULL,
	inventoried BOOLEAN NOT NULL,
	created_at TIMESTAMP NOT NULL,
	rev BIGINT NOT NULL,
	doc JSONB NOT NULL
);
CREATE INDEX machines_phase ON machines (phase, inventoried, created_at);
CREATE UNIQUE INDEX machines_instance ON machines (instance) WHERE instance <> '';

CREATE TABLE machine_macs (
	mac TEXT PRIMARY KEY,
	machine TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE
);
CREATE INDEX machine_macs_machine ON machine_macs (machine);

CREATE TABLE operations (
	id TEXT PRIMARY KEY,
	machine TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
	status TEXT NOT NULL,
	token TEXT NOT NULL,
	queued_at TIMESTAMP NOT NULL,
	rev BIGINT NOT NULL,
	doc JSONB NOT NULL
);
CREATE INDEX operations_machine ON operations (machine, queued_at);
-- One operation per machine: the first invariant.
CREATE UNIQUE INDEX operations_open ON operations (machine) WHERE status IN ('queued', 'running', 'waiting');

CREATE TABLE steps (
	step_key TEXT PRIMARY KEY,
	owner TEXT NOT NULL,
	machine TEXT NOT NULL,
	status TEXT NOT NULL,
	seq BIGINT NOT NULL,
	attempt BIGINT NOT NULL,
	rev BIGINT NOT NULL,
	doc JSONB NOT NULL
);
CREATE INDEX steps_owner ON steps (owner, seq, attempt);
CREATE INDEX steps_open ON steps (machine, seq, attempt) WHERE status IN ('pending', 'running');

CREATE TABLE services (
	name TEXT PRIMARY KEY,
	phase TEXT NOT NULL,
	rev BIGINT NOT NULL,
	doc JSONB NOT NULL
);

CREATE TABLE instances (
	id TEXT PRIMARY KEY,
	service TEXT NOT NULL,
	number BIGINT NOT NULL,
	machine TEXT NOT NULL,
	rev BIGINT NOT NULL,
	doc JSONB NOT NULL
);
CREATE INDEX instances_service ON instances (service, number);

CREATE TABLE attributes (
	scope TEXT NOT NULL,
	name TEXT NOT NULL,
	doc JSONB NOT NULL,
	PRIMARY KEY (scope, name)
);

CREATE TABLE wipes (
	machine TEXT NOT NULL,
	serial TEXT NOT NULL,
	at TIMESTAMP NOT NULL,
	used BOOLEAN NOT NULL,
	doc JSONB NOT NULL,
	PRIMARY KEY (machine, serial)
);

CREATE TABLE secrets (
	name TEXT PRIMARY KEY,
	sealed BLOB NOT NULL
);

CREATE TABLE events (
	seq BIGINT PRIMARY KEY,
	type TEXT NOT NULL,
	severity TEXT NOT NULL,
	machine TEXT NOT NULL,
	service TEXT NOT NULL,
	instance TEXT NOT NULL,
	doc JSONB NOT NULL
);
CREATE INDEX events_machine ON events (machine, seq);
CREATE INDEX events_service ON events (service, seq);

CREATE TABLE boot_events (
	seq BIGINT PRIMARY KEY,
	mac TEXT NOT NULL,
	at TIMESTAMP NOT NULL,
	doc JSONB NOT NULL
);
CREATE INDEX boot_events_mac ON boot_events (mac, seq);

CREATE TABLE logs (
	seq BIGINT PRIMARY KEY,
	at TIMESTAMP NOT NULL,
	machine TEXT NOT NULL,
	service TEXT NOT NULL,
	instance TEXT NOT NULL,
	step TEXT NOT NULL,
	line TEXT NOT NULL
);
CREATE INDEX logs_machine ON logs (machine, seq);
CREATE INDEX logs_service ON logs (service, seq);

-- A declined address has no MAC until expires.
CREATE TABLE leases (
	address TEXT PRIMARY KEY,
	mac TEXT UNIQUE,
	hostname TEXT NOT NULL,
	start TIMESTAMP NOT NULL,
	expires TIMESTAMP NOT NULL
);

CREATE TABLE templates (
	name TEXT PRIMARY KEY,
	doc JSONB NOT NULL
);

CREATE TABLE recipes (
	digest TEXT PRIMARY KEY,
	name TEXT NOT NULL,
	put_at TIMESTAMP NOT NULL,
	doc JSONB NOT NULL,
	archive BLOB NOT NULL
);
CREATE INDEX recipes_name ON recipes (name, put_at);

CREATE TABLE images (
	name TEXT PRIMARY KEY,
	doc JSONB NOT NULL,
	frames JSONB NOT NULL
);

CREATE TABLE tokens (
	name TEXT PRIMARY KEY,
	hash TEXT NOT NULL UNIQUE,
	doc JSONB NOT NULL
);

CREATE TABLE settings (
	name TEXT PRIMARY KEY,
	value TEXT NOT NULL
);
