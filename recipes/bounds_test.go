package recipes

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"appliance/recipes/ant"
	"appliance/recipes/groovy"
)

// Secrets are masked however they come out.
func TestRedactor(t *testing.T) {
	long := strings.Repeat("x", 1<<16-2)
	for _, tt := range []struct {
		name    string
		secrets []string
		writes  []string
		want    string
	}{
		{"the longer one first", []string{"pass", "password123"}, []string{"password123 pass\n"}, "******** ********\n"},
		{"of several lines", []string{"BEGIN KEY\nabcdef\nEND KEY\n"}, []string{"k: BEGIN KEY\nabcdef\nEND KEY\n"}, "k: ********"},
		{"of several lines, one by one", []string{"BEGIN KEY\r\nabcdef\r\n"}, []string{"BEGIN KEY\n", "abcdef\n"}, "********\n********\n"},
		{"in two writes", []string{"hunter22"}, []string{"pw hunt", "er22\n"}, "pw ********\n"},
		{"at the end of a long line's part", []string{"hunter22"}, []string{long + "hunt", "er22"}, long + "********"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			r := &redactor{w: &out}
			for _, s := range tt.secrets {
				r.hide(s)
			}
			for _, w := range tt.writes {
				if _, err := r.Write([]byte(w)); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.flush(); err != nil {
				t.Fatal(err)
			}
			if out.String() != tt.want {
				t.Errorf("%.80q, want %.80q", out.String(), tt.want)
			}
		})
	}
}

// A secret that a later event reads back is masked in that event, too; one that
// was never a secret is not.
func TestSecretReadBack(t *testing.T) {
	run, _ := deploy(t, loaded(t, service(`lifecycle {
  init { context.attributes.thisService.setSecret("password", "hunter22"); context.attributes.thisService.user = "somebody" }
  start { println "${context.attributes.thisService.user} has ${context.attributes.thisService["password"]}" }
}`)))
	var out strings.Builder
	for _, event := range []string{"init", "start"} {
		if _, err := run.Run(t.Context(), event, nil, &out); err != nil {
			t.Fatal(err)
		}
	}
	if out.String() != "somebody has ********\n" {
		t.Errorf("output %q", out.String())
	}
}

// An attribute is kept whole or not at all.
func TestAttributeTooLarge(t *testing.T) {
	for _, value := range []string{"(1..262144).collect { it }", "(1..70).inject([]) { a, i -> [a] }", "({ def m = [:]; m.self = m; m })()"} {
		run, h := deploy(t, loaded(t, service("lifecycle {\n  init { context.attributes.thisService.big = "+value+" }\n}")))
		if _, err := run.Run(t.Context(), "init", nil, nil); err == nil || !strings.Contains(err.Error(), "the value has more than") || len(h.attrs) != 0 {
			t.Errorf("%s: %v, kept %d", value, err, len(h.attrs))
		}
	}
}

func TestMillis(t *testing.T) {
	unit := func(name string) groovy.Value { return groovy.Enum{Class: "TimeUnit", Name: name} }
	for _, tt := range []struct {
		n    groovy.Value
		unit string
		want time.Duration
	}{
		{int64(20), "SECONDS", 20 * time.Second}, {groovy.Long(2), "MINUTES", 2 * time.Minute},
		{int64(1<<31 - 1), "DAYS", 24 * time.Hour}, {int64(-1), "SECONDS", 0},
	} {
		if got := time.Duration(millis([]groovy.Value{"x", tt.n, unit(tt.unit)})) * time.Millisecond; got != tt.want {
			t.Errorf("%v %s = %s, want %s", tt.n, tt.unit, got, tt.want)
		}
	}
}

// A script that would read a part of a file and write that back is stopped.
func TestFileTooLarge(t *testing.T) {
	run, _ := deploy(t, loaded(t, service("lifecycle {\n  init { def f = new File(\"big\"); f.text = f.text + \"x\" }\n  install { new File(\"big\").withReader() }\n  start { new File(\"big\").renameTo() }\n}")))
	big := filepath.Join(run.Dir, "big")
	if err := os.WriteFile(big, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, maxRead+10); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Run(t.Context(), "init", nil, nil); err == nil || !strings.Contains(err.Error(), "is larger than") {
		t.Errorf("init = %v", err)
	}
	if info, err := os.Stat(big); err != nil || info.Size() != maxRead+10 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
	for _, event := range []string{"install", "start"} { // no arguments, and no panic
		if _, err := run.Run(t.Context(), event, nil, nil); err == nil || !strings.Contains(err.Error(), "No signature of method") {
			t.Errorf("%s = %v", event, err)
		}
	}
}

// What is checked reads its own folder.
func TestCheckReadsInside(t *testing.T) {
	for _, s := range []string{"icon new File('../secret.groovy').text", "load('../secret.groovy')"} {
		fsys := fstest.MapFS{"secret.groovy": {Data: []byte("'icon'")}, "r/a-service.groovy": {Data: []byte(service(s))}}
		if _, err := Load(fsys, Options{Dir: "r"}); err == nil || !strings.Contains(err.Error(), "outside of the recipe's folder") {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// inputHost keeps the command that it is given and writes without end.
type inputHost struct {
	fakeHost
	got Command
}

func (h *inputHost) Exec(_ context.Context, c Command, out io.Writer) (int, error) {
	h.got = c
	for chunk := make([]byte, 1<<20); ; {
		if _, err := out.Write(chunk); err != nil {
			return 0, nil
		}
	}
}

// A task's input is no argument, which everybody on the machine could see, and
// its output is bounded.
func TestTaskInputAndOutput(t *testing.T) {
	h := &inputHost{}
	var out strings.Builder
	_, err := (&folder{host: h}).exec(t.Context(), ant.Command{Argv: []string{"passwd"}, Stdin: "hunter22"}, &out)
	if err == nil || !strings.Contains(err.Error(), "wrote more than") || out.Len() > maxOutput {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
	stdin, err := io.ReadAll(h.got.Stdin)
	if strings.Contains(strings.Join(slices.Concat(h.got.Argv, h.got.Env), " "), "hunter22") || err != nil || string(stdin) != "hunter22" {
		t.Errorf("argv %q, env %q, input %q", h.got.Argv, h.got.Env, stdin)
	}
}
