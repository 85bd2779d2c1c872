-- +goose Up
CREATE TABLE scaling (
	service TEXT NOT NULL,
	seq BIGINT NOT NULL,
	doc JSONB NOT NULL,
	PRIMARY KEY (service, seq)
);
