package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// errLocked says that another process holds a lock.
var errLocked = errors.New("another run is at work")

// lock takes an exclusive lock on name, a file that is made if need be, or a
// folder. It does not wait; the system gives the lock back if we die.
func lock(name string) (unlock func() error, err error) {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		f, err = os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	}
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errLocked
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
	}
	return f.Close, nil
}

// waitLock is lock, but waits for whoever holds it until ctx ends.
func waitLock(ctx context.Context, name string) (unlock func() error, err error) {
	for {
		unlock, err := lock(name)
		if err == nil || !errors.Is(err, errLocked) {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}
