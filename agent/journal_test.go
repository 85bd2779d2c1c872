package agent

import (
	"fmt"
	"os"
	"testing"
	"time"

	"appliance/api/wire"
)

// TestJournalIsBounded: what tasks printed does not fill the disk; how they
// ended is known all the same.
func TestJournalIsBounded(t *testing.T) {
	j := &Files{Dir: t.TempDir(), BootID: "boot-1"}
	const n = 3 * keptOutput / maxOutput
	for i := range n {
		key := fmt.Sprint("k", i)
		if err := j.Accept(wire.Assignment{Key: key}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(j.path(key, fileOutput), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(j.path(key, fileOutput), maxOutput); err != nil {
			t.Fatal(err)
		}
		if err := j.Record(wire.Outcome{Key: key, State: wire.OutcomeDone}); err != nil {
			t.Fatal(err)
		}
		if err := j.Acknowledge(key); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(i-n) * time.Hour) // an hour each
		if err := os.Chtimes(j.path(key, fileAcknowledged), at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.prune(); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		key := fmt.Sprint("k", i)
		_, err := os.Stat(j.path(key, fileOutput))
		if has, keep := err == nil, i >= n-keptOutput/maxOutput; has != keep {
			t.Errorf("output of %s is there: %t, want %t", key, has, keep)
		}
		if _, known, err := j.Outcome(key); !known || err != nil {
			t.Errorf("outcome of %s known %t, %v", key, known, err)
		}
	}
}
