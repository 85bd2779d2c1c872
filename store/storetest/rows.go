package storetest

import (
	"encoding/json"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"appliance/pool"
)

func steps(t *testing.T, s Store) {
	ctx := t.Context()
	step := func(owner, name string, seq, attempt int, st pool.StepStatus) *pool.Step {
		return &pool.Step{Key: pool.StepKey(owner, name, attempt), Owner: owner, Machine: "m-1", Seq: seq, Name: name,
			Executor: pool.ByAgent, Mode: pool.InRAM, Status: st, Attempt: attempt, Tries: 3, Epoch: 2, Timeout: time.Minute,
			Deadline: now().Add(time.Minute), Task: &pool.Task{Kind: pool.TaskImage, Params: json.RawMessage(`{"image":"d"}`)},
			Result: json.RawMessage(`{"ok":true}`), Cause: &pool.Cause{Code: "x", Message: "m", At: now()}}
	}
	all := []*pool.Step{step("op-1", "image", 2, 2, pool.StepRunning), step("op-1", "image", 2, 1, pool.StepFailed),
		step("op-1", "standby", 1, 1, pool.StepDone), step("op-2", "x", 1, 1, pool.StepPending)}
	must(t, s.Apply(ctx, &pool.Change{Steps: all}))
	got, err := s.Steps(ctx, "op-1")
	must(t, err)
	if d := cmp.Diff([]pool.Step{*all[2], *all[1], *all[0]}, got, same); d != "" {
		t.Errorf("Steps differ (-want +got):\n%s", d)
	}
	mine, err := s.SharedSteps(ctx, "op-1")
	must(t, err)
	if d := cmp.Diff([]*pool.Step{all[2], all[1], all[0]}, mine, same); d != "" {
		t.Errorf("SharedSteps differ (-want +got):\n%s", d)
	}
	mine[1].Output, mine[2].Task.Kind = "changed", "changed" // those that are not done are copies
	if got, err := s.Steps(ctx, "op-1"); err != nil || !cmp.Equal([]pool.Step{*all[2], *all[1], *all[0]}, got, same) {
		t.Errorf("Steps = %+v, %v after a change of the copies", got, err)
	}
	open, err := s.RunningSteps(ctx, "m-1")
	must(t, err)
	if len(open) != 1 || open[0].Key != all[0].Key {
		t.Errorf("RunningSteps = %+v, want the one that runs", open)
	}
	again := *all[0]
	again.Status = pool.StepDone
	must(t, s.Apply(ctx, &pool.Change{Steps: []*pool.Step{&again}}))
	want(t, "stale step", s.Apply(ctx, &pool.Change{Steps: []*pool.Step{all[0]}}), pool.ErrConflict)
	again.Status, again.Deadline = pool.StepRunning, time.Time{}
	want(t, "running without a deadline", s.Apply(ctx, &pool.Change{Steps: []*pool.Step{&again}}), pool.ErrInvalid)
	_, err = s.Step(ctx, "none")
	want(t, "Step of none", err, pool.ErrNotFound)
}

func services(t *testing.T, s Store) {
	ctx := t.Context()
	svc := pool.Service{Name: "db", Recipe: pool.RecipeInfo{Name: "mysql", Events: []string{"init"}}, Instances: 2,
		Phase: pool.ServiceDeploying, By: "me", CreatedAt: now()}
	a := pool.Instance{ID: "i-2", Service: "db", Number: 2, Phase: pool.InstanceWaiting, CreatedAt: now()}
	b := pool.Instance{ID: "i-1", Service: "db", Number: 1, Machine: "m", Endpoint: "h:1", Phase: pool.InstanceRunning}
	c := pool.Instance{ID: "i-3", Service: "web", Number: 1}
	must(t, s.Apply(ctx, &pool.Change{Services: []*pool.Service{&svc}, Instances: []*pool.Instance{&a, &b, &c}}))
	if got, err := s.Service(ctx, "db"); err != nil || !cmp.Equal(svc, got, same) {
		t.Errorf("Service = %+v, %v, want %+v", got, err, svc)
	}
	if got, err := s.Instances(ctx, "db"); err != nil || !cmp.Equal([]pool.Instance{b, a}, got, same) {
		t.Errorf("Instances(db) = %+v, %v", got, err)
	}
	if got, err := s.Instances(ctx, ""); err != nil || len(got) != 3 {
		t.Errorf("Instances() = %+v, %v, want 3", got, err)
	}
	if got, err := s.Instance(ctx, "i-1"); err != nil || !cmp.Equal(b, got, same) {
		t.Errorf("Instance = %+v, %v", got, err)
	}
	fresh := pool.Service{Name: "db", Phase: pool.ServiceDeploying}
	want(t, "a name in use", s.Apply(ctx, &pool.Change{Services: []*pool.Service{&fresh}}), pool.ErrConflict)
	svc.Phase = pool.ServiceRemoved
	sealed := "attr/instance:i-1/password"
	must(t, s.Apply(ctx, &pool.Change{Services: []*pool.Service{&svc}, Secrets: map[string]pool.Secret{sealed: pool.NewSecret("pa55")},
		Steps:      []*pool.Step{{Key: "i-1/init/1", Owner: "i-1", Name: "init", Status: pool.StepDone}},
		Attributes: []*pool.Attribute{{Scope: "instance:i-1", Name: "password", Secret: true}, {Scope: "service:db", Name: "port"}, {Scope: "service:web", Name: "port"}}}))
	must(t, s.Apply(ctx, &pool.Change{Services: []*pool.Service{&fresh}}))
	if list, err := s.Services(ctx); err != nil || len(list) != 1 || list[0].Phase != pool.ServiceDeploying || fresh.Rev != 1 {
		t.Errorf("Services after a removed name was used again = %+v, %v", list, err)
	}
	// Nothing of the removed one is left for the new one, and nothing else is gone.
	_, secret := s.Secret(ctx, sealed)
	_, step := s.Step(ctx, "i-1/init/1")
	_, own := s.Attribute(ctx, "service:db", "port")
	_, instances := s.Attribute(ctx, "instance:i-1", "password")
	for what, err := range map[string]error{"secret": secret, "step": step, "attribute": own, "attribute of an instance": instances} {
		want(t, what+" of a removed service", err, pool.ErrNotFound)
	}
	_, err := s.Attribute(ctx, "service:web", "port")
	must(t, err)
	if list, err := s.Instances(ctx, ""); err != nil || len(list) != 1 || list[0].ID != "i-3" {
		t.Errorf("instances after a removed name was used again = %+v, %v, want i-3", list, err)
	}
}

func attributes(t *testing.T, s Store) {
	ctx := t.Context()
	a := pool.Attribute{Scope: "service:db", Name: "port", Value: "3306", At: now()}
	b := pool.Attribute{Scope: "service:db", Name: "password", Secret: true, At: now()}
	sealed := "attr/service:db/password"
	must(t, s.Apply(ctx, &pool.Change{Attributes: []*pool.Attribute{&a, &b}, Secrets: map[string]pool.Secret{sealed: pool.NewSecret("hush")}}))
	a.Rev, b.Rev = 1, 1
	if got, err := s.Attributes(ctx, "service:db"); err != nil || !cmp.Equal([]pool.Attribute{b, a}, got, same) {
		t.Errorf("Attributes = %+v, %v", got, err)
	}
	a.Value = "3307"
	must(t, s.Apply(ctx, &pool.Change{Attributes: []*pool.Attribute{&a}}))
	if got, err := s.Attribute(ctx, "service:db", "port"); err != nil || got.Value != "3307" {
		t.Errorf("Attribute = %+v, %v, want 3307", got, err)
	}
	if got, err := s.Secret(ctx, sealed); err != nil || got.Reveal() != "hush" {
		t.Errorf("Secret = %q, %v, want hush", got.Reveal(), err)
	}
	must(t, s.DeleteAttribute(ctx, "service:db", "password"))
	_, err := s.Secret(ctx, sealed)
	want(t, "Secret of a deleted attribute", err, pool.ErrNotFound)
	want(t, "DeleteAttribute again", s.DeleteAttribute(ctx, "service:db", "password"), pool.ErrNotFound)
	for text, kind := range map[string]error{"x": nil, "": pool.ErrNotFound} { // a zero secret deletes
		must(t, s.Apply(ctx, &pool.Change{Secrets: map[string]pool.Secret{"bmc/m": pool.NewSecret(text)}}))
		_, err := s.Secret(ctx, "bmc/m")
		want(t, "Secret after "+text, err, kind)
	}
}

func events(t *testing.T, s Store) {
	ctx := t.Context()
	tick, stop := s.Watch()
	defer stop()
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			c := &pool.Change{Events: []*pool.Event{
				{At: now(), Type: "step.done", Severity: pool.Info, Machine: []string{"a", "b"}[n%2], Message: "one"},
				{At: now(), Type: "operation.failed", Severity: pool.Problem, Service: "db", Instance: "i",
					Cause: &pool.Cause{Code: "c", Message: "m"}}}}
			if err := s.Apply(ctx, c); err != nil {
				t.Error(err)
			} else if c.Events[1].Seq != c.Events[0].Seq+1 {
				t.Errorf("events of one change have Seq %d and %d", c.Events[0].Seq, c.Events[1].Seq)
			}
			// A change that is refused leaves no gap.
			bad := &pool.Change{Events: []*pool.Event{{Type: "x"}}, Services: []*pool.Service{{Name: "none", Rev: 4}}}
			want(t, "stale service", s.Apply(ctx, bad), pool.ErrConflict)
		})
	}
	wg.Wait()
	select {
	case <-tick:
	default:
		t.Error("Watch: no tick after 20 changes")
	}
	all, err := s.Events(ctx, pool.EventFilter{})
	must(t, err)
	for i, e := range all {
		if e.Seq != int64(i+1) {
			t.Fatalf("event %d has Seq %d: there is a gap", i, e.Seq)
		}
	}
	for name, tt := range map[string]struct {
		f           pool.EventFilter
		count, from int
	}{
		"all":      {pool.EventFilter{}, 40, 1},
		"after":    {pool.EventFilter{After: 30}, 10, 31},
		"limit":    {pool.EventFilter{Limit: 3}, 3, 1},
		"last":     {pool.EventFilter{Limit: 3, Last: true}, 3, 38},
		"machine":  {pool.EventFilter{Machine: "a"}, 10, 0},
		"service":  {pool.EventFilter{Service: "db", Instance: "i"}, 20, 0},
		"type":     {pool.EventFilter{Type: "operation."}, 20, 0},
		"no type":  {pool.EventFilter{Type: "operation.x"}, 0, 0},
		"severity": {pool.EventFilter{Severity: pool.Problem}, 20, 0},
	} {
		got, err := s.Events(ctx, tt.f)
		if err != nil || len(got) != tt.count || tt.from > 0 && got[0].Seq != int64(tt.from) {
			t.Errorf("Events(%s) = %d, %v, want %d from %d", name, len(got), err, tt.count, tt.from)
		}
	}
	must(t, s.SetSetting(ctx, "beat", "x")) // no event, no tick
	select {
	case <-tick:
		t.Error("Watch: a tick without an event")
	default:
	}
}

func logs(t *testing.T, s Store) {
	ctx := t.Context()
	in := []pool.LogLine{{At: now(), Machine: "m", Step: "console", Line: "a\x00\xff\n"}, {At: now(), Machine: "m", Service: "db", Instance: "i", Step: "k", Line: "b"}}
	out, err := s.AppendLog(ctx, in)
	must(t, err)
	if len(out) != 2 || out[0].Seq != 1 || out[1].Seq != 2 || in[0].Seq != 0 {
		t.Errorf("AppendLog = %+v", out)
	}
	for name, tt := range map[string]struct {
		f    pool.LogFilter
		want []pool.LogLine
	}{
		"all":     {pool.LogFilter{Machine: "m"}, out},
		"console": {pool.LogFilter{Step: "console"}, out[:1]},
		"service": {pool.LogFilter{Service: "db", Instance: "i"}, out[1:]},
		"after":   {pool.LogFilter{After: 1}, out[1:]},
		"last":    {pool.LogFilter{Last: true, Limit: 1}, out[1:]},
	} {
		got, err := s.Logs(ctx, tt.f)
		if d := cmp.Diff(tt.want, got, same); err != nil || d != "" {
			t.Errorf("Logs(%s): %v (-want +got):\n%s", name, err, d)
		}
	}
}

func bootEvents(t *testing.T, s Store) {
	ctx := t.Context()
	m := discovered(t, s, 1)
	at := now()
	in := []pool.BootEvent{
		{At: at.Add(time.Second), MAC: mac(1), Stage: pool.StageNBP, Bytes: 7, Took: time.Millisecond},
		{At: at, MAC: mac(1), Stage: pool.StageDiscover, Address: netip.MustParseAddr("10.0.0.1"), Detail: "d"},
		{At: at, MAC: mac(2), Stage: pool.StageDiscover, Failed: true},
	}
	must(t, s.AppendBoot(ctx, in))
	got, err := s.BootEvents(ctx, []pool.MAC{mac(1), mac(2)}, time.Time{}, 0)
	must(t, err)
	if len(got) != 3 || got[0].Stage != pool.StageDiscover || got[2].Stage != pool.StageNBP || got[2].Machine != m.ID || got[1].Machine != "" {
		t.Errorf("BootEvents = %+v", got)
	}
	if got, err := s.BootEvents(ctx, []pool.MAC{mac(1)}, at.Add(time.Millisecond), 0); err != nil || len(got) != 1 {
		t.Errorf("BootEvents since = %+v, %v, want one", got, err)
	}
	if got, err := s.BootEvents(ctx, nil, time.Time{}, 0); err != nil || len(got) != 0 {
		t.Errorf("BootEvents of no MAC = %+v, %v, want none", got, err)
	}
}

func leases(t *testing.T, s Store) {
	ctx := t.Context()
	addr := netip.MustParseAddr("10.0.0.9")
	l := pool.Lease{MAC: mac(1), Address: addr, Hostname: "h", Start: now(), Expires: now().Add(time.Hour)}
	for range 2 { // renewing is binding again
		got, err := s.Bind(ctx, l)
		if err != nil || !cmp.Equal(l, got, same) {
			t.Errorf("Bind = %+v, %v, want %+v", got, err, l)
		}
	}
	if got, err := s.Lease(ctx, mac(1)); err != nil || !cmp.Equal(l, got, same) {
		t.Errorf("Lease = %+v, %v, want %+v", got, err, l)
	}
	other := l
	other.MAC = mac(2)
	_, err := s.Bind(ctx, other)
	want(t, "Bind of another's address", err, pool.ErrConflict)
	// An expired lease gives way.
	l.Expires = now().Add(-time.Second)
	_, err = s.Bind(ctx, l)
	must(t, err)
	_, err = s.Bind(ctx, other)
	must(t, err)
	_, err = s.Lease(ctx, mac(1))
	want(t, "Lease of one who lost it", err, pool.ErrNotFound)
	// A MAC that moves gives its old address free.
	moved := other
	moved.Address = netip.MustParseAddr("10.0.0.10")
	_, err = s.Bind(ctx, moved)
	must(t, err)
	_, err = s.LeaseAt(ctx, addr)
	want(t, "LeaseAt an address left", err, pool.ErrNotFound)
	must(t, s.Unbind(ctx, mac(1), moved.Address)) // not its lease: nothing happens
	if list, err := s.Leases(ctx); err != nil || !cmp.Equal([]pool.Lease{moved}, list, same) {
		t.Errorf("Leases = %+v, %v, want %+v", list, err, moved)
	}
	for a, until := range map[string]time.Duration{"10.0.0.20": time.Hour, "10.0.0.21": -time.Second} {
		must(t, s.Decline(ctx, netip.MustParseAddr(a), now().Add(until)))
		l := pool.Lease{MAC: mac(3), Address: netip.MustParseAddr(a), Start: now(), Expires: now().Add(time.Hour)}
		if d, err := s.LeaseAt(ctx, l.Address); err != nil || !d.Declined || !d.MAC.IsZero() {
			t.Errorf("LeaseAt %s = %+v, %v, want declined", a, d, err)
		}
		_, err := s.Bind(ctx, l)
		want(t, "Bind of a declined address for "+until.String(), err, map[bool]error{true: pool.ErrConflict}[until > 0])
	}
	must(t, s.Unbind(ctx, mac(2), moved.Address))
	_, err = s.Bind(ctx, pool.Lease{Address: addr})
	want(t, "Bind without a MAC", err, pool.ErrInvalid)
}

func library(t *testing.T, s Store) {
	ctx := t.Context()
	for _, d := range []string{"sha256:b", "sha256:a"} {
		must(t, s.PutRecipe(ctx, pool.RecipeInfo{Name: "mysql", Digest: d, Min: 1}, []byte(d)))
	}
	must(t, s.PutRecipe(ctx, pool.RecipeInfo{Name: "apache", Digest: "sha256:c"}, []byte("c")))
	if list, err := s.Recipes(ctx); err != nil || len(list) != 2 || list[1].Digest != "sha256:a" {
		t.Errorf("Recipes = %+v, %v, want apache and the last mysql", list, err)
	}
	if r, b, err := s.Recipe(ctx, "sha256:b"); err != nil || r.Min != 1 || string(b) != "sha256:b" {
		t.Errorf("Recipe = %+v, %q, %v", r, b, err)
	}
	img := pool.Image{Name: "debian-12", Size: 2 << 30, Digest: "sha256:x", Frames: []pool.Frame{{Index: 3, Length: 9, SHA256: "h"}}, CreatedAt: now()}
	must(t, s.PutImage(ctx, img))
	if got, err := s.Image(ctx, "debian-12"); err != nil || !cmp.Equal(img, got, same) {
		t.Errorf("Image = %+v, %v, want %+v", got, err, img)
	}
	if list, err := s.Images(ctx); err != nil || len(list) != 1 || list[0].Frames != nil || list[0].Size != img.Size {
		t.Errorf("Images = %+v, %v, want one without frames", list, err)
	}
	must(t, s.DeleteImage(ctx, "debian-12"))
	want(t, "DeleteImage again", s.DeleteImage(ctx, "debian-12"), pool.ErrNotFound)
	if list, err := s.Templates(ctx); err != nil || len(list) != len(pool.Shipped()) {
		t.Errorf("Templates = %+v, %v, want the shipped ones", list, err)
	}
	tpl := pool.Template{Name: "SMALL_LINUX", Cores: 2, Target: pool.DiskHint{Type: "nvme"}}
	must(t, s.PutTemplate(ctx, tpl))
	if got, err := s.Template(ctx, "SMALL_LINUX"); err != nil || !cmp.Equal(tpl, got) {
		t.Errorf("Template = %+v, %v, want %+v", got, err, tpl)
	}
	tpl.Cores = 4
	must(t, s.Apply(ctx, &pool.Change{Templates: []*pool.Template{&tpl}, Events: []*pool.Event{{At: now(), Type: "template.changed", Severity: pool.Info, Message: "It was."}}}))
	if got, err := s.Template(ctx, "SMALL_LINUX"); err != nil || !cmp.Equal(tpl, got) {
		t.Errorf("Template = %+v, %v, want %+v", got, err, tpl)
	}
	want(t, "a change with a bad template", s.Apply(ctx, &pool.Change{Templates: []*pool.Template{{Name: "a b"}}}), pool.ErrInvalid)
	want(t, "PutTemplate of a bad name", s.PutTemplate(ctx, pool.Template{Name: "a b"}), pool.ErrInvalid)
	must(t, s.DeleteTemplate(ctx, "SMALL_LINUX"))
	_, err := s.Template(ctx, "SMALL_LINUX")
	want(t, "Template after its deletion", err, pool.ErrNotFound)
	tok := pool.APIToken{Name: "ci", Role: pool.Operator, Hash: "00ff", Created: now()}
	must(t, s.PutToken(ctx, tok))
	tok.Used = now()
	must(t, s.PutToken(ctx, tok))
	if got, err := s.TokenByHash(ctx, "00ff"); err != nil || !cmp.Equal(tok, got, same) {
		t.Errorf("TokenByHash = %+v, %v, want %+v", got, err, tok)
	}
	want(t, "two tokens of one hash", s.PutToken(ctx, pool.APIToken{Name: "x", Hash: "00ff"}), pool.ErrConflict)
	if list, err := s.Tokens(ctx); err != nil || len(list) != 1 || list[0].Hash != "00ff" {
		t.Errorf("Tokens = %+v, %v", list, err)
	}
	must(t, s.DeleteToken(ctx, "ci"))
	_, err = s.TokenByHash(ctx, "00ff")
	want(t, "TokenByHash of a revoked one", err, pool.ErrNotFound)
}

func settings(t *testing.T, s Store) {
	ctx := t.Context()
	_, err := s.Setting(ctx, "beat")
	want(t, "Setting of none", err, pool.ErrNotFound)
	for _, v := range []string{"a", "b'; DROP TABLE settings; --"} {
		must(t, s.SetSetting(ctx, "beat", v))
		if got, err := s.Setting(ctx, "beat"); err != nil || got != v {
			t.Errorf("Setting = %q, %v, want %q", got, err, v)
		}
	}
	if v, err := s.Schema(ctx); err != nil || v < 1 {
		t.Errorf("Schema = %d, %v", v, err)
	}
	path := filepath.Join(t.TempDir(), "b")
	must(t, s.Backup(ctx, path))
	want(t, "Backup over a file", s.Backup(ctx, path), pool.ErrConflict)
	if err := s.Backup(ctx, path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Backup over a file: %v, want the path named", err)
	}
}
