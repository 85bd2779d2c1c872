package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/pressly/goose/v3"

	"appliance/pool"
)

//go:embed migrations/*.sql
var migrations embed.FS

// provider returns the migrations: the files, and those that need Go.
func provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()),
		goose.WithGoMigrations(goose.NewGoMigration(2, &goose.GoFunc{RunTx: shipTemplates}, nil),
			goose.NewGoMigration(5, &goose.GoFunc{RunTx: moveLeases}, nil)))
}

// shipTemplates puts in the templates that every appliance starts with.
func shipTemplates(ctx context.Context, tx *sql.Tx) error {
	for _, t := range pool.Shipped() {
		if err := putTemplate(ctx, tx, t); err != nil {
			return err
		}
	}
	return nil
}

// migrate brings the schema of db up to date.
func migrate(ctx context.Context, db *sql.DB, log *slog.Logger) error {
	p, err := provider(db)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	done, err := p.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	for _, m := range done {
		log.LogAttrs(ctx, slog.LevelInfo, "schema migrated", slog.Int64("version", m.Source.Version))
	}
	return nil
}

// newest returns the newest schema that this program knows.
func newest() (int64, error) {
	db, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		return 0, err
	}
	p, err := provider(db)
	if err != nil {
		return 0, errors.Join(err, db.Close())
	}
	all := p.ListSources()
	return all[len(all)-1].Version, db.Close()
}

// checkFile refuses a file that is damaged or newer than this program. It
// changes nothing; an empty file, which has no schema yet, passes.
func checkFile(ctx context.Context, path string) (err error) {
	if st, err := os.Stat(path); err != nil || st.Size() == 0 {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("open %s: %w", path, kind(err))
		}
	}()
	db, err := sql.Open("sqlite3", fileURI(path, "_query_only=on&_busy_timeout=5000"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s (%s)", pool.ErrInvalid, damaged, verdict)
	}
	has, err := schema(ctx, db)
	if err != nil {
		return err
	}
	known, err := newest()
	if err != nil {
		return err
	}
	if has > known {
		return fmt.Errorf("%w: its schema is version %d and this program knows up to %d: it was written by a newer appliance; install that version, or put back an older backup with \"appliance restore FILE\"",
			pool.ErrInvalid, has, known)
	}
	return nil
}

// schema returns the version of db's schema, 0 for none.
func schema(ctx context.Context, db *sql.DB) (int64, error) {
	var n int
	const q = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'"
	if err := db.QueryRowContext(ctx, q).Scan(&n); err != nil || n == 0 {
		return 0, err
	}
	var v int64
	return v, db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version").Scan(&v)
}

// Schema returns the version of the database's schema.
func (db *DB) Schema(ctx context.Context) (int64, error) {
	v, err := schema(ctx, db.read)
	return v, kind(err)
}
