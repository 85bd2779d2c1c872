package orchestrator

import (
	"context"
	"sync"
	"time"
)

// clockSlack is what a clock may be out without anybody caring: what NTP slews,
// what a commit took.
const clockSlack = 30 * time.Second

// clock sees when the clock on the wall is set: deadlines lie in the database
// by it, and one that was wrong at boot is set right later.
type clock struct {
	mu   sync.Mutex
	base time.Time     // with both clocks
	out  time.Duration // by how much the one on the wall has gone further since
}

// stepped says by how much the clock was set since it was asked last: wall and
// passed are what has passed since base by either clock.
func (c *clock) stepped(wall, passed time.Duration) time.Duration {
	step := wall - passed - c.out
	if step.Abs() < clockSlack {
		return 0
	}
	c.out += step
	return step
}

// steady moves all open deadlines along when the clock was set. A time in which
// the appliance's machine was suspended looks the same, and is one in which
// nothing could be done.
func (e *Engine) steady(ctx context.Context) error {
	c := &e.clock
	c.mu.Lock()
	defer c.mu.Unlock() // nothing is planned by the new time and the old deadlines
	now := time.Now()
	step := c.stepped(now.Round(0).Sub(c.base.Round(0)), now.Sub(c.base))
	if step == 0 {
		return nil
	}
	e.Log.Warn("the clock was set: deadlines are moved along", "by", step)
	return e.shift(ctx, step)
}

// shift moves open deadlines. Where it takes time, the beat comes first: killed
// in between, it is not done twice.
func (e *Engine) shift(ctx context.Context, by time.Duration) error {
	if by < 0 {
		e.beat(ctx)
	}
	if err := e.extend(ctx, by); err != nil {
		return err
	}
	if by > 0 {
		e.beat(ctx)
	}
	return nil
}
