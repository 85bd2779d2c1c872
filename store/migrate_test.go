package store

import (
	"bytes"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"appliance/pool"
)

// TestSeqMigration: events, boot events and lines of a schema before 9 are
// there after it, under their numbers, and numbers go on.
func TestSeqMigration(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	old, err := sql.Open("sqlite3", writerDSN(filepath.Join(dir, File)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := provider(old)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(ctx, 8); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`INSERT INTO events (seq, type, severity, machine, service, instance, doc)
			VALUES (7, 'step.done', 'info', 'm', '', '', '{"seq":7,"at":"2026-01-02T03:04:05Z","type":"step.done","severity":"info","message":"x"}')`,
		`INSERT INTO boot_events (seq, mac, at, doc)
			VALUES (8, '02:00:00:00:00:01', '2026-01-02 03:04:05+00:00', '{"seq":8,"at":"2026-01-02T03:04:05Z","mac":"02:00:00:00:00:01","stage":"dhcp.ack"}')`,
		`INSERT INTO logs (seq, at, machine, service, instance, step, line) VALUES (9, '2026-01-02 03:04:05+00:00', 'm', '', '', 's', 'hello')`,
	} {
		if _, err := old.ExecContext(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := Open(ctx, Options{Dir: dir, Key: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // nothing is read after it
	if err := db.Apply(ctx, &pool.Change{Events: []*pool.Event{{Type: "step.done", Severity: pool.Info, Machine: "m"}}}); err != nil {
		t.Fatal(err)
	}
	events, err := db.Events(ctx, pool.EventFilter{Machine: "m"})
	if err != nil || len(events) != 2 || events[0].Seq != 7 || events[0].Message != "x" || events[1].Seq != 8 {
		t.Errorf("Events = %+v, %v", events, err)
	}
	mac := pool.MAC{2, 0, 0, 0, 0, 1}
	boots, err := db.BootEvents(ctx, []pool.MAC{mac}, events[0].At.AddDate(-1, 0, 0), 0)
	if err != nil || len(boots) != 1 || boots[0].Seq != 8 || boots[0].Stage != pool.StageLease {
		t.Errorf("BootEvents = %+v, %v", boots, err)
	}
	lines, err := db.Logs(ctx, pool.LogFilter{Machine: "m"})
	if err != nil || len(lines) != 1 || lines[0].Seq != 9 || lines[0].Line != "hello" {
		t.Errorf("Logs = %+v, %v", lines, err)
	}
}

// TestStepsMigration: a step that ran in a schema before 10 is found by its
// machine, without a look at all steps.
func TestStepsMigration(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	old, err := sql.Open("sqlite3", writerDSN(filepath.Join(dir, File)))
	if err != nil {
		t.Fatal(err)
	}
	p, err := provider(old)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(ctx, 9); err != nil {
		t.Fatal(err)
	}
	_, err = old.ExecContext(ctx, `INSERT INTO steps (step_key, owner, machine, status, seq, attempt, rev, doc)
		VALUES ('in-1/install/1', 'in-1', 'm', 'running', 1, 1, 1, '{"key":"in-1/install/1","owner":"in-1","machine":"m","status":"running","rev":1}')`)
	if err := errors.Join(err, old.Close()); err != nil {
		t.Fatal(err)
	}
	db, err := Open(ctx, Options{Dir: dir, Key: bytes.Repeat([]byte{1}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // nothing is read after it
	if list, err := db.RunningSteps(ctx, "m"); err != nil || len(list) != 1 || list[0].Key != "in-1/install/1" {
		t.Errorf("RunningSteps = %+v, %v", list, err)
	}
	plan, err := rows(ctx, db.read, func(r *sql.Rows) (text string, err error) {
		var id, parent, unused int
		return text, r.Scan(&id, &parent, &unused, &text)
	}, "EXPLAIN QUERY PLAN "+runningSteps, "m")
	if err != nil || len(plan) == 0 || !strings.Contains(plan[0], "steps_machine (machine=?)") {
		t.Errorf("plan = %q, %v, want a search by machine", plan, err)
	}
}
