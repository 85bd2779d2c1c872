package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"appliance/api/wire"
	"appliance/pool"
)

// Bounds of what is kept of the console until the appliance has it.
const (
	keptLines   = 1000
	consoleWait = 2 * time.Second
)

// Console keeps the last lines that kernel and agent printed, and sends them
// to the appliance once it trusts this machine: before that, nothing. Safe
// for several writers.
type Console struct {
	// Kernel returns the kernel's next message; false when there is none now.
	// Nil: the kernel's are not kept.
	Kernel func() (string, bool)

	mu    sync.Mutex
	lines []string
	first int // number of lines[0]
}

// Write implements io.Writer; each call is one line. It never fails.
func (c *Console) Write(b []byte) (int, error) {
	c.add(string(b))
	return len(b), nil
}

func (c *Console) add(line string) {
	line = cleanLine([]byte(strings.TrimRight(line, "\r\n")))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, line)
	if over := len(c.lines) - keptLines; over > 0 {
		c.lines, c.first = slices.Delete(c.lines, 0, over), c.first+over
	}
}

// pull takes over what the kernel printed meanwhile.
func (c *Console) pull() {
	for range 4 * keptLines { // a kernel that never stops is not waited for
		if c.Kernel == nil {
			return
		}
		line, ok := c.Kernel()
		if !ok {
			return
		}
		c.add(line)
	}
}

// Run sends lines in batches until ctx ends. What cannot be sent is kept, the
// last keptLines of it; nothing is logged of that: it would be more lines.
func (c *Console) Run(ctx context.Context, to *Client) error {
	for ctx.Err() == nil {
		c.pull()
		for to.proved() && c.send(ctx, to) {
		}
		pause(ctx, consoleWait)
	}
	return nil
}

// flush sends what is there, if that is possible at once.
func (c *Console) flush(ctx context.Context, to *Client) {
	ctx, cancel := context.WithTimeout(ctx, consoleWait)
	defer cancel()
	for to.proved() && c.send(ctx, to) {
	}
}

// send sends one batch and says whether there may be more to send.
func (c *Console) send(ctx context.Context, to *Client) bool {
	c.mu.Lock()
	first, batch := c.first, slices.Clone(c.lines[:min(len(c.lines), maxBatch)])
	c.mu.Unlock()
	if len(batch) == 0 {
		return false
	}
	_, err := to.Do(ctx, "POST", wire.PathConsole, wire.Console{Lines: batch}, nil)
	if err != nil && !errors.Is(err, pool.ErrInvalid) && !errors.Is(err, pool.ErrNotFound) { // what is refused is not sent for ever
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if done := min(first+len(batch)-c.first, len(c.lines)); done > 0 {
		c.lines, c.first = slices.Delete(c.lines, 0, done), c.first+done
	}
	return true
}

// openKernelLog returns the kernel's messages, oldest first; nil where they
// cannot be read.
func openKernelLog() func() (string, bool) {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	buf := make([]byte, 8<<10)
	return func() (string, bool) {
		for {
			n, err := unix.Read(fd, buf)
			switch {
			case errors.Is(err, unix.EPIPE), errors.Is(err, unix.EINTR): // messages were overwritten: the next is there
				continue
			case err != nil || n <= 0:
				return "", false
			}
			if line, ok := kernelLine(string(buf[:n])); ok {
				return line, true
			}
		}
	}
}

// kernelLine reads a record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg):
// "LEVEL,SEQUENCE,MICROSECONDS,FLAGS;TEXT", then lines that begin with a
// blank. Debug messages, and what other processes wrote there, are left out.
func kernelLine(record string) (string, bool) {
	head, text, ok := strings.Cut(record, ";")
	f := strings.Split(head, ",")
	if !ok || len(f) < 3 {
		return "", false
	}
	level, err := strconv.Atoi(f[0])
	if err != nil || level >= 7 { // debug, or a facility that is not the kernel's
		return "", false
	}
	us, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil {
		return "", false
	}
	text, _, _ = strings.Cut(text, "\n")
	return fmt.Sprintf("kernel %6.2f  %s", float64(us)/1e6, text), true
}
