package groovy

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestConformance runs testdata/conformance.groovy: the line that says so must
// fail, with that message and no other line.
func TestConformance(t *testing.T) {
	text, err := os.ReadFile("testdata/conformance.groovy")
	if err != nil {
		t.Fatal(err)
	}
	line := 0
	for _, chunk := range strings.Split(string(text), "\n---\n") {
		want, at := "", 0
		src := ""
		for i, l := range strings.Split(chunk, "\n") {
			code, quoted, ok := strings.Cut(l, "  /// ")
			if ok {
				if want, err = strconv.Unquote("`" + strings.Trim(strings.TrimSpace(quoted), `"`) + "`"); err != nil {
					t.Fatal(err)
				}
				at = i + 1
			}
			src += code + "\n"
		}
		where := "conformance.groovy:" + strconv.Itoa(line+at)
		line += strings.Count(chunk, "\n") + 2
		if at == 0 {
			t.Errorf("%s: the chunk has no line that must fail", where)
			continue
		}
		got := failure(t, strings.TrimSuffix(src, "\n"))
		switch {
		case got == nil:
			t.Errorf("%s: it went through, want %s", where, want)
		case got.Pos.Line != at && !strings.Contains(want, "end of file"):
			t.Errorf("%s: line %d of the chunk fails, want line %d: %v", where, got.Pos.Line, at, got)
		case !regexp.MustCompile(want).MatchString(got.Error()):
			t.Errorf("%s: %v, want %s", where, got, want)
		}
	}
}

// failure parses and runs a script and returns its error.
func failure(t *testing.T, src string) *Error {
	t.Helper()
	s, err := Parse("chunk.groovy", src)
	if err == nil {
		in := &Interp{Limits: Limits{Steps: 100000}}
		_, err = in.Run(t.Context(), s)
	}
	e, _ := err.(*Error)
	return e
}
