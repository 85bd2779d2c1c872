package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"appliance/api/wire"
)

// TestConsole: nothing of the console leaves a machine that is not trusted;
// then all of it does, in order and once, whatever fails in between.
func TestConsole(t *testing.T) {
	f := newFakeAppliance(t)
	to, err := NewClient(f.srv.URL, f.pem)
	if err != nil {
		t.Fatal(err)
	}
	kernel := []string{"kernel   0.00  Linux version 6.1", "kernel   0.10  \x1b[31mPCI\n"}
	c := &Console{Kernel: func() (string, bool) {
		if len(kernel) == 0 {
			return "", false
		}
		line := kernel[0]
		kernel = kernel[1:]
		return line, true
	}}
	c.pull()
	log := slog.New(&consoleHandler{out: io.MultiWriter(io.Discard, c)})
	for i := range maxBatch {
		log.Info("line", "n", i)
	}
	c.flush(t.Context(), to)
	if got := f.consoleLines(); len(got) != 0 {
		t.Fatalf("before trust %d lines were sent", len(got))
	}
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	csr, err := key.Request("m-1")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := key.Certificate(f.certify(csr, 1<<40))
	if err != nil {
		t.Fatal(err)
	}
	to.Use(cert)
	f.consoleFails.Store(1)
	c.flush(t.Context(), to)
	if got := f.consoleLines(); len(got) != 0 {
		t.Fatalf("%d lines were taken by an appliance that failed", len(got))
	}
	log.Warn("last")
	c.flush(t.Context(), to)
	got := f.consoleLines()
	if len(got) != maxBatch+3 {
		t.Fatalf("%d lines arrived, want %d", len(got), maxBatch+3)
	}
	for i, want := range []string{"Linux version 6.1", "[31mPCI", "line  n=0"} {
		if !strings.HasSuffix(got[i], want) || strings.ContainsAny(got[i], "\x1b\r\n") {
			t.Errorf("line %d = %q, want …%q", i, got[i], want)
		}
	}
	if !strings.HasSuffix(got[len(got)-1], "warn: last") {
		t.Errorf("last line = %q", got[len(got)-1])
	}
	c.flush(t.Context(), to)
	if n := len(f.consoleLines()); n != len(got) {
		t.Errorf("%d lines after a second flush, want no line twice", n)
	}
}

// TestConsoleIsBounded: a console that nobody takes keeps its end.
func TestConsoleIsBounded(t *testing.T) {
	c := &Console{}
	for i := range 3 * keptLines {
		if _, err := fmt.Fprintf(c, "line %d\r\n", i); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.lines) != keptLines || c.first != 2*keptLines || c.lines[keptLines-1] != fmt.Sprintf("line %d", 3*keptLines-1) {
		t.Errorf("kept %d lines from number %d, last %q", len(c.lines), c.first, c.lines[len(c.lines)-1])
	}
}

// TestConsoleRuns: Run ends with its context.
func TestConsoleRuns(t *testing.T) {
	f := newFakeAppliance(t)
	to, err := NewClient(f.srv.URL, f.pem)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&Console{}).Run(ctx, to); err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
}

func TestKernelLine(t *testing.T) {
	for record, want := range map[string]string{
		"6,339,5140900,-;NET: Registered protocol family 10\n SUBSYSTEM=x\n": "kernel   5.14  NET: Registered protocol family 10",
		"4,1,0,-;a;b":            "kernel   0.00  a;b",
		"7,1,0,-;debug":          "",
		"12,1,0,-;of a process":  "",
		"6,1;short":              "",
		"6,1,x,-;no time":        "",
		"nothing":                "",
		"":                       "",
		"-1,18446744073709,1,;x": "kernel   0.00  x",
	} {
		got, ok := kernelLine(record)
		if got != want || ok != (want != "") {
			t.Errorf("kernelLine(%q) = %q, %v, want %q", record, got, ok, want)
		}
	}
}

// takeConsole is the appliance's end.
func (f *fakeAppliance) takeConsole(w http.ResponseWriter, r *http.Request) {
	if f.consoleFails.Add(-1) >= 0 {
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	var in wire.Console
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.console = append(f.console, in.Lines...)
	w.WriteHeader(http.StatusNoContent)
}

func (f *fakeAppliance) consoleLines() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.console)
}
