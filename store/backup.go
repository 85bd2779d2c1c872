package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"appliance/pool"
)

// Backup writes a copy of the database, as of one moment, to path. The store
// goes on meanwhile. The file appears only when it is whole and on disk; one
// that exists is pool.ErrConflict. Secrets in it stay sealed: the key is not
// part of it.
func (db *DB) Backup(ctx context.Context, path string) error {
	return Copy(ctx, filepath.Dir(db.path), path)
}

// Copy is Backup of the database in dir, which another process may have open.
func Copy(ctx context.Context, dir, path string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("back up to %s: %w", path, kind(err))
		}
	}()
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%w: the file exists", pool.ErrConflict)
	}
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer func() {
		if e := os.Remove(part); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}()
	if err := secureFile(part); err != nil { // VACUUM INTO writes to an empty file, too
		return err
	}
	src, err := sql.Open("sqlite3", fileURI(filepath.Join(dir, File), "mode=ro&_busy_timeout=5000"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if _, err := src.ExecContext(ctx, "VACUUM INTO $1", part); err != nil {
		return err
	}
	return place(part, path)
}

// place moves the file part, once it is on disk, to path.
func place(part, path string) error {
	if err := syncFile(part); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Restore puts the backup at path in place of the database in dir, after it
// has checked it as Open does. What was there is kept beside it, with suffix
// added to its name. No store may be open on dir.
func Restore(ctx context.Context, dir, path, suffix string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("restore %s: %w", path, err)
	}
	l, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.release()) }()
	target := filepath.Join(dir, File)
	part := target + ".part"
	if err := copyFile(path, part); err != nil {
		return fmt.Errorf("restore %s: %w", path, err)
	}
	if err := checkFile(ctx, part); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	// An appliance that is started half-way must find the one or the other,
	// whole: never none, which it would take for its first start.
	settle(ctx, target)
	before := target + suffix
	for _, err := range []error{os.Remove(before), os.Rename(target+"-wal", before+"-wal"), os.Rename(target+"-shm", before+"-shm"), os.Link(target, before)} {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("restore %s: %w", path, err)
		}
	}
	return place(part, target)
}

// settle writes what is only in the database's write-ahead log to its file, so
// that the file is all there is. One that cannot be read is left as it is.
func settle(ctx context.Context, path string) {
	if st, err := os.Stat(path); err != nil || st.Size() == 0 {
		return
	}
	db, err := sql.Open("sqlite3", fileURI(path, "mode=rw&_busy_timeout=5000"))
	if err != nil {
		return
	}
	_, _ = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	_ = db.Close()
}

func copyFile(from, to string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if st, err := src.Stat(); err != nil {
		return err
	} else if st.Size() == 0 {
		return fmt.Errorf("%w: the file is empty", pool.ErrInvalid)
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}
