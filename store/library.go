package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"appliance/pool"
)

// PutImage stores i in place of one of the same name.
func (db *DB) PutImage(ctx context.Context, i pool.Image) error {
	if i.Name == "" {
		return fmt.Errorf("%w: image: has no name", pool.ErrInvalid)
	}
	frames, err := text(i.Frames)
	if err != nil {
		return err
	}
	i.Frames = nil
	b, err := text(i)
	if err != nil {
		return err
	}
	return db.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return exec(ctx, tx, "image", i.Name, `
			INSERT INTO images (name, doc, frames) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET doc = excluded.doc, frames = excluded.frames`, i.Name, b, frames)
	})
}

// Image returns the image with the given name.
func (db *DB) Image(ctx context.Context, name string) (i pool.Image, err error) {
	var b, frames []byte
	err = kind(db.read.QueryRowContext(ctx, "SELECT doc, frames FROM images WHERE name = $1", name).Scan(&b, &frames))
	if err == nil {
		err = json.Unmarshal(b, &i)
	}
	if err == nil {
		err = json.Unmarshal(frames, &i.Frames)
	}
	return named(i, err, "image", name)
}

// Images returns all images by name, without their frames.
func (db *DB) Images(ctx context.Context) ([]pool.Image, error) {
	list, err := docs[pool.Image](ctx, db.read, "SELECT doc FROM images ORDER BY name")
	return named(list, err, "images", "")
}

// DeleteImage forgets an image; pool.ErrNotFound when there is none.
func (db *DB) DeleteImage(ctx context.Context, name string) error {
	return db.remove(ctx, "image", name, "DELETE FROM images WHERE name = $1", name)
}

// PutToken stores t in place of one of the same name.
func (db *DB) PutToken(ctx context.Context, t pool.APIToken) error {
	if t.Name == "" || t.Hash == "" {
		return fmt.Errorf("%w: token %q: has no name or no hash", pool.ErrInvalid, t.Name)
	}
	b, err := text(t)
	if err != nil {
		return err
	}
	return db.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return exec(ctx, tx, "token", t.Name, `
			INSERT INTO tokens (name, hash, doc) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, doc = excluded.doc`, t.Name, t.Hash, b)
	})
}

// UsedToken replaces what is kept of a token, unless it was revoked or renewed meanwhile.
func (db *DB) UsedToken(ctx context.Context, t pool.APIToken) error {
	b, err := text(t)
	if err != nil {
		return err
	}
	return db.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return exec(ctx, tx, "token", t.Name, "UPDATE tokens SET doc = $1 WHERE name = $2 AND hash = $3", b, t.Name, t.Hash)
	})
}

// scanToken reads a document and the hash, which no document holds.
func scanToken(scan func(...any) error) (t pool.APIToken, err error) {
	var b []byte
	var hash string
	if err := scan(&b, &hash); err != nil {
		return t, kind(err)
	}
	err = decode(b, &t)
	t.Hash = hash
	return t, err
}

// TokenByHash returns the token whose text has the given SHA-256. Whether it
// has expired is for the caller to see.
func (db *DB) TokenByHash(ctx context.Context, hash string) (pool.APIToken, error) {
	t, err := scanToken(db.read.QueryRowContext(ctx, "SELECT doc, hash FROM tokens WHERE hash = $1", hash).Scan)
	return named(t, err, "token", "by hash")
}

// Tokens returns all tokens by name.
func (db *DB) Tokens(ctx context.Context) ([]pool.APIToken, error) {
	list, err := rows(ctx, db.read, func(r *sql.Rows) (pool.APIToken, error) { return scanToken(r.Scan) },
		"SELECT doc, hash FROM tokens ORDER BY name")
	return named(list, err, "tokens", "")
}

// DeleteToken revokes a token; pool.ErrNotFound when there is none.
func (db *DB) DeleteToken(ctx context.Context, name string) error {
	return db.remove(ctx, "token", name, "DELETE FROM tokens WHERE name = $1", name)
}

// Setting returns a value that SetSetting stored; pool.ErrNotFound when there is none.
func (db *DB) Setting(ctx context.Context, key string) (string, error) {
	var v string
	err := kind(db.read.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = $1", key).Scan(&v))
	return named(v, err, "setting", key)
}

// SetSetting stores a value.
func (db *DB) SetSetting(ctx context.Context, key, value string) error {
	return db.writer.beside(ctx, func(ctx context.Context, tx *sql.Tx) error { return putSetting(ctx, tx, key, value) })
}

func putSetting(ctx context.Context, tx *sql.Tx, key, value string) error {
	return exec(ctx, tx, "setting", key, `
		INSERT INTO settings (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, key, value)
}
