package recipes

import (
	"os"
	"regexp"
	"slices"
	"testing"
	"testing/fstest"
)

// TestTutorial: the recipe that docs/recipes.md tells step by step loads as it
// stands there, without a warning.
func TestTutorial(t *testing.T) {
	doc, err := os.ReadFile("../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for _, m := range regexp.MustCompile("(?s)```[a-z]+\n(?://|#|<!--) file: (\\S+)[^\n]*\n(.*?)```").FindAllStringSubmatch(string(doc), -1) {
		fsys[m[1]] = &fstest.MapFile{Data: []byte(m[2])}
	}
	if len(fsys) != 4 {
		t.Fatalf("%d files of the tutorial, want 4", len(fsys))
	}
	r, found := Check(fsys, Options{})
	if r == nil || len(found) > 0 {
		t.Fatalf("findings: %v", found)
	}
	if r.Name != "redis" || r.Port != 6379 || r.Stateful || r.Max != 3 || !slices.Equal(r.Packages, []string{"redis-server"}) || len(r.CustomCommands) != 2 {
		t.Errorf("recipe = %+v", r)
	}
}
