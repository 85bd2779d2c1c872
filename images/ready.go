package images

import (
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"appliance/pool"
)

// readyScripts are scripts as they were rendered last, each with the stamp of
// the state that it was rendered from.
type readyScripts struct {
	kept sync.Map // scriptKey -> *readyScript
	n    atomic.Int64
	now  atomic.Pointer[dated]
}

type scriptKey struct {
	mac      pool.MAC
	platform string
	local    netip.Addr
}

type readyScript struct {
	stamp uint64
	body  []byte
}

// dated is a second in HTTP's words.
type dated struct {
	second int64
	text   string
}

// ready returns a machine's script if the state that it was rendered from has
// not changed, nil otherwise.
func (b *Boot) ready(mac pool.MAC, platform string, local netip.Addr) []byte {
	if b.Stamp == nil {
		return nil
	}
	v, ok := b.scripts.kept.Load(scriptKey{mac, platform, local})
	if !ok {
		return nil
	}
	s := v.(*readyScript)
	if at := b.Stamp(mac); at == 0 || at != s.stamp {
		return nil
	}
	return s.body
}

// keepScript remembers a script that was rendered from a state whose stamp,
// read before it, is the same still.
func (b *Boot) keepScript(mac pool.MAC, platform string, local netip.Addr, stamp uint64, body []byte) {
	if stamp == 0 || b.Stamp(mac) != stamp {
		return
	}
	if b.scripts.n.Add(1) > maxStates { // counts what was kept since, not what is
		b.scripts.kept.Clear()
		b.scripts.n.Store(1)
	}
	b.scripts.kept.Store(scriptKey{mac, platform, local}, &readyScript{stamp, body})
}

// date is the Date header of now, written once a second.
func (b *Boot) date(now time.Time) string {
	s := now.Unix()
	if d := b.scripts.now.Load(); d != nil && d.second == s {
		return d.text
	}
	d := &dated{s, now.UTC().Format(http.TimeFormat)}
	b.scripts.now.Store(d)
	return d.text
}

// appendScript writes a whole HTTP response.
func appendScript(p, body []byte, date string) []byte {
	p = append(p, "HTTP/1.1 200 OK\r\nDate: "...)
	p = append(p, date...)
	p = append(p, "\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nContent-Length: "...)
	p = strconv.AppendInt(p, int64(len(body)), 10)
	p = append(p, "\r\n\r\n"...)
	return append(p, body...)
}
