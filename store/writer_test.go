package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"appliance/pool"
)

func testStore(t *testing.T) *DB {
	t.Helper()
	db, err := Open(t.Context(), Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// held keeps the writer busy until it is called, so that writes which come
// meanwhile form one group. It waits until n of them do.
func held(t *testing.T, db *DB) (release func(n int)) {
	t.Helper()
	inside, leave, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- db.writer.write(context.Background(), func(context.Context, *sql.Tx) error {
			close(inside)
			<-leave
			return nil
		})
	}()
	<-inside
	return func(n int) {
		for waiting := -1; waiting < n; time.Sleep(time.Millisecond) {
			db.writer.mu.Lock()
			waiting = len(db.writer.waiting)
			db.writer.mu.Unlock()
		}
		close(leave)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func set(ctx context.Context, tx *sql.Tx, key string) error {
	return exec(ctx, tx, "setting", key, "INSERT INTO settings (name, value) VALUES ($1, 'x')", key)
}

// TestGroupIsolation has writes of one group succeed, fail and lose their
// caller: each gets its own result.
func TestGroupIsolation(t *testing.T) {
	db := testStore(t)
	release := held(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	boom := errors.New("boom")
	commits := map[string]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	results := make([]error, 30)
	for i := range results {
		wg.Go(func() {
			results[i] = db.writer.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
				var id string
				if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM settings").Scan(&id); err != nil {
					return err
				}
				mu.Lock()
				commits[fmt.Sprintf("%p", tx)] = true
				mu.Unlock()
				if err := set(ctx, tx, fmt.Sprint(i)); err != nil || i%3 != 0 {
					return err
				}
				return boom
			})
		})
	}
	release(len(results))
	cancel() // the callers leave; what they began is finished all the same
	wg.Wait()
	if len(commits) != 1 {
		t.Errorf("%d transactions for one group, want 1", len(commits))
	}
	for i, err := range results {
		wantErr, wantRow := error(nil), error(nil)
		if i%3 == 0 {
			wantErr, wantRow = boom, pool.ErrNotFound
		}
		if !errors.Is(err, wantErr) {
			t.Errorf("write %d = %v, want %v", i, err, wantErr)
		}
		if _, err := db.Setting(t.Context(), fmt.Sprint(i)); !errors.Is(err, wantRow) {
			t.Errorf("row of write %d: %v, want %v", i, err, wantRow)
		}
	}
	if err := db.writer.write(ctx, func(context.Context, *sql.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("write of one who has left = %v, want %v", err, context.Canceled)
	}
}

// TestFull fills the file to a limit: who does not fit is told, who fits is
// stored, and when there is room again everything works.
func TestFull(t *testing.T) {
	db := testStore(t)
	ctx := t.Context()
	pages := func(text string) (n int) {
		t.Helper()
		if err := db.writer.db.QueryRowContext(ctx, text).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	pages("PRAGMA max_page_count = " + strconv.Itoa(pages("PRAGMA page_count")+4))
	if err := db.SetSetting(ctx, "small", "fits"); err != nil {
		t.Fatal(err)
	}
	big := string(bytes.Repeat([]byte("x"), 1<<20))
	release := held(t, db)
	results := make([]error, 6)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			if i%2 == 0 {
				results[i] = db.SetSetting(ctx, "big", big)
			} else {
				results[i] = db.SetSetting(ctx, "small", "again")
			}
		})
	}
	release(len(results))
	wg.Wait()
	for i, err := range results {
		if i%2 == 0 && !errors.Is(err, pool.ErrUnavailable) || i%2 == 1 && err != nil {
			t.Errorf("write %d into a full file = %v", i, err)
		}
	}
	if v, err := db.Setting(ctx, "small"); err != nil || v != "again" {
		t.Errorf("Setting = %q, %v, want again", v, err)
	}
	pages("PRAGMA max_page_count = 100000")
	if err := db.SetSetting(ctx, "big", big); err != nil {
		t.Errorf("write when there is room again = %v", err)
	}
}

func TestClosed(t *testing.T) {
	db, err := Open(t.Context(), Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	release := held(t, db)
	late, ended := make(chan error, 1), make(chan error, 1)
	go func() { late <- db.SetSetting(context.Background(), "waiting", "x") }()
	release(1)
	go func() { ended <- db.Close() }()
	if err := <-late; err != nil && !errors.Is(err, pool.ErrUnavailable) {
		t.Errorf("write during Close = %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := db.SetSetting(t.Context(), "k", "v"); !errors.Is(err, pool.ErrUnavailable) {
		t.Errorf("write after Close = %v, want %v", err, pool.ErrUnavailable)
	}
}

// TestSettingsReachEveryConnection asks each kind of connection.
func TestSettingsReachEveryConnection(t *testing.T) {
	db := testStore(t)
	for _, tt := range []struct {
		db   *sql.DB
		ask  string
		want string
	}{
		{db.writer.db, "PRAGMA journal_mode", "wal"},
		{db.writer.db, "PRAGMA synchronous", "2"}, // FULL
		{db.writer.db, "PRAGMA foreign_keys", "1"},
		{db.writer.db, "PRAGMA busy_timeout", "5000"},
		{db.read, "PRAGMA query_only", "1"},
		{db.read, "PRAGMA busy_timeout", "5000"},
	} {
		var conns []*sql.Conn
		for range tt.db.Stats().MaxOpenConnections {
			c, err := tt.db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, c)
			var got string
			if err := c.QueryRowContext(t.Context(), tt.ask).Scan(&got); err != nil || got != tt.want {
				t.Errorf("%s = %q, %v, want %s", tt.ask, got, err, tt.want)
			}
		}
		for _, c := range conns {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := db.read.ExecContext(t.Context(), "DELETE FROM settings"); err == nil {
		t.Error("a reader's connection can write")
	}
}

// TestPlaceholdersAscend holds the rule that lets one SQL text run on SQLite,
// which binds $n by first appearance, and PostgreSQL, which binds by number.
func TestPlaceholdersAscend(t *testing.T) {
	literal, number := regexp.MustCompile("(?s)`[^`]*`|\"[^\"\n]*\""), regexp.MustCompile(`\$([0-9]+)`)
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		src, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range literal.FindAllString(string(src), -1) {
			var order []string
			for _, n := range number.FindAllStringSubmatch(text, -1) {
				if !slices.Contains(order, n[1]) {
					order = append(order, n[1])
					seen++
				}
			}
			for i, n := range order {
				if n != strconv.Itoa(i+1) {
					t.Errorf("%s: parameters appear as %v in %s", f.Name(), order, text)
					break
				}
			}
		}
	}
	if seen < 50 {
		t.Errorf("found %d parameters; the pattern misses the statements", seen)
	}
}
