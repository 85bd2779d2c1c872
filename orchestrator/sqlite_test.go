package orchestrator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"appliance/pool"
	"appliance/store"
)

// both is the real store with the fake beside it: each change goes to both,
// and they have to agree about it. It reads from the real one.
type both struct {
	Store // *store.DB
	h     *handle
}

func (b *both) Apply(ctx context.Context, c *pool.Change) error {
	if c.Empty() {
		return nil
	}
	return b.h.commit(pointName(c), func() error {
		mirror := copyChange(c)
		err, fake := b.Store.Apply(ctx, c), b.h.apply(mirror)
		if !errors.Is(err, fake) && !(errors.Is(err, pool.ErrConflict) && errors.Is(fake, pool.ErrConflict)) {
			b.h.broken = errors.Join(b.h.broken, fmt.Errorf("%s: the store says %v, the fake says %v", pointName(c), err, fake))
		}
		return err
	})
}

func copyChange(c *pool.Change) *pool.Change {
	return &pool.Change{Wipes: c.Wipes, Secrets: c.Secrets, Decisions: c.Decisions, Forgotten: c.Forgotten, Cleared: c.Cleared,
		Revisions:  copies(c.Revisions, func(r pool.Revision) pool.Revision { return r }),
		Machines:   copies(c.Machines, pool.Machine.Clone),
		Operations: copies(c.Operations, func(o pool.Operation) pool.Operation { return o }),
		Steps:      copies(c.Steps, copyStep),
		Services:   copies(c.Services, func(s pool.Service) pool.Service { return s }),
		Instances:  copies(c.Instances, func(i pool.Instance) pool.Instance { return i }),
		Events:     copies(c.Events, func(e pool.Event) pool.Event { return e })}
}

func copies[T any](rows []*T, one func(T) T) []*T {
	var out []*T
	for _, r := range rows {
		c := one(*r)
		out = append(out, &c)
	}
	return out
}

func (b *both) Discover(ctx context.Context, mac pool.MAC, client pool.Client, now time.Time) (pool.Machine, error) {
	m, err := b.Store.MachineByMAC(ctx, mac)
	if !errors.Is(err, pool.ErrNotFound) {
		return m, err
	}
	err = b.h.commit("machine.discovered", func() error {
		if m, err = b.Store.Discover(ctx, mac, client, now); err == nil {
			b.h.machines[m.ID] = m.Clone()
		}
		return err
	})
	return m, err
}

func (b *both) SetSetting(ctx context.Context, key, value string) error {
	select {
	case <-b.h.dead:
		return errKilled
	default:
		return b.Store.SetSetting(ctx, key, value)
	}
}

// same compares what the two remember.
func (w *world) same(t *testing.T, db *store.DB) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, want, got any) {
		if d := cmp.Diff(fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got)); d != "" {
			t.Errorf("%s (-fake +store):\n%s", what, d)
		}
	}
	ctx, fake := t.Context(), w.mem.open()
	machines, err := db.Machines(ctx)
	must(err)
	for _, m := range machines {
		want, err := fake.Machine(ctx, m.ID)
		must(err)
		check("machine", []any{want.Phase, want.Rev, want.Epoch, want.Instance, want.Image, want.Key, want.MACs},
			[]any{m.Phase, m.Rev, m.Epoch, m.Instance, m.Image, m.Key, m.MACs})
		wiped, err := db.Wiped(ctx, m.ID)
		must(err)
		has, err := fake.Wiped(ctx, m.ID)
		must(err)
		check("wipe records", has, wiped)
	}
	for _, id := range w.mem.opOrder {
		op, err := db.Operation(ctx, id)
		must(err)
		want := w.mem.ops[id]
		check("operation", []any{want.Kind, want.Status, want.Rev, want.Token}, []any{op.Kind, op.Status, op.Rev, op.Token})
	}
	for key, want := range w.mem.steps {
		s, err := db.Step(ctx, key)
		must(err)
		check("step", []any{want.Name, want.Status, want.Rev, want.BootID, want.Attempt}, []any{s.Name, s.Status, s.Rev, s.BootID, s.Attempt})
	}
	for name, want := range w.mem.secrets {
		s, err := db.Secret(ctx, name)
		must(err)
		if !s.Equal(want) {
			t.Errorf("secret %s differs", name)
		}
	}
}

// runSQLite is run over a database file, which each appliance opens anew.
func runSQLite(t *testing.T, f fault) (end string, w *world) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w = newWorld()
		w.disk = "old"
		w.mem.fault, w.mem.check = f, invariants
		var db *store.DB
		w.store = func(h *handle) Store {
			if db != nil {
				if err := db.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}
			var err error
			if db, err = store.Open(context.Background(), store.Options{Dir: dir, Key: bytes.Repeat([]byte{1}, 32)}); err != nil {
				t.Errorf("open: %v", err)
				return h
			}
			for _, tm := range w.mem.templates {
				if err := db.PutTemplate(context.Background(), tm); err != nil {
					t.Error(err)
				}
			}
			for _, im := range w.mem.images {
				if err := db.PutImage(context.Background(), im); err != nil {
					t.Error(err)
				}
			}
			return &both{Store: db, h: h}
		}
		w.reference(t)
		end = w.end()
		w.same(t, db)
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return end, w
}

// TestKilledOverSQLite is TestKilledAtEachCommit for some of the commits, over
// the real store: the fake is as strict as that, and no stricter.
func TestKilledOverSQLite(t *testing.T) {
	want, w := runSQLite(t, fault{})
	fake, _ := run(t, fault{})
	if diff := cmp.Diff(fake, want); diff != "" {
		t.Fatalf("the end differs (-fake +store):\n%s", diff)
	}
	for n := 1; n <= len(w.mem.points); n += 8 {
		for _, mode := range []string{"kill-before", "kill-after"} {
			t.Run(fmt.Sprintf("%d/%s", n, mode), func(t *testing.T) {
				got, killed := runSQLite(t, fault{at: n, mode: mode})
				if diff := cmp.Diff(want, got); diff != "" || !killed.mem.hit {
					t.Errorf("killed %v at %q: the end differs (-undisturbed +killed):\n%s\n%s", killed.mem.hit, w.mem.points[n-1], diff, killed.story())
				}
				if diff := cmp.Diff(w.runs, killed.runs); diff != "" {
					t.Errorf("events ran another number of times:\n%s", diff)
				}
			})
		}
	}
}
