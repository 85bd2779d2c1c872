package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// query builds a SELECT whose conditions depend on what is asked. Parameters
// are numbered in the order in which they are added: SQLite binds them by
// first appearance, PostgreSQL by number.
type query struct {
	sql  strings.Builder
	args []any
}

// add writes text, with each ? as the next parameter.
func (q *query) add(text string, args ...any) {
	for _, a := range args {
		before, after, _ := strings.Cut(text, "?")
		q.args = append(q.args, a)
		q.sql.WriteString(before + "$" + strconv.Itoa(len(q.args)))
		text = after
	}
	q.sql.WriteString(text)
}

// and adds a condition on a column, unless the value is empty.
func (q *query) and(column, value string) {
	if value != "" {
		q.add(" AND "+column+" = ?", value)
	}
}

// page orders by seq and takes the first limit rows, or the last ones.
func (q *query) page(limit int, last bool) {
	if limit <= 0 {
		limit = 1000
	}
	if last {
		q.add(" ORDER BY seq DESC LIMIT ?", limit)
	} else {
		q.add(" ORDER BY seq LIMIT ?", limit)
	}
}

// queryer is what a *sql.DB and a *sql.Tx have in common.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// rows scans each row that text selects.
func rows[T any](ctx context.Context, db queryer, scan func(*sql.Rows) (T, error), text string, args ...any) (_ []T, err error) {
	r, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, kind(err)
	}
	defer func() {
		if e := r.Close(); err == nil {
			err = kind(e)
		}
	}()
	out := []T{}
	for r.Next() {
		v, err := scan(r)
		if err != nil {
			return nil, kind(err)
		}
		out = append(out, v)
	}
	return out, kind(r.Err())
}

// docs returns the documents that text selects.
func docs[T any](ctx context.Context, db queryer, text string, args ...any) ([]T, error) {
	return rows(ctx, db, func(r *sql.Rows) (v T, err error) {
		var b []byte
		if err := r.Scan(&b); err != nil {
			return v, err
		}
		return v, json.Unmarshal(b, &v)
	}, text, args...)
}

// doc returns the one document that text selects; pool.ErrNotFound if there is none.
func doc[T any](ctx context.Context, db queryer, text string, args ...any) (v T, err error) {
	var b []byte
	if err := db.QueryRowContext(ctx, text, args...).Scan(&b); err != nil {
		return v, kind(err)
	}
	return v, json.Unmarshal(b, &v)
}

// reversed turns rows that were read backwards.
func reversed[T any](list []T, err error, turn bool) ([]T, error) {
	if turn {
		slices.Reverse(list)
	}
	return list, err
}

// named says in err which thing could not be read.
func named[T any](v T, err error, what, name string) (T, error) {
	if err != nil {
		return v, &readError{what, name, err}
	}
	return v, nil
}

// readError says what could not be read. That something does not exist is asked
// often, and seldom told to anybody: its text is made when it is.
type readError struct {
	what, name string
	err        error
}

// Error implements error.
func (e *readError) Error() string { return "read " + e.what + " " + e.name + ": " + e.err.Error() }

// Unwrap lets errors.Is see the kind.
func (e *readError) Unwrap() error { return e.err }

// text writes v as a document.
func text(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// decode reads a document.
func decode(b []byte, v any) error { return json.Unmarshal(b, v) }
