package recipes

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"appliance/recipes/groovy"
)

// TestOracle: the oracle's scripts that use the machine print what they printed
// under Groovy 2.4. make oracle refreshes what is expected.
func TestOracle(t *testing.T) {
	text, err := os.ReadFile("groovy/testdata/oracle.expected")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, s := range strings.Split("\n"+string(text), "\n=== ")[1:] {
		name, body, _ := strings.Cut(s, "\n")
		want[name] = strings.TrimSuffix(body, "\n")
	}
	files, err := filepath.Glob("groovy/testdata/oracle/host_*.groovy")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := outcome(t, name, string(src)); got != want[name] {
				t.Errorf("got:\n%s\nGroovy:\n%s", got, want[name])
			}
		})
	}
}

// outcome runs a script as a lifecycle script runs.
func outcome(t *testing.T, name, src string) string {
	t.Helper()
	run, _ := deploy(t, loaded(t, "service { name \"x\"; lifecycle { init \""+name+"\" } }", name, src))
	run.Host = &local{}
	var out bytes.Buffer
	_, err := run.Run(t.Context(), "init", nil, &out)
	end := "ok"
	var e *groovy.Error
	if errors.As(err, &e) {
		end = e.Msg
	} else if err != nil {
		end = err.Error()
	}
	if out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
		out.WriteByte('\n')
	}
	return out.String() + "==> " + end
}
