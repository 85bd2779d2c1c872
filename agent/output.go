package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"appliance/api/wire"
	"appliance/pool"
)

// Bounds of what a task may print.
const (
	maxOutput = 16 << 20 // kept of one task
	maxLine   = 4 << 10
	maxBatch  = 200 // lines in one message
	lastLines = 40  // in an outcome
)

// outputFile keeps what a task prints, up to maxOutput. Safe for several writers.
type outputFile struct {
	mu   sync.Mutex
	file *os.File
	size int64
	cut  bool
}

// Write implements io.Writer; it takes everything.
func (o *outputFile) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.size+int64(len(b)) > maxOutput {
		if o.cut {
			return len(b), nil
		}
		o.cut = true
		_, err := io.WriteString(o.file, "\n[the rest of the output is not kept]\n")
		return len(b), err
	}
	o.size += int64(len(b))
	return o.file.Write(b)
}

// tail hands a task's output on, line by line, from where the appliance has it.
type tail struct {
	client  *Client
	journal *Files
	as      wire.Assignment

	opened bool
	file   *os.File
	sent   int    // lines that the appliance has
	skip   int    // lines still to be passed over after a restart
	rest   []byte // read, not sent
	last   string
}

// send sends what is new; all of it, the unfinished line included, when done.
// Errors but errGone are temporary.
func (t *tail) send(ctx context.Context, done bool) (int, error) {
	if !t.opened {
		f, err := os.Open(t.journal.path(t.as.Key, fileOutput))
		if errors.Is(err, os.ErrNotExist) {
			return 0, nil // nothing printed yet
		}
		if err != nil {
			return 0, fmt.Errorf("read output: %w", err)
		}
		b, _ := os.ReadFile(t.journal.path(t.as.Key, fileSent)) // absent: none were sent
		t.sent, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		t.opened, t.file, t.skip = true, f, t.sent
	}
	total := 0
	for {
		b, err := io.ReadAll(io.LimitReader(t.file, 256<<10))
		if err != nil {
			return total, fmt.Errorf("read output: %w", err)
		}
		t.rest = append(t.rest, b...)
		lines, used := t.lines(done && len(b) == 0)
		if len(lines) == 0 {
			if len(b) == 0 {
				return total, nil
			}
			t.rest = t.rest[used:]
			continue
		}
		_, err = t.client.Do(ctx, "POST", wire.PathOutput,
			wire.Output{Key: t.as.Key, Token: t.as.Token, First: t.sent, Lines: lines}, nil)
		if err != nil && !errors.Is(err, pool.ErrInvalid) { // what is refused is not sent for ever
			return total, err
		}
		t.rest = t.rest[used:]
		t.sent, t.last, total = t.sent+len(lines), lines[len(lines)-1], total+len(lines)
		if err := os.WriteFile(t.journal.path(t.as.Key, fileSent), []byte(strconv.Itoa(t.sent)), 0o600); err != nil {
			return total, fmt.Errorf("record sent output: %w", err)
		}
	}
}

// lines takes up to maxBatch whole lines from rest and says how many bytes they were.
func (t *tail) lines(end bool) (lines []string, used int) {
	for len(lines) < maxBatch {
		b := t.rest[used:]
		i := bytes.IndexByte(b, '\n')
		switch {
		case i >= 0:
			used += i + 1
		case len(b) > 64<<10, end && len(b) > 0:
			i = len(b)
			used += i
		default:
			return lines, used
		}
		if t.skip > 0 {
			t.skip--
			continue
		}
		lines = append(lines, cleanLine(b[:i]))
	}
	return lines, used
}

// cleanLine makes any bytes one line of text.
func cleanLine(b []byte) string {
	s := strings.TrimRight(string(b), "\r")
	if i := strings.LastIndexByte(s, '\r'); i >= 0 { // a progress bar's last state
		s = s[i+1:]
	}
	if len(s) > maxLine {
		s = s[:maxLine] + " […]"
	}
	return strings.ReplaceAll(oneLine(strings.ToValidUTF8(s, "?")), "\x1b", "")
}

func (t *tail) close() {
	if t.opened {
		_ = t.file.Close() // only read
	}
}

// flush sends the rest, with patience.
func (t *tail) flush(ctx context.Context) error {
	wait := 200 * time.Millisecond
	for try := 0; ; try++ {
		_, err := t.send(ctx, true)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errGone):
			return errGone
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case try >= 5: // the outcome carries the last lines, too
			return nil
		}
		pause(ctx, wait)
		wait *= 2
	}
}

// lastOutput returns the last lines of what a task printed.
func lastOutput(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // only read
	st, err := f.Stat()
	if err != nil {
		return ""
	}
	b := make([]byte, min(st.Size(), 16<<10))
	n, _ := f.ReadAt(b, st.Size()-int64(len(b)))
	lines := strings.Split(strings.TrimRight(string(b[:n]), "\n"), "\n")
	if len(lines) > lastLines {
		lines = lines[len(lines)-lastLines:]
	}
	for i, l := range lines {
		lines[i] = cleanLine([]byte(l))
	}
	return strings.Join(lines, "\n")
}
