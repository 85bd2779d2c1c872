package images

import (
	"context"
	"slices"
	"sync"
	"time"

	"appliance/pool"
)

// States remembers what the boot decision looks at, from a machine's first
// DISCOVER to its script, so that a storm does not read the same rows five
// times for each machine. Whoever writes rows calls Forget: what is remembered
// is never older than the last write of this process, and never older than
// MaxAge. It is safe for concurrent use.
type States struct {
	// Read reads the state from the rows.
	Read func(ctx context.Context, mac pool.MAC, discover bool) (pool.BootState, pool.Machine, error)
	// MaxAge bounds what another process's writes can hide; 0 means two seconds.
	MaxAge time.Duration

	mu     sync.RWMutex
	kept   map[pool.MAC]*kept
	owners map[string][]pool.MAC // machine -> its remembered MACs
	stamp  uint64
	recent [256]forgotten // the last ones, by stamp
}

type kept struct {
	state pool.BootState
	id    string
	name  string
	stamp uint64
	until time.Time
}

type forgotten struct {
	stamp   uint64
	machine string
	mac     pool.MAC
}

const (
	stateAge  = 2 * time.Second
	maxStates = 1 << 16
)

// BootState returns the state of mac, and its machine with ID and name only.
// A machine that nobody knows, or that is being stopped from looping, is read
// each time.
func (s *States) BootState(ctx context.Context, mac pool.MAC, discover bool) (pool.BootState, pool.Machine, error) {
	now := time.Now()
	s.mu.RLock()
	k, began := s.kept[mac], s.stamp
	s.mu.RUnlock()
	if k != nil && now.Before(k.until) {
		st := k.state
		st.Discover = discover
		return st, pool.Machine{ID: k.id, Name: k.name}, nil
	}
	st, m, err := s.Read(ctx, mac, discover)
	if err != nil || !st.Known || st.LoopStop {
		return st, m, err
	}
	age := s.MaxAge
	if age == 0 {
		age = stateAge
	}
	s.keep(mac, &kept{state: st, id: m.ID, name: m.Name, until: now.Add(age)}, began)
	return st, m, nil
}

// keep remembers k unless its machine was forgotten since the reading began.
func (s *States) keep(mac pool.MAC, k *kept, began uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stamp-began > uint64(len(s.recent)) {
		return // too much was written to tell
	}
	for n := began + 1; n <= s.stamp; n++ {
		if f := s.recent[n%uint64(len(s.recent))]; f.stamp == n && (f.machine == k.id || f.mac == mac) {
			return
		}
	}
	if s.kept == nil || len(s.kept) >= maxStates {
		s.kept, s.owners = map[pool.MAC]*kept{}, map[string][]pool.MAC{}
	}
	s.stamp++
	k.stamp = s.stamp
	s.kept[mac] = k
	if !slices.Contains(s.owners[k.id], mac) {
		s.owners[k.id] = append(s.owners[k.id], mac)
	}
}

// Forget drops what is remembered of machines, by their IDs.
func (s *States) Forget(machines ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range machines {
		s.note(forgotten{machine: id})
		for _, mac := range s.owners[id] {
			delete(s.kept, mac)
		}
		delete(s.owners, id)
	}
}

// ForgetMAC drops what is remembered of one MAC.
func (s *States) ForgetMAC(mac pool.MAC) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(forgotten{mac: mac})
	delete(s.kept, mac)
}

func (s *States) note(f forgotten) {
	s.stamp++
	f.stamp = s.stamp
	s.recent[s.stamp%uint64(len(s.recent))] = f
}

// Stamp names what is remembered of mac: as long as it stays the same, so does
// the state. 0: nothing is remembered.
func (s *States) Stamp(mac pool.MAC) uint64 {
	s.mu.RLock()
	k := s.kept[mac]
	s.mu.RUnlock()
	if k == nil || !time.Now().Before(k.until) {
		return 0
	}
	return k.stamp
}
