package store

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"

	"appliance/pool"
)

// kind gives err, which a database call returned, one of pool's kinds.
func kind(err error) error {
	if err == nil || isKind(err) {
		return err
	}
	if errors.Is(err, sql.ErrNoRows) {
		return pool.ErrNotFound
	}
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case sqlite3.ErrConstraint:
		return fmt.Errorf("%w: %v", pool.ErrConflict, err)
	case sqlite3.ErrFull:
		return fmt.Errorf("%w: the disk of the data folder is full: %v", pool.ErrUnavailable, err)
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return fmt.Errorf("%w: %s (%v)", pool.ErrInvalid, damaged, err)
	case sqlite3.ErrIoErr, sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrNomem, sqlite3.ErrPerm:
		return fmt.Errorf("%w: %v", pool.ErrUnavailable, err)
	}
	return err
}

// damaged says what a person does about a corrupt file.
const damaged = `the database file is damaged; stop the appliance and put back the last backup with "appliance restore FILE"`

func isKind(err error) bool {
	for _, k := range []error{pool.ErrInvalid, pool.ErrNotFound, pool.ErrConflict, pool.ErrUnavailable} {
		if errors.Is(err, k) {
			return true
		}
	}
	return false
}

// spoils says whether err may have ended the whole transaction, savepoints
// and all (sqlite.org/lang_transaction.html, section 3).
func spoils(err error) bool {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrNomem, sqlite3.ErrBusy, sqlite3.ErrInterrupt, sqlite3.ErrCorrupt, sqlite3.ErrCantOpen, sqlite3.ErrReadonly:
		return true
	}
	return false
}
