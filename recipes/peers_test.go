package recipes

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

// What a recipe asks of other services of its application.
func TestPeers(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		fails      error
		want       any
		invoked    []string
		err        string
	}{
		{name: "absent", body: `context.waitForService("nobody", 1, TimeUnit.SECONDS)`, want: nil},
		{name: "numbers", body: `def s = context.waitForService("db", 1, TimeUnit.SECONDS)
			[s.name, s.numberOfPlannedInstances, s.numberOfActualInstances, s.getInstances().size()]`, want: []any{"db", int64(3), int64(1), int64(1)}},
		{name: "addresses", body: `context.waitForService("db", 1, TimeUnit.SECONDS).waitForInstances(3, 5, TimeUnit.SECONDS).collect { it.hostAddress }`,
			want: []any{"10.0.1.9", "10.0.1.2", "10.0.1.3"}},
		{name: "too few", body: `context.waitForService("db", 1, TimeUnit.SECONDS).waitForInstances(2, 0, TimeUnit.SECONDS)`, want: nil},
		{name: "first", body: `context.waitForService("db", 1, TimeUnit.SECONDS).instances[0].getInstanceID()`, want: int64(1)},
		{name: "invoke all", body: `context.waitForService("db", 1, TimeUnit.SECONDS).invoke("add", "a", 2)`,
			want: []any{"ok", int64(2)}, invoked: []string{"db/0 add a 2"}},
		{name: "invoke with an array", body: `context.waitForService("db", 1, TimeUnit.SECONDS).instances[0].invoke("add", ["x"] as Object[])`,
			want: "ok", invoked: []string{"db/1 add x"}},
		{name: "invoke fails", body: `context.waitForService("db", 1, TimeUnit.SECONDS).invoke("add")`, fails: errors.New("exit 3"),
			invoked: []string{"db/0 add "}, err: "exit 3"},
		{name: "failure is caught", body: `try { context.waitForService("db", 1, TimeUnit.SECONDS).invoke("add") } catch (Exception e) { return "caught" }`,
			fails: errors.New("exit 3"), want: "caught", invoked: []string{"db/0 add "}},
		{name: "readings", body: `def i = context.waitForService("db", 1, TimeUnit.SECONDS).instances[0]; [i.getDetails("url"), i.getMonitors("Sessions"), i.getMonitors("none")]`,
			want: []any{"http://db-1", int64(7), nil}},
		{name: "attributes by instance", body: `context.attributes.db.instances.size()`, want: int64(4)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, h := deploy(t, loaded(t, `service { name "a"; customCommands(["do": { `+tt.body+` }]) }`))
			h.peers = map[string]Service{"db": {Planned: 3, Instances: []Instance{{ID: 1, Address: "10.0.1.9", Name: "db-1"}}}}
			h.fails = tt.fails
			res, err := r.Command(t.Context(), "do", nil, io.Discard)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want one with %q", err, tt.err)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(res.Value, tt.want) || !reflect.DeepEqual(h.invoked, tt.invoked) {
				t.Errorf("value %v, invoked %q; want %v, %q", res.Value, h.invoked, tt.want, tt.invoked)
			}
		})
	}
}
