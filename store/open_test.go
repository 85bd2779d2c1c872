package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"appliance/pool"
	"appliance/store"
)

// event returns a change that is one event.
func event(message string) *pool.Change {
	return &pool.Change{Events: []*pool.Event{{At: time.Now(), Type: "test", Severity: pool.Info, Message: message}}}
}

// refused opens dir and asks for an error of kind that holds all words.
func refused(t *testing.T, o store.Options, kind error, words ...string) {
	t.Helper()
	db, err := store.Open(t.Context(), o)
	if err == nil {
		t.Fatalf("Open = nil, want %v", errors.Join(kind, db.Close()))
	}
	if !errors.Is(err, kind) {
		t.Errorf("Open: %v, want %v", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("Open: %q does not say %q", err, w)
		}
	}
}

// closed makes a store in dir with one event and closes it.
func closed(t *testing.T, dir string) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dir: dir, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Apply(t.Context(), event("kept")), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestOpenTwice(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	refused(t, store.Options{Dir: dir, Key: key}, pool.ErrConflict, dir, strconv.Itoa(os.Getpid()))
	if err := store.Restore(t.Context(), dir, "x", ".before"); !errors.Is(err, pool.ErrConflict) {
		t.Errorf("Restore under an open store: %v, want %v", err, pool.ErrConflict)
	}
	if err := db.Apply(t.Context(), event("still works")); err != nil {
		t.Error(err)
	}
}

func TestOpenNewerSchema(t *testing.T) {
	dir := t.TempDir()
	closed(t, dir)
	raw(t, dir, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9007, 1)")
	before := read(t, dir)
	refused(t, store.Options{Dir: dir, Key: key}, pool.ErrInvalid, "9007", "knows up to", "newer", store.File)
	if !bytes.Equal(before, read(t, dir)) {
		t.Error("Open changed a file that it refused")
	}
}

func TestOpenCorrupt(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"header":    func(b []byte) []byte { copy(b, "no database at all"); return b },
		"page":      func(b []byte) []byte { clear(b[4096*2 : 4096*6]); return b },
		"truncated": func(b []byte) []byte { return b[:4096*3] },
		"text":      func([]byte) []byte { return []byte("hello\n") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			closed(t, dir)
			b := damage(read(t, dir))
			if err := os.WriteFile(filepath.Join(dir, store.File), b, 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, store.Options{Dir: dir, Key: key}, pool.ErrInvalid, "damaged", "appliance restore", dir)
			if !bytes.Equal(b, read(t, dir)) {
				t.Error("Open changed a file that it refused")
			}
		})
	}
}

func TestOpenWrongKey(t *testing.T) {
	dir := t.TempDir()
	closed(t, dir)
	refused(t, store.Options{Dir: dir, Key: bytes.Repeat([]byte{8}, 32)}, pool.ErrInvalid, "key", dir)
	refused(t, store.Options{Dir: dir, Key: []byte("short")}, pool.ErrInvalid, "32")
	open(t, dir) // the right one still fits
}

// TestFolderName opens folders whose names mean something in a URI.
func TestFolderName(t *testing.T) {
	for _, name := range []string{"a b", "50%", "q?mode=memory", "h#x", "ä&b"} {
		dir := filepath.Join(t.TempDir(), name)
		closed(t, dir)
		if st, err := os.Stat(filepath.Join(dir, store.File)); err != nil || st.Size() == 0 || st.Mode().Perm() != 0o600 {
			t.Errorf("database in folder %q: %v, %v", name, st, err)
		}
	}
}

func TestSecretsAreSealed(t *testing.T) {
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{Dir: dir, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	const text = "correct horse battery staple"
	a, b := pool.NewSecret(text), pool.NewSecret("other")
	err = db.Apply(t.Context(), &pool.Change{Secrets: map[string]pool.Secret{"bmc/a": a, "bmc/b": b}})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(read(t, dir), []byte(text)) {
		t.Error("the secret's text is in the database file")
	}
	// A secret that is put in another's place does not open.
	raw(t, dir, "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = 'bmc/a') WHERE name = 'bmc/b'")
	db = open(t, dir)
	if s, err := db.Secret(t.Context(), "bmc/b"); !errors.Is(err, pool.ErrInvalid) || strings.Contains(fmt.Sprint(err, s), text) {
		t.Errorf("Secret moved to another name: %v, want %v", err, pool.ErrInvalid)
	}
	if s, err := db.Secret(t.Context(), "bmc/a"); err != nil || s.Reveal() != text {
		t.Errorf("Secret = %v, want what was stored", err)
	}
}

// TestRestoreKeepsWhatWas: the file that is kept is all that there was, also
// what was in the write-ahead log only.
func TestRestoreKeepsWhatWas(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	db := open(t, dir)
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := errors.Join(db.Backup(ctx, backup), db.Apply(ctx, event("the last"))); err != nil {
		t.Fatal(err)
	}
	crashed, kept := t.TempDir(), t.TempDir()
	for _, suffix := range []string{"", "-wal"} { // as the power left it
		b, err := os.ReadFile(filepath.Join(dir, store.File+suffix))
		if err == nil {
			err = os.WriteFile(filepath.Join(crashed, store.File+suffix), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Restore(ctx, crashed, backup, ".before-restore"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(crashed, store.File+".before-restore"), filepath.Join(kept, store.File)); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]int{crashed: 0, kept: 1} {
		if list, err := open(t, dir).Events(ctx, pool.EventFilter{}); err != nil || len(list) != want {
			t.Errorf("%d events, %v; want %d", len(list), err, want)
		}
	}
}

func TestBackupAndRestore(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	db, err := store.Open(ctx, store.Options{Dir: dir, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { // the store goes on meanwhile
		for i := range 50 {
			if err := db.Apply(ctx, event(fmt.Sprint(i))); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	path := filepath.Join(t.TempDir(), "backup.db")
	err = errors.Join(db.Backup(ctx, path), <-done, db.Apply(ctx, event("after the backup")), db.Close())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, store.File), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"empty": "", "garbage": "garbage"} {
		bad := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(bad, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := store.Restore(ctx, dir, bad, ".before-restore"); !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("Restore of an %s file: %v, want %v", name, err, pool.ErrInvalid)
		}
	}
	if err := store.Restore(ctx, dir, path, ".before-restore"); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir)
	list, err := db.Events(ctx, pool.EventFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range list {
		if e.Message != fmt.Sprint(i) {
			t.Errorf("event %d after the restore is %q", i, e.Message)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, store.File+".before-restore")); err != nil || string(b) != "damaged" {
		t.Errorf("what was there before = %q, %v", b, err)
	}
}

func TestBounds(t *testing.T) {
	ctx := t.Context()
	db, err := store.Open(ctx, store.Options{Dir: t.TempDir(), Key: key, LogLines: 10, BootEvents: 5, Discoveries: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	other := []pool.LogLine{{Machine: "quiet", Line: "stays"}}
	if _, err := db.AppendLog(ctx, other); err != nil {
		t.Fatal(err)
	}
	if _, err := db.AppendLog(ctx, make([]pool.LogLine, 600)); err != nil {
		t.Fatal(err)
	}
	list, err := db.Logs(ctx, pool.LogFilter{})
	if err != nil || len(list) != 11 || list[0].Line != "stays" || list[10].Seq != 601 {
		t.Errorf("%d lines kept, %v, want the quiet machine's one and the last 10 of the other", len(list), err)
	}
	known := pool.MAC{2, 0, 0, 0, 0, 1}
	kept, err := db.Discover(ctx, known, pool.Client{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	kept.Facts = &pool.Facts{Hostname: "told us"}
	if err := db.Apply(ctx, &pool.Change{Machines: []*pool.Machine{&kept}}); err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		if _, err := db.Discover(ctx, pool.MAC{2, 0, 0, 0, 1, byte(n)}, pool.Client{}, time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := db.AppendBoot(ctx, []pool.BootEvent{{MAC: known, Bytes: int64(n)}}); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := db.Machines(ctx); err != nil || len(list) != 5 {
		t.Errorf("%d machines kept, %v, want 4 and the one with facts", len(list), err)
	}
	if _, err := db.Machine(ctx, kept.ID); err != nil {
		t.Error(err)
	}
	// Strangers that make up an inventory, too, are bounded: hello is anybody's word.
	for n := range 20 {
		m, err := db.Discover(ctx, pool.MAC{2, 0, 0, 0, 2, byte(n)}, pool.Client{}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		m.Facts = &pool.Facts{Hostname: "made up"}
		if err := db.Apply(ctx, &pool.Change{Machines: []*pool.Machine{&m}}); err != nil {
			t.Fatal(err)
		}
	}
	told := 0
	machines, err := db.Machines(ctx)
	for _, m := range machines {
		if m.Facts != nil {
			told++
		}
	}
	if err != nil || told > 4+1 { // the last one told after it was counted
		t.Errorf("%d machines with an inventory kept, %v, want 4 and the last", told, err)
	}
	if list, err := db.BootEvents(ctx, []pool.MAC{known}, time.Time{}, 0); err != nil || len(list) != 5 || list[4].Bytes != 19 {
		t.Errorf("boot events kept = %+v, %v, want the last 5", list, err)
	}
}

// raw changes the database of a store that is closed.
func raw(t *testing.T, dir, text string) {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(dir, store.File))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), text)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, store.File))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
