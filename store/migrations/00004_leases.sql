-- +goose Up
-- Leases of both families, one of each for a MAC. Times are microseconds since
-- 1970; detail is a document of what is only shown. The text is for SQLite and
-- PostgreSQL alike; leases of the first schema are kept.
ALTER TABLE leases RENAME TO leases_first;
CREATE TABLE leases (
	address TEXT PRIMARY KEY,
	mac TEXT,
	family BIGINT NOT NULL,
	hostname TEXT NOT NULL,
	start BIGINT NOT NULL,
	expires BIGINT NOT NULL,
	detail TEXT NOT NULL
);
CREATE UNIQUE INDEX leases_mac ON leases (mac, family);

CREATE TABLE reservations (
	name TEXT PRIMARY KEY,
	doc JSONB NOT NULL
);
