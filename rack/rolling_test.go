package rack_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"appliance/pool"
)

// TestE2ERolling takes nginx to two instances, changes its recipe while it is
// under load, and takes it back to one. No request fails.
//
// A request is a GET of the first page by the service's DNS name, as Go's
// client does it: the name is resolved anew, a new connection is made, the
// next address is tried when the first refuses. It has failed when there is no
// answer within ten seconds, when its status is not 200, and when the page is
// neither the old nor the new one.
func TestE2ERolling(t *testing.T) { minutes(t, "rolling") }

// TestE2ERollingOnHosts is that on hosts that already run.
func TestE2ERollingOnHosts(t *testing.T) { inWorld(t, "rollingOnHosts") }

func rolling(ctx context.Context) error {
	return site{machines: metal(2, 768), pooled: 2}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"one nginx runs", func(ctx context.Context) error { return d.oneNginx(ctx) }},
			{"scaled to two", d.scaledUp},
			{"a rolling change under load", d.changedUnderLoad},
			{"scaled back to one under load", d.scaledDown},
			{"the other machine is in the pool again", d.wipedAgain},
		}
	})
}

func rollingOnHosts(ctx context.Context) error {
	return site{machines: metal(1, 128), limit: 15 * time.Minute}.run(ctx, func(d *healDay) []healStage {
		return []healStage{
			{"two hosts run", func(ctx context.Context) error { return d.boxes(ctx, 0, 1) }},
			{"they are adopted", func(ctx context.Context) error { return d.adopt(ctx, 0, 1) }},
			{"one nginx runs", func(ctx context.Context) error { return d.oneNginx(ctx, "--template", "host") }},
			{"scaled to two", d.scaledUp},
			{"a rolling change under load", d.changedUnderLoad},
			{"scaled back to one under load", d.scaledDown},
			{"the other host is free again", d.freeAgain},
		}
	})
}

const (
	oldPage = "It works."
	newPage = "It works better."
)

// load is clients that ask until they are told to stop.
type load struct {
	stop context.CancelFunc
	done sync.WaitGroup

	mu    sync.Mutex
	pages map[string]int
	bad   []string
}

// clients starts n of them.
func clients(ctx context.Context, n int, pages ...string) *load {
	ctx, cancel := context.WithCancel(ctx)
	l := &load{stop: cancel, pages: map[string]int{}}
	for range n {
		l.done.Go(func() {
			for ctx.Err() == nil {
				text, err := page(context.WithoutCancel(ctx), "http://nginx."+zone+"./") // what was begun is finished
				l.mu.Lock()
				switch {
				case err != nil:
					l.bad = append(l.bad, time.Now().Format(time.TimeOnly)+" "+err.Error())
				case !strings.Contains(strings.Join(pages, "\n"), text):
					l.bad = append(l.bad, fmt.Sprintf("%s the page is %q", time.Now().Format(time.TimeOnly), text))
				default:
					l.pages[text]++
				}
				l.mu.Unlock()
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
	return l
}

// end stops the clients and says what they saw.
func (l *load) end(d *healDay, want ...string) error {
	l.stop()
	l.done.Wait()
	n := len(l.bad)
	for _, k := range l.pages {
		n += k
	}
	d.say("%d requests, %d failed; answers: %v", n, len(l.bad), l.pages)
	if len(l.bad) > 0 {
		return fmt.Errorf("%d of %d requests failed: %s", len(l.bad), n, strings.Join(l.bad[:min(len(l.bad), 10)], "\n"))
	}
	for _, w := range want {
		if l.pages[w] == 0 {
			return fmt.Errorf("nobody saw the page %q", w)
		}
	}
	return nil
}

func (d *healDay) oneNginx(ctx context.Context, args ...string) error {
	if err := d.recipes("nginx"); err != nil {
		return err
	}
	if err := d.deployed(ctx, 20*time.Minute, []string{"nginx"}, append([]string{"./nginx"}, args...)...); err != nil {
		return err
	}
	text, err := page(ctx, "http://nginx."+zone+"./")
	if err == nil && text != oldPage {
		err = fmt.Errorf("the page is %q, want %q", text, oldPage)
	}
	return err
}

func (d *healDay) scaledUp(ctx context.Context) error {
	l := clients(ctx, 1, oldPage)
	_, err := d.must(ctx, "service", "scale", "nginx", "2")
	if ended := l.end(d, oldPage); err == nil {
		err = ended
	}
	if err != nil {
		return err
	}
	return d.both80(ctx, oldPage)
}

// both80 waits until the name means two instances, and looks at the page of each.
func (d *healDay) both80(ctx context.Context, want string) error {
	var addrs []netip.Addr
	err := d.until(ctx, 10*time.Second, "the name means two instances", func() (_ bool, err error) {
		addrs, err = resolve(ctx, "nginx")
		return len(addrs) == 2, err
	})
	for _, a := range addrs {
		if text, bad := page(ctx, "http://"+a.String()+"/"); err == nil && (bad != nil || text != want) {
			err = fmt.Errorf("the page at %s is %q, %w", a, text, bad)
		}
	}
	return err
}

func (d *healDay) changedUnderLoad(ctx context.Context) error {
	if err := d.files(map[string]string{"nginx/nginx-service.properties": "httpPort = 80\npageText = \"" + newPage + "\"\nbackendService = \"\"\nstreamPort = 0\ndrainSecs = 3\n"}); err != nil {
		return err
	}
	l := clients(ctx, 2, oldPage, newPage)
	time.Sleep(3 * time.Second)
	_, err := d.must(ctx, "service", "update", "nginx", "./nginx")
	time.Sleep(3 * time.Second)
	if ended := l.end(d, oldPage, newPage); err == nil {
		err = ended
	}
	if err != nil {
		return err
	}
	return d.both80(ctx, newPage)
}

func (d *healDay) scaledDown(ctx context.Context) error {
	l := clients(ctx, 2, newPage)
	_, err := d.must(ctx, "service", "scale", "nginx", "1")
	time.Sleep(3 * time.Second)
	if ended := l.end(d, newPage); err == nil {
		err = ended
	}
	return err
}

// wipedAgain waits until one of the two machines is free, and empty.
func (d *healDay) wipedAgain(ctx context.Context) error {
	return d.until(ctx, 10*time.Minute, "one machine is ready", func() (bool, error) {
		n := 0
		for i := range d.rack.Machines {
			m, err := d.api.Machine(ctx, d.rack.Machines[i].MAC())
			if err != nil {
				return false, err
			}
			if m.Phase == pool.Ready && !m.Conditions.Is(pool.CondDirty) {
				n++
			}
		}
		return n == 1, nil
	})
}

// freeAgain waits until one of the two hosts is free, and its agent gone.
func (d *healDay) freeAgain(ctx context.Context) error {
	return d.until(ctx, 2*time.Minute, "one host is FREE", func() (bool, error) {
		all, err := d.api.Hosts(ctx)
		n := 0
		for _, h := range all {
			if h.State == pool.HostFree {
				n++
			}
		}
		return n == 1, err
	})
}
