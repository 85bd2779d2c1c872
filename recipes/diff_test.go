package recipes

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestDiff(t *testing.T) {
	load := func(files map[string]string) *Recipe {
		fsys := fstest.MapFS{}
		for name, text := range files {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
		r, err := Load(fsys, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	old := load(map[string]string{"a-service.groovy": "service { name \"a\"\n maxAllowedInstances 2 }", "a-service.properties": "port = 80\ndb { password = \"one\" }\nold = 1", "x.sh": "one"})
	now := load(map[string]string{"a-service.groovy": "service { name \"a\"\n maxAllowedInstances 3 }", "a-service.properties": "port = 81\ndb { password = \"two\" }\ntext = \"hi\"", "y.sh": "two"})
	got, err := now.Diff(old)
	if err != nil {
		t.Fatal(err)
	}
	want := []Difference{
		{"descriptor", "maxAllowedInstances", "changed", "2", "3"}, {"descriptor", "port", "changed", "80", "81"},
		{"property", "db.password", "changed", "", ""}, {"property", "old", "removed", "1", ""},
		{"property", "port", "changed", "80", "81"}, {"property", "text", "added", "", "hi"},
		{"file", "a-service.groovy", "changed", "", ""}, {"file", "a-service.properties", "changed", "", ""},
		{"file", "x.sh", "removed", "", ""}, {"file", "y.sh", "added", "", ""},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if same, err := now.Diff(now); err != nil || len(same) > 0 {
		t.Errorf("a recipe differs from itself: %v, %v", same, err)
	}
}
