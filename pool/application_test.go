package pool

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestServiceKey(t *testing.T) {
	for _, tt := range []struct{ app, name, key string }{
		{"", "db", "db"}, {"default", "db", "db"}, {"shop", "db", "shop.db"},
	} {
		if got := ServiceKey(tt.app, tt.name); got != tt.key {
			t.Errorf("ServiceKey(%q, %q) = %q, want %q", tt.app, tt.name, got, tt.key)
		}
	}
	s := Service{Name: "shop.db", Application: "shop"}
	if s.BaseName() != "db" || s.ApplicationName() != "shop" || (Service{Name: "db"}).ApplicationName() != "default" {
		t.Errorf("names of %+v: %q in %q", s, s.BaseName(), s.ApplicationName())
	}
}

func TestSortDependencies(t *testing.T) {
	for _, tt := range []struct {
		names []string
		needs map[string][]string
		want  string // order, or part of the error
	}{
		{[]string{"web", "db"}, map[string][]string{"web": {"db"}}, "db web"},
		{[]string{"a", "b", "c"}, nil, "a b c"},
		{[]string{"lb", "web", "db"}, map[string][]string{"lb": {"web"}, "web": {"db"}}, "db web lb"},
		{[]string{"web"}, map[string][]string{"web": {"wbe"}}, "depends on wbe, which is not there"},
		{[]string{"web", "database"}, map[string][]string{"web": {"databse"}}, "did you mean database?"},
		{[]string{"a"}, map[string][]string{"a": {"a"}}, "a -> a"},
		{[]string{"x", "a", "b", "c"}, map[string][]string{"x": {"a"}, "a": {"b"}, "b": {"c"}, "c": {"a"}}, "circle: a -> b -> c -> a"},
	} {
		got, err := SortDependencies(tt.names, tt.needs)
		if text := strings.Join(got, " "); err == nil && text != tt.want {
			t.Errorf("SortDependencies(%v, %v) = %s, want %s", tt.names, tt.needs, text, tt.want)
		}
		if err != nil && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("SortDependencies(%v, %v): %v, want %q", tt.names, tt.needs, err, tt.want)
		}
	}
}

// TestSortDependenciesHolds: what is sorted holds every name once, each after
// its dependencies; what is refused has a circle.
func TestSortDependenciesHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var names []string
		for i := range rapid.IntRange(0, 7).Draw(t, "n") {
			names = append(names, fmt.Sprint("s", i))
		}
		needs := map[string][]string{}
		for _, n := range names {
			needs[n] = rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 2, rapid.ID[string]).Draw(t, "needs")
		}
		out, err := SortDependencies(names, needs)
		if err != nil {
			if !strings.Contains(err.Error(), "circle") || !reaches(needs, names) {
				t.Fatalf("refused %v: %v", needs, err)
			}
			return
		}
		if len(out) != len(names) {
			t.Fatalf("%v of %v", out, names)
		}
		for i, n := range out {
			for _, d := range needs[n] {
				if !slices.Contains(out[:i], d) {
					t.Fatalf("%s comes before %s in %v", n, d, out)
				}
			}
		}
	})
}

// reaches says whether some name depends on itself.
func reaches(needs map[string][]string, names []string) bool {
	var walk func(from, to string, depth int) bool
	walk = func(from, to string, depth int) bool {
		return depth > 0 && slices.ContainsFunc(needs[from], func(d string) bool { return d == to || walk(d, to, depth-1) })
	}
	return slices.ContainsFunc(names, func(n string) bool { return walk(n, n, len(names)) })
}

func TestStepKeys(t *testing.T) {
	s := Step{Key: RoundKey("in-1", 0, "install"), Attempt: 1}
	if s.Key != "in-1/install/1" || s.NextKey() != "in-1/install/2" {
		t.Errorf("keys %q, %q", s.Key, s.NextKey())
	}
	s = Step{Key: RoundKey("in-1", 2, "install"), Attempt: 1}
	if s.Key != "in-1/r2.install/1" || s.NextKey() != "in-1/r2.install/2" {
		t.Errorf("keys %q, %q", s.Key, s.NextKey())
	}
}
