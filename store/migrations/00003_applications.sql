-- +goose Up
CREATE TABLE applications (
	name TEXT PRIMARY KEY,
	phase TEXT NOT NULL,
	rev BIGINT NOT NULL,
	doc JSONB NOT NULL
);

-- What a service was made of, by number; a rollback goes to one of them.
CREATE TABLE revisions (
	service TEXT NOT NULL,
	number BIGINT NOT NULL,
	doc JSONB NOT NULL,
	PRIMARY KEY (service, number)
);
