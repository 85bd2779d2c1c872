package agent

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Names of the process monitors, as recipes and their scaling rules know them.
const (
	monitorCPUUsage  = "Process Cpu Usage"               // percent of one core since the last reading
	monitorCPUTime   = "Total Process Cpu Time"          // milliseconds
	monitorCPUKernel = "Process Cpu Kernel Time"         // milliseconds
	monitorVirtual   = "Total Process Virtual Memory"    // bytes
	monitorResident  = "Total Process Residental Memory" // bytes; the original's spelling
	monitorThreads   = "Num Of Active Threads"
	monitorFaults    = "Total Num Of PageFaults"
)

// clockTick is USER_HZ, 100 on every Linux that we install.
const clockTick = 100

// procFS reads /proc; a folder of that form in tests.
type procFS string

// usage is what the processes of an instance use together.
type usage struct {
	processes                 int
	user, kernel              time.Duration
	virtual, resident, faults int64
	threads                   int64
}

// sum reads the usage of pids; those that have ended count for nothing.
func (p procFS) sum(pids []int) (usage, error) {
	var u usage
	for _, pid := range pids {
		b, err := os.ReadFile(filepath.Join(string(p), strconv.Itoa(pid), "stat"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return u, fmt.Errorf("read process %d: %w", pid, err)
		}
		if err := u.add(b); err != nil {
			return u, fmt.Errorf("read process %d: %w", pid, err)
		}
	}
	return u, nil
}

// add adds one process by its stat line (proc(5)). The name in it may hold
// blanks and parentheses: the fields are counted from the last one.
func (u *usage) add(stat []byte) error {
	i := bytes.LastIndexByte(stat, ')')
	if i < 0 {
		return fmt.Errorf("stat line %.40q has no name", stat)
	}
	f := strings.Fields(string(stat[i+1:])) // f[0] is field 3
	var n [25]int64
	for field := 10; field <= 24; field++ {
		if field-3 >= len(f) {
			return fmt.Errorf("stat line has %d fields", len(f)+2)
		}
		v, err := strconv.ParseInt(f[field-3], 10, 64)
		if err != nil && field != 22 {
			return fmt.Errorf("stat field %d: %w", field, err)
		}
		n[field] = v
	}
	tick := time.Second / clockTick
	u.processes++
	u.user += time.Duration(n[14]) * tick
	u.kernel += time.Duration(n[15]) * tick
	u.faults += n[10] + n[12]
	u.threads += n[20]
	u.virtual += n[23]
	u.resident += n[24] * int64(os.Getpagesize())
	return nil
}

// listening returns the processes that have a listening TCP socket on port.
func (p procFS) listening(port int) []int {
	inodes := map[string]bool{}
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		f, err := os.Open(filepath.Join(string(p), name))
		if err != nil {
			continue // no IPv6
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			if inode, ok := listener(s.Text(), port); ok {
				inodes["socket:["+inode+"]"] = true
			}
		}
		_ = f.Close() // only read
	}
	if len(inodes) == 0 {
		return nil
	}
	var pids []int
	dirs, _ := os.ReadDir(string(p)) // none: no processes
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		fds, _ := os.ReadDir(filepath.Join(string(p), d.Name(), "fd")) // it may have ended
		if slices.ContainsFunc(fds, func(fd fs.DirEntry) bool {
			to, err := os.Readlink(filepath.Join(string(p), d.Name(), "fd", fd.Name()))
			return err == nil && inodes[to]
		}) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// listener reads a line of /proc/net/tcp: the inode of a socket that listens on port.
func listener(line string, port int) (inode string, ok bool) {
	f := strings.Fields(line)
	if len(f) < 10 || f[3] != "0A" { // TCP_LISTEN
		return "", false
	}
	_, hex, found := strings.Cut(f[1], ":")
	n, err := strconv.ParseUint(hex, 16, 16)
	return f[9], found && err == nil && int(n) == port
}
