package agent

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// consoleHandler writes one plain line per record: seconds since power-on,
// message, attributes. It is what a person at the rack sees.
type consoleHandler struct {
	out   io.Writer
	attrs []slog.Attr
	mu    sync.Mutex
}

// Enabled implements slog.Handler.
func (h *consoleHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

// Handle implements slog.Handler.
func (h *consoleHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	fmt.Fprintf(&b, "agent %7.2f  ", uptime().Seconds())
	if r.Level >= slog.LevelWarn {
		b.WriteString(strings.ToLower(r.Level.String()) + ": ")
	}
	b.WriteString(r.Message)
	add := func(a slog.Attr) bool {
		fmt.Fprintf(&b, "  %s=%s", a.Key, oneLine(a.Value.String()))
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	b.WriteString("\r\n")
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.out, b.String())
	return err
}

// WithAttrs implements slog.Handler.
func (h *consoleHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return &consoleHandler{out: h.out, attrs: append(slices.Clip(h.attrs), a...)}
}

// WithGroup implements slog.Handler; a console has no groups.
func (h *consoleHandler) WithGroup(string) slog.Handler { return h }

// oneLine keeps what others wrote from forging lines or moving the cursor.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// openConsole opens /dev/console, and every other active console and the
// first serial port without ever waiting for one: /dev/console reaches only
// the last console= of the command line.
func openConsole() io.Writer {
	var out consoles
	if fd, err := unix.Open("/dev/console", unix.O_RDWR|unix.O_NOCTTY, 0); err == nil {
		for i := range 3 {
			_ = unix.Dup3(fd, i, 0) // the first messages' place if this does not work
		}
		out = append(out, fd)
	} else {
		out = append(out, 1)
	}
	b, _ := os.ReadFile("/sys/class/tty/console/active")
	active := strings.Fields(string(b))
	if n := len(active); n > 0 {
		own := active[n-1]
		active = active[:n-1]
		if own != "ttyS0" && !slices.Contains(active, "ttyS0") {
			active = append(active, "ttyS0")
		}
	}
	for _, name := range active {
		fd, err := unix.Open("/dev/"+name, unix.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
		if err == nil {
			out = append(out, fd)
		}
	}
	return out
}

// consoles are the descriptors of terminals. A write goes to all and succeeds:
// a console that does not take it must not hold the agent up.
type consoles []int

// Write implements io.Writer.
func (c consoles) Write(b []byte) (int, error) {
	for _, fd := range c {
		_, _ = unix.Write(fd, b)
	}
	return len(b), nil
}

// uptime is the time since the kernel started.
func uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// silent is the logger of those who gave none.
func silent(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return log
}
