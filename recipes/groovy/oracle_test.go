package groovy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// sections are the parts of oracle.expected: what each script printed, and
// how it ended.
func sections(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/oracle.expected")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, s := range strings.Split("\n"+string(text), "\n=== ")[1:] {
		name, body, _ := strings.Cut(s, "\n")
		out[name] = strings.TrimSuffix(body, "\n")
	}
	return out
}

// kept are the differences that are meant: script, colon, reason.
func kept(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/oracle.differences")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, l := range lines(string(text)) {
		if name, reason, ok := strings.Cut(l, ": "); ok && !strings.HasPrefix(l, "#") {
			out[name] = reason
		}
	}
	return out
}

// system is enough of java.lang.System for the scripts.
func system() *Class {
	return &Class{Name: "System", Static: statics("System", nil, methods{
		"currentTimeMillis": function0(0, 0, func(*Thread, []Value) (Value, error) { return Long(time.Now().UnixMilli()), nil }),
		"nanoTime":          function0(0, 0, func(*Thread, []Value) (Value, error) { return Long(time.Now().UnixNano()), nil }),
		"getProperty": function0(1, 2, func(_ *Thread, a []Value) (Value, error) {
			if a[0] == "file.separator" {
				return "/", nil
			}
			return arg(a, 1), nil
		}),
		"getenv": function0(1, 1, func(*Thread, []Value) (Value, error) { return nil, nil }),
	})}
}

// outcome runs a script and says what it printed and how it ended, as
// oracle.groovy does.
func outcome(ctx context.Context, name, src string) string {
	var out strings.Builder
	end := "ok"
	s, err := Parse(name, src)
	if err == nil {
		in := &Interp{Out: &out, Classes: map[string]*Class{"System": system()}}
		_, err = in.Run(ctx, s)
	}
	var e *Error
	if errors.As(err, &e) {
		switch {
		case e.Thrown == nil && e.err == nil, e.Thrown != nil && e.Thrown.Class == "MultipleCompilationErrorsException":
			end = "syntax error"
		case e.Thrown == nil:
			end = err.Error()
		case e.Thrown.object != nil:
			end = e.Thrown.Class
		default:
			end = qualified(e.Thrown.Class)
		}
	}
	text := out.String()
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + "==> " + end
}

// TestOracle: every script of testdata/oracle prints what Groovy 2.4 printed,
// and ends as it ended there, but for the differences listed with a reason.
func TestOracle(t *testing.T) {
	want, differs := sections(t), kept(t)
	files, err := filepath.Glob("testdata/oracle/*.groovy")
	if err != nil || len(files) < 400 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasPrefix(name, "host_") { // the classes are the embedder's: its TestOracle
			delete(differs, name)
			continue
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w, ok := want[name]
		if !ok {
			t.Errorf("%s is not in oracle.expected: run make oracle", name)
			continue
		}
		got := outcome(t.Context(), name, string(src))
		_, meant := differs[name]
		switch {
		case got == w && meant:
			t.Errorf("%s is listed in oracle.differences, but agrees", name)
		case got != w && !meant:
			t.Errorf("%s differs from Groovy:\n%s", name, diffLines(w, got))
		}
		delete(differs, name)
	}
	for name := range differs {
		t.Errorf("oracle.differences names %s, which is no script", name)
	}
}

// diffLines shows the first lines that differ.
func diffLines(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := "(nothing)", "(nothing)"
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return "line " + itoa(int64(i+1)) + "\n  Groovy: " + a + "\n  here:   " + b
		}
	}
	return slices.Concat(w, g)[0]
}
