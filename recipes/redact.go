package recipes

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// redactor masks secrets on the way to w. It passes whole lines on, so that a
// secret is never cut in two by the size of a write.
type redactor struct {
	w       io.Writer
	mu      sync.Mutex
	secrets []string
	held    []byte
}

// hide masks s from now on, and each of its lines, because output is masked
// line by line; what is short enough to be a common word is not.
func (r *redactor) hide(s string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, part := range append(strings.Split(s, "\n"), s) {
		if part = strings.TrimSuffix(part, "\r"); len(part) >= 4 && !slices.Contains(r.secrets, part) {
			r.secrets = append(r.secrets, part)
		}
	}
	// The longest first: it may begin with another one.
	slices.SortFunc(r.secrets, func(a, b string) int { return len(b) - len(a) })
}

// Write takes output.
func (r *redactor) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = append(r.held, p...)
	i := bytes.LastIndexByte(r.held, '\n') + 1
	if i == 0 && len(r.held) > 1<<16 {
		r.held = []byte(r.masked(r.held))
		i = len(r.held)
		if len(r.secrets) > 0 { // one may have begun
			i = max(i-len(r.secrets[0])+1, 0)
		}
	}
	if err := r.pass(r.held[:i]); err != nil {
		return 0, err
	}
	r.held = append(r.held[:0], r.held[i:]...)
	return len(p), nil
}

func (r *redactor) flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.pass(r.held)
	r.held = nil
	return err
}

func (r *redactor) pass(b []byte) error {
	if len(b) == 0 || r.w == nil {
		return nil
	}
	_, err := io.WriteString(r.w, r.masked(b))
	return err
}

func (r *redactor) masked(b []byte) string {
	s := string(b)
	for _, secret := range r.secrets {
		s = strings.ReplaceAll(s, secret, "********")
	}
	return s
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
