package groovy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestObjectNames: what the library's objects answer, the checker knows.
func TestObjectNames(t *testing.T) {
	c := &checker{in: &Interp{}, lib: tables()}
	all := c.universe()
	for _, id := range asked(t, ".") {
		if !all[id] {
			t.Errorf("objects answer %s, which objectNames lacks", id)
		}
	}
}

// asked are the names that the Objects of a package's code compare with.
func asked(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	object := regexp.MustCompile(`(?ms)^func [^\n]*\) (?:Call|Get|Set)\(_? ?t? ?\*Thread[^\n]*\{\n.*?^\}\n`)
	word := regexp.MustCompile(`(?m)case ((?:"[A-Za-z]+"(?:, )?)+):|(?:id|name|m) == "([A-Za-z]+)"`)
	var names []string
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, "_test.go") || filepath.Base(f) == "property.go" {
			continue
		}
		for _, fn := range object.FindAllString(string(src), -1) {
			for _, m := range word.FindAllStringSubmatch(fn, -1) {
				for _, id := range strings.Split(m[1]+m[2], ",") {
					names = append(names, strings.Trim(id, `" `))
				}
			}
		}
	}
	return names
}
