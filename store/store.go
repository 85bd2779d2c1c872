package store

import (
	"context"
	"crypto/cipher"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
)

// File is the name of the database in the data folder.
const File = "pool.db"

// Options say where the store is and how it behaves.
type Options struct {
	// Dir is the data folder; it is made when it does not exist. One store at a time may be open on it.
	Dir string
	// Key seals the secrets: 32 bytes that are kept elsewhere than the database.
	Key []byte
	// LogLines bounds the lines kept for each machine; 20000 when zero.
	LogLines int
	// BootEvents bounds the boot events kept for each MAC; 500 when zero.
	BootEvents int
	// Discoveries bounds the machines that nobody accepted: those that told what
	// they are, and those that told nothing yet; 5000 of each when zero.
	Discoveries int
	// Log is told of migrations; nil is silent.
	Log *slog.Logger
}

// DB is an open store. Its methods may be called by many goroutines at once.
type DB struct {
	path   string
	opts   Options
	lock   *lock
	read   *sql.DB
	writer *writer
	cache  cache
	seal   cipher.AEAD

	mu       sync.Mutex
	watchers map[chan struct{}]struct{}
}

// Open opens the store in o.Dir, makes it on the first call, and brings its
// schema up to date.
//
// It returns an error that wraps pool.ErrConflict when another process has the
// folder open, and pool.ErrInvalid when the file is damaged, was written by a
// newer version, or its secrets are sealed with another key. It never changes
// such a file.
func Open(ctx context.Context, o Options) (_ *DB, err error) {
	o.LogLines = withDefault(o.LogLines, 20000)
	o.BootEvents = withDefault(o.BootEvents, 500)
	o.Discoveries = withDefault(o.Discoveries, 5000)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	seal, err := newSeal(o.Key)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	l, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	db := &DB{path: filepath.Join(o.Dir, File), opts: o, lock: l, seal: seal, watchers: map[chan struct{}]struct{}{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if err := secureFile(db.path); err != nil {
		return nil, err
	}
	if err := checkFile(ctx, db.path); err != nil {
		return nil, err
	}
	w, err := sql.Open("sqlite3", writerDSN(db.path))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", db.path, err)
	}
	w.SetMaxOpenConns(1)
	if _, err := w.ExecContext(ctx, "PRAGMA wal_autocheckpoint = "+strconv.Itoa(checkpointPages)); err != nil {
		return nil, fmt.Errorf("open %s: %w", db.path, kind(err))
	}
	db.writer = newWriter(w, db)
	if err := migrate(ctx, w, o.Log); err != nil {
		return nil, fmt.Errorf("open %s: %w", db.path, kind(err))
	}
	db.writer.start()
	if db.read, err = sql.Open("sqlite3", readerDSN(db.path)); err != nil {
		return nil, fmt.Errorf("open %s: %w", db.path, err)
	}
	db.read.SetMaxOpenConns(8)
	db.read.SetMaxIdleConns(8)
	return db, db.checkKey(ctx)
}

// Close waits for the writes that were begun, closes the file and gives the
// data folder free. Writes that come later get pool.ErrUnavailable.
func (db *DB) Close() error {
	var errs []error
	if db.read != nil {
		errs = append(errs, db.read.Close())
	}
	if db.writer != nil {
		errs = append(errs, db.writer.close())
	}
	return errors.Join(append(errs, db.lock.release())...)
}

// checkpointPages is how long the log grows (32 MiB) before it is worked into
// the database: pages that change often are written there once, not each time.
// It is set on the one connection that writes, which is never closed before
// the store is; were it opened anew, SQLite's 1,000 would hold.
const checkpointPages = 8000

// secureFile makes the database file, if there is none, readable by us alone.
func secureFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	return f.Close()
}

// fileURI writes path as SQLite's URI, so that "?" and "#" in it are harmless.
func fileURI(path, query string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query
}

// writerDSN holds every setting: a PRAGMA after open would reach one connection.
// Without _synchronous=FULL the driver sets NORMAL, which loses commits on a power cut.
func writerDSN(path string) string {
	return fileURI(path, "_journal_mode=WAL&_synchronous=FULL&_busy_timeout=5000&_txlock=immediate&_mutex=no&_foreign_keys=on&_stmt_cache_size=64&_cache_size=-32768")
}

func readerDSN(path string) string {
	return fileURI(path, "mode=ro&_mutex=no&_query_only=on&_busy_timeout=5000&_stmt_cache_size=32")
}

func withDefault(n, d int) int {
	if n == 0 {
		return d
	}
	return n
}

// Watch returns a channel that gets a tick after each commit that wrote
// events; ticks that nobody took yet are one. The function ends the watch.
func (db *DB) Watch() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	db.mu.Lock()
	defer db.mu.Unlock()
	db.watchers[ch] = struct{}{}
	return ch, func() {
		db.mu.Lock()
		defer db.mu.Unlock()
		delete(db.watchers, ch)
	}
}

func (db *DB) tick() {
	db.mu.Lock()
	defer db.mu.Unlock()
	for ch := range db.watchers {
		select {
		case ch <- struct{}{}:
		default: // it has a tick that it did not take yet
		}
	}
}
