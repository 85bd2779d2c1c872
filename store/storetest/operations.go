package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"appliance/pool"
)

// attributeRevisions: compare-and-set lets exactly one of several writers that
// read the same revision win, and each change is told.
func attributeRevisions(t *testing.T, s Store) {
	ctx := t.Context()
	told := func() *pool.Event {
		return &pool.Event{At: now(), Type: "attribute.set", Severity: pool.Info, Service: "db", Message: "set"}
	}
	a := pool.Attribute{Scope: "service:db", Name: "leader", Value: `"a"`, At: now(), By: "db/1", Rev: pool.AttributeNew}
	got, err := s.SetAttribute(ctx, a, told())
	if err != nil || got.Rev != 1 {
		t.Fatalf("SetAttribute = %+v, %v, want revision 1", got, err)
	}
	_, err = s.SetAttribute(ctx, a, told())
	want(t, "a new attribute that exists", err, pool.ErrConflict)
	_, err = s.SetAttribute(ctx, pool.Attribute{Scope: "service:db", Name: "none", Value: "1", Rev: 3}, told())
	want(t, "an attribute that is gone", err, pool.ErrConflict)
	var wg sync.WaitGroup
	var won atomic.Int32
	for n := range 10 {
		wg.Go(func() {
			next := got
			next.Value = fmt.Sprint(n)
			switch _, err := s.SetAttribute(ctx, next, told()); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, pool.ErrConflict):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d writers won, want 1", won.Load())
	}
	a.Rev, a.Value = 0, `"b"` // whatever it was
	if got, err = s.SetAttribute(ctx, a, told()); err != nil || got.Rev != 3 {
		t.Errorf("SetAttribute = %+v, %v, want revision 3", got, err)
	}
	want(t, "removing an older revision", s.RemoveAttribute(ctx, "service:db", "leader", 2, told()), pool.ErrConflict)
	must(t, s.RemoveAttribute(ctx, "service:db", "leader", 3, told()))
	want(t, "removing it again", s.RemoveAttribute(ctx, "service:db", "leader", 0, told()), pool.ErrNotFound)
	events, err := s.Events(ctx, pool.EventFilter{Type: "attribute."})
	if err != nil || len(events) != 4 {
		t.Errorf("%d events, %v, want one for each change that was made: 4", len(events), err)
	}
}

// clearedScopes: the attributes of what ends go with it, sealed values too.
func clearedScopes(t *testing.T, s Store) {
	ctx := t.Context()
	for _, scope := range []string{"instance:a", "instance:b"} {
		for _, a := range []pool.Attribute{{Scope: scope, Name: "port", Value: "1"}, {Scope: scope, Name: "key", Value: `"hush"`, Secret: true}} {
			got, err := s.SetAttribute(ctx, a, nil)
			must(t, err)
			if a.Secret && got.Value != "" {
				t.Errorf("the value of a secret attribute is %q", got.Value)
			}
		}
	}
	if v, err := s.Secret(ctx, "attr/instance:a/key"); err != nil || v.Reveal() != `"hush"` {
		t.Errorf("Secret = %q, %v", v.Reveal(), err)
	}
	plain := pool.Attribute{Scope: "instance:b", Name: "key", Value: "2"}
	_, err := s.SetAttribute(ctx, plain, nil) // no longer secret
	must(t, err)
	_, err = s.Secret(ctx, "attr/instance:b/key")
	want(t, "the sealed value of what is plain now", err, pool.ErrNotFound)
	must(t, s.Apply(ctx, &pool.Change{Cleared: []string{"instance:a"}}))
	_, err = s.Secret(ctx, "attr/instance:a/key")
	want(t, "a sealed value of a cleared scope", err, pool.ErrNotFound)
	left, err := s.Attributes(ctx, "")
	if err != nil || len(left) != 2 || left[0].Scope != "instance:b" {
		t.Errorf("left: %+v, %v", left, err)
	}
	must(t, s.RemoveAttribute(ctx, "instance:b", "", 0, nil))
	if left, err = s.Attributes(ctx, ""); err != nil || len(left) != 0 {
		t.Errorf("left after removing a scope: %+v, %v", left, err)
	}
}

func commands(t *testing.T, s Store) {
	ctx := t.Context()
	put := func(key, owner string, seq int, status pool.StepStatus) {
		must(t, s.Apply(ctx, &pool.Change{Steps: []*pool.Step{{Key: key, Owner: owner, Machine: "m", Seq: seq, Status: status, Attempt: 1, Deadline: now()}}}))
	}
	put("in-a/install/1", "in-a", 3, pool.StepRunning)
	put("inv-1/1", "in-a", pool.CommandSeq, pool.StepRunning)
	put("inv-1/2", "in-b", pool.CommandSeq, pool.StepPending)
	put("inv-10/1", "in-a", pool.CommandSeq+1, pool.StepDone)
	keys := func(list []pool.Step, err error) (out []string) {
		must(t, err)
		for _, s := range list {
			out = append(out, s.Key)
		}
		return out
	}
	if d := cmp.Diff([]string{"inv-1/1", "inv-1/2"}, keys(s.OpenCommands(ctx))); d != "" {
		t.Error("OpenCommands:", d)
	}
	if d := cmp.Diff([]string{"inv-1/1", "inv-1/2"}, keys(s.Invocation(ctx, "inv-1"))); d != "" {
		t.Error("Invocation:", d)
	}
	for i := 2; i < pool.KeptCommands+30; i++ {
		put(fmt.Sprintf("inv-x%d/1", i), "in-a", pool.CommandSeq+i, pool.StepDone)
	}
	all, err := s.Steps(ctx, "in-a")
	must(t, err)
	// The event and the command that run, and the last hundred that ended.
	if len(all) != pool.KeptCommands+2 || all[0].Name != "" || all[0].Seq != 3 || all[1].Key != "inv-1/1" {
		t.Errorf("%d steps are kept, the first two %s and %s", len(all), all[0].Key, all[1].Key)
	}
}

func decisions(t *testing.T, s Store) {
	ctx := t.Context()
	for n := range 3 {
		d := &pool.ScalingDecision{Service: "web", At: now(), By: "rules", Action: pool.ScaleOut, From: n, To: n + 1, Why: "busy",
			Numbers: []pool.RuleNumbers{{Rule: pool.ScalingRule{Metric: "Sessions", High: &pool.Threshold{Value: 2, By: 1}}, Value: 2.5, Known: true}}}
		must(t, s.Apply(ctx, &pool.Change{Decisions: []*pool.ScalingDecision{d, {Service: "other", At: now()}}}))
	}
	got, err := s.Decisions(ctx, "web", 2)
	if err != nil || len(got) != 2 || got[0].Seq != 3 || got[1].Seq != 2 || got[0].To != 3 || got[0].Numbers[0].Rule.High.Value != 2 {
		t.Errorf("Decisions = %+v, %v", got, err)
	}
}
