package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"appliance/pool"
)

// lockFile is the name of the lock in the data folder.
const lockFile = "lock"

// lock is the right to use a data folder. The kernel takes it back when the
// process ends, however it ends.
type lock struct{ file *os.File }

// lockDir takes the lock of dir or says who has it.
func lockDir(dir string) (*lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid := make([]byte, 16)
		n, _ := f.ReadAt(pid, 0) // only for the message
		err = fmt.Errorf("%w: data folder %s is used by another appliance (pid %s); stop that one, or choose another folder",
			pool.ErrConflict, dir, strings.TrimSpace(string(pid[:n])))
		return nil, errors.Join(err, f.Close())
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil && !errors.Is(err, syscall.ENOSPC) { // the pid is only for the message
		return nil, errors.Join(fmt.Errorf("lock data folder: %w", err), f.Close())
	}
	return &lock{f}, nil
}

func (l *lock) release() error { return l.file.Close() }
