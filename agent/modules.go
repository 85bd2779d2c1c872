package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Modules loads kernel modules from one tree, by name and by the aliases of
// the devices that are there (modules.dep(5), modules.alias of depmod(8)).
type Modules struct {
	Dir string // such as /lib/modules/6.1.0-56-amd64
	Sys string // normally /sys
	Log *slog.Logger
	// insert puts one file into the kernel; tests replace it.
	insert func(path string) error

	mu      sync.Mutex
	paths   map[string]string   // module name to path below Dir
	needs   map[string][]string // path to the paths it needs
	aliases []alias
	tried   map[string]error // by path
	seen    map[string]bool  // aliases of devices
}

type alias struct{ pattern, module string }

// OpenModules reads the lists of the tree in dir. Without them there is
// nothing to load, which is an error but harms nobody: a kernel may have all
// it needs built in.
func OpenModules(dir, sys string, log *slog.Logger) (*Modules, error) {
	m := &Modules{Dir: dir, Sys: sys, Log: silent(log), insert: insertModule, paths: map[string]string{},
		needs: map[string][]string{}, tried: map[string]error{}, seen: map[string]bool{}}
	err := m.lines("modules.dep", func(line string) {
		path, deps, ok := strings.Cut(line, ":")
		if ok {
			m.paths[moduleName(path)] = path
			m.needs[path] = strings.Fields(deps)
		}
	})
	if err != nil {
		return m, err
	}
	return m, m.lines("modules.alias", func(line string) {
		w := strings.Fields(line)
		if len(w) == 3 && w[0] == "alias" && m.paths[moduleName(w[2])] != "" {
			m.aliases = append(m.aliases, alias{w[1], moduleName(w[2])})
		}
	})
}

func (m *Modules) lines(name string, each func(string)) (err error) {
	f, err := os.Open(filepath.Join(m.Dir, name))
	if err != nil {
		return fmt.Errorf("read module list: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		each(s.Text())
	}
	return s.Err()
}

// moduleName is what lsmod shows for a module's file.
func moduleName(path string) string {
	base := filepath.Base(path)
	if i := strings.Index(base, ".ko"); i > 0 {
		base = base[:i]
	}
	return strings.ReplaceAll(base, "-", "_")
}

// Load loads the named modules and what they need. A name that is not in the
// tree is passed over: it is built in or left out of the kit.
func (m *Modules) Load(names ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	for _, n := range names {
		if p := m.paths[moduleName(n)]; p != "" {
			errs = append(errs, m.load(p))
		}
	}
	return errors.Join(errs...)
}

func (m *Modules) load(path string) error {
	if err, done := m.tried[path]; done {
		return err
	}
	m.tried[path] = nil // also ends a circle of needs
	deps := m.needs[path]
	for i := len(deps) - 1; i >= 0; i-- { // depmod lists the deepest last
		if err := m.load(deps[i]); err != nil {
			m.tried[path] = err
			return err
		}
	}
	err := m.insert(filepath.Join(m.Dir, path))
	if errors.Is(err, unix.EEXIST) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("load module %s: %w", moduleName(path), err)
	}
	m.tried[path] = err
	return err
}

func insertModule(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	flags := 0
	if !strings.HasSuffix(path, ".ko") {
		flags = unix.MODULE_INIT_COMPRESSED_FILE
	}
	return unix.FinitModule(int(f.Fd()), "", flags)
}

// Loaded counts the modules that were loaded.
func (m *Modules) Loaded() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, err := range m.tried {
		if err == nil {
			n++
		}
	}
	return n
}

// Device loads what the device with the given modalias asks for.
func (m *Modules) Device(modalias string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if modalias == "" || m.seen[modalias] {
		return
	}
	m.seen[modalias] = true
	bus, _, _ := strings.Cut(modalias, ":")
	for _, a := range m.aliases {
		if strings.HasPrefix(a.pattern, bus+":") && match(a.pattern, modalias) {
			err := m.load(m.paths[a.module])
			if err != nil && !errors.Is(err, unix.ENODEV) { // no device: the driver looked and declined
				m.Log.Warn("driver not loaded", "module", a.module, "err", err)
			}
		}
	}
}

// Coldplug loads the drivers of all devices that the kernel knows now; a
// driver may bring new devices, so it looks again until there are none.
func (m *Modules) Coldplug() {
	for range 8 {
		before := len(m.seen)
		_ = filepath.WalkDir(filepath.Join(m.Sys, "devices"), func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.Name() == "modalias" {
				b, _ := os.ReadFile(p) // a device may vanish meanwhile
				m.Device(strings.TrimSpace(string(b)))
			}
			return nil
		})
		if len(m.seen) == before {
			return
		}
	}
}

// match is fnmatch without any special treatment of slashes.
func match(pattern, s string) bool {
	for len(pattern) > 0 {
		switch pattern[0] {
		case '*':
			pattern = strings.TrimLeft(pattern, "*")
			for i := 0; i <= len(s); i++ {
				if pattern == "" || match(pattern, s[i:]) {
					return true
				}
			}
			return false
		case '[':
			end := strings.IndexByte(pattern, ']')
			if end < 0 || s == "" || !inClass(pattern[1:end], s[0]) {
				return false
			}
			pattern, s = pattern[end+1:], s[1:]
		case '?':
			if s == "" {
				return false
			}
			pattern, s = pattern[1:], s[1:]
		default:
			if s == "" || s[0] != pattern[0] {
				return false
			}
			pattern, s = pattern[1:], s[1:]
		}
	}
	return s == ""
}

func inClass(class string, c byte) bool {
	for i := 0; i < len(class); i++ {
		if i+2 < len(class) && class[i+1] == '-' {
			if class[i] <= c && c <= class[i+2] {
				return true
			}
			i += 2
		} else if class[i] == c {
			return true
		}
	}
	return false
}

// Hotplug loads drivers for devices that appear, until ctx ends, and notes
// when the last one did. Disks behind a controller appear seconds after its
// driver was loaded.
type Hotplug struct {
	Modules *Modules

	mu   sync.Mutex
	last time.Time
	fd   int
}

// Listen opens the kernel's messages about devices. Call it before Coldplug
// so that nothing is missed.
func (h *Hotplug) Listen() error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return fmt.Errorf("listen for devices: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}); err != nil {
		return errors.Join(fmt.Errorf("listen for devices: %w", err), unix.Close(fd))
	}
	h.fd, h.last = fd, time.Now()
	return nil
}

// Run handles the messages until ctx ends.
func (h *Hotplug) Run(ctx context.Context) error {
	buf := make([]byte, 16<<10)
	poll := []unix.PollFd{{Fd: int32(h.fd), Events: unix.POLLIN}}
	for ctx.Err() == nil {
		if n, err := unix.Poll(poll, 500); n < 1 || err != nil {
			continue
		}
		n, _, err := unix.Recvfrom(h.fd, buf, 0)
		if err != nil {
			continue // an overflow: Coldplug at the next inspection finds what was lost
		}
		h.mu.Lock()
		h.last = time.Now()
		h.mu.Unlock()
		h.message(string(buf[:n]))
	}
	return unix.Close(h.fd)
}

func (h *Hotplug) message(msg string) {
	add := false
	for field := range strings.SplitSeq(msg, "\x00") {
		if field == "ACTION=add" {
			add = true
		}
		if a, ok := strings.CutPrefix(field, "MODALIAS="); ok && add {
			h.Modules.Device(a)
		}
	}
}

// Settle waits until no device has appeared for quiet, at most limit.
func (h *Hotplug) Settle(ctx context.Context, quiet, limit time.Duration) {
	end := time.Now().Add(limit)
	for ctx.Err() == nil && time.Now().Before(end) {
		h.mu.Lock()
		left := quiet - time.Since(h.last)
		h.mu.Unlock()
		if left <= 0 {
			return
		}
		pause(ctx, left)
	}
}

// pause waits d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
