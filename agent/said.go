package agent

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"appliance/pool"
)

// Bounds of what was printed last, in the evidence of a failure.
const (
	saidLines = 5
	saidBytes = 1 << 10
)

// saidLast is the end of output, as evidence; empty where nothing was printed.
func saidLast(output string) string {
	var lines []string
	for l := range strings.Lines(output) {
		if l = strings.TrimSpace(cleanLine([]byte(strings.TrimSuffix(l, "\n")))); l != "" {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	text := strings.Join(lines[max(len(lines)-saidLines, 0):], " | ")
	if len(text) > saidBytes {
		text = "…" + strings.ToValidUTF8(text[len(text)-saidBytes:], "")
	}
	return "it printed last: " + text
}

// withOutput adds to the cause in err what was printed last.
func withOutput(err error, output string) {
	var c *pool.Cause
	if errors.As(err, &c) {
		c.Evidence = joined(c.Evidence, saidLast(output))
	}
}

// joined is what is known, one after the other.
func joined(known ...string) string {
	var out []string
	for _, k := range known {
		if k != "" {
			out = append(out, k)
		}
	}
	return strings.Join(out, "; ")
}

// serviceLog is what the start processes of an instance print into.
func (h Home) serviceLog(in pool.InstanceInfo) string {
	return filepath.Join(h.state("log"), filepath.Base(in.Service+"-"+strconv.Itoa(in.Number)+".log"))
}

// startSaid is what the instance's last start process printed last, as
// evidence. No recipe's own masking has seen it: the appliance masks secrets in
// evidence that it is told.
func (h Home) startSaid(in pool.InstanceInfo) string {
	b, err := h.begunOf(in.ID)
	if err != nil {
		return ""
	}
	f, err := os.Open(h.serviceLog(in))
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // only read
	st, err := f.Stat()
	if err != nil {
		return ""
	}
	from := max(b.LogAt, st.Size()-(16<<10))
	text, _ := io.ReadAll(io.NewSectionReader(f, from, 16<<10)) // what can be read
	return saidLast(string(text))
}
