package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"

	"appliance/pool"
)

// keyCheck names a secret that only tells whether the key is the right one.
const keyCheck = "store/key-check"

func newSeal(key []byte) (cipher.AEAD, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("%w: open store: the key has %d bytes, want 32", pool.ErrInvalid, len(key))
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

// sealed encrypts s. The name is bound to it, so that one secret cannot be
// put in another's place.
func (db *DB) sealed(name string, s pool.Secret) []byte {
	nonce := make([]byte, db.seal.NonceSize())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return db.seal.Seal(nonce, nonce, []byte(s.Reveal()), []byte(name))
}

func (db *DB) opened(name string, sealed []byte) (pool.Secret, error) {
	n := db.seal.NonceSize()
	if len(sealed) < n {
		return pool.Secret{}, fmt.Errorf("%w: open secret %s: too short", pool.ErrInvalid, name)
	}
	text, err := db.seal.Open(nil, sealed[:n], sealed[n:], []byte(name))
	if err != nil {
		return pool.Secret{}, fmt.Errorf("%w: open secret %s: it was sealed with another key", pool.ErrInvalid, name)
	}
	return pool.NewSecret(string(text)), nil
}

// checkKey refuses a key that is not the one the secrets were sealed with.
func (db *DB) checkKey(ctx context.Context) error {
	_, err := db.Secret(ctx, keyCheck)
	if errors.Is(err, pool.ErrNotFound) {
		return db.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			return db.putSecret(ctx, tx, keyCheck, pool.NewSecret("right"))
		})
	}
	if err != nil {
		return fmt.Errorf("open %s: the key does not fit this database; put back the key that was there: %w", db.path, err)
	}
	return nil
}

// Secret returns the secret that a Change stored under name.
func (db *DB) Secret(ctx context.Context, name string) (pool.Secret, error) {
	return cached(&db.cache, cacheKey{cachedSecret, name}, func(s pool.Secret) pool.Secret { return s }, func() (pool.Secret, error) {
		var b []byte
		if err := db.read.QueryRowContext(ctx, "SELECT sealed FROM secrets WHERE name = $1", name).Scan(&b); err != nil {
			return pool.Secret{}, fmt.Errorf("read secret %s: %w", name, kind(err))
		}
		return db.opened(name, b)
	})
}

// putSecret seals s under name; a zero secret deletes.
func (db *DB) putSecret(ctx context.Context, tx *sql.Tx, name string, s pool.Secret) error {
	if s.IsZero() {
		_, err := tx.ExecContext(ctx, "DELETE FROM secrets WHERE name = $1", name)
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO secrets (name, sealed) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed`, name, db.sealed(name, s))
	return err
}
