package api

import (
	"sync"

	"github.com/labstack/echo/v4"
)

// crowd bounds what strangers can hold of the appliance: few bodies of an
// address are read at once, so that who sends slowly holds up nobody but his
// own address, and few of those that are read are worked on. The others wait.
type crowd struct {
	bodies chan struct{} // in memory
	turns  chan struct{} // worked on
	each   int           // bodies of one address that are read

	mu   sync.Mutex
	from map[string]*sender
}

// sender is an address that sends or waits to.
type sender struct {
	turn chan struct{}
	here int // requests
}

func newCrowd(bodies, turns, each int) *crowd {
	return &crowd{bodies: make(chan struct{}, bodies), turns: make(chan struct{}, turns), each: each, from: map[string]*sender{}}
}

// whole reads a request's body, then lets the handler run in its turn.
func (w *crowd) whole(limit int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := w.read(c, limit); err != nil {
				return err
			}
			defer func() { <-w.bodies }()
			if err := enter(c, w.turns); err != nil {
				return err
			}
			defer func() { <-w.turns }()
			return next(c)
		}
	}
}

// read returns with a place among the bodies, unless with an error.
func (w *crowd) read(c echo.Context, limit int64) error {
	from := remoteHost(c.Request())
	s := w.come(from)
	defer w.leave(from, s)
	if err := enter(c, s.turn); err != nil {
		return err
	}
	defer func() { <-s.turn }()
	if err := enter(c, w.bodies); err != nil {
		return err
	}
	err := readBody(c, limit)
	if err != nil {
		<-w.bodies
	}
	return err
}

func (w *crowd) come(from string) *sender {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.from[from]
	if s == nil {
		s = &sender{turn: make(chan struct{}, w.each)}
		w.from[from] = s
	}
	s.here++
	return s
}

func (w *crowd) leave(from string, s *sender) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.here--; s.here == 0 {
		delete(w.from, from)
	}
}

// enter takes a place, unless the request ends before there is one.
func enter(c echo.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-c.Request().Context().Done():
		return c.Request().Context().Err()
	}
}
