package dhcp

import (
	"bytes"
	"maps"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"appliance/pool"
)

// Vendor classes (option 60) of our own: what our agent sends, and what a
// server sends that looks for others.
const (
	AgentClass    = "appliance-agent"
	detectorClass = "appliance-detector"
)

// Vendor classes of what asks to netboot (RFC 4578, 2.4 of UEFI 24.7).
const (
	pxeClass  = "PXEClient"
	httpClass = "HTTPClient"
)

// classify says what the client calls itself.
func classify(r *request) pool.Client {
	c := pool.Client{
		Arch: pool.ArchUnspecified,
		IPXE: r.ipxe || userClass(r.user, "iPXE"),
		HTTP: bytes.HasPrefix(r.class, []byte(httpClass)),
	}
	c.PXE = c.HTTP || bytes.HasPrefix(r.class, []byte(pxeClass))
	// Option 93 is a list, most wanted first (RFC 4578, 2.1).
	if len(r.arch) >= 2 {
		c.Arch = int(r.arch[0])<<8 | int(r.arch[1])
	}
	return c
}

// userClass looks for a user class in both forms of option 77: RFC 3004's
// list of lengths and values, and the bare text that iPXE sends.
func userClass(v []byte, want string) bool {
	if string(bytes.TrimRight(v, "\x00")) == want {
		return true
	}
	for len(v) > 0 {
		n := int(v[0])
		if n == 0 || n > len(v)-1 {
			return false
		}
		if string(v[1:1+n]) == want {
			return true
		}
		v = v[1+n:]
	}
	return false
}

// netboots says whether the client takes something to boot.
func netboots(c pool.Client) bool { return c.PXE || c.HTTP || c.IPXE }

// describe names the client as an operator would.
func describe(c pool.Client) string {
	var kind string
	switch c.Arch {
	case pool.ArchBIOS:
		kind = "BIOS"
	case pool.ArchEFIx64, pool.ArchEFIx64Alt:
		kind = "UEFI x86-64"
	case pool.ArchEFIARM64:
		kind = "UEFI arm64"
	case pool.ArchEFIARM64HTTP:
		kind = "UEFI arm64 HTTP"
	case pool.ArchEFIx64HTTP, pool.ArchEFIx64HTTPAlt:
		kind = "UEFI x86-64 HTTP"
	case pool.ArchUnspecified:
		kind = "unknown firmware"
	default:
		kind = "client architecture " + strconv.Itoa(c.Arch)
	}
	switch {
	case c.IPXE:
		return "iPXE, " + kind
	case c.HTTP:
		return "HTTP boot, " + kind
	case c.PXE:
		return "PXE, " + kind
	}
	return "operating system or agent"
}

// booting remembers which MACs are booting from us.
type booting struct {
	mu       sync.Mutex
	answered map[pool.MAC]time.Time // last answer to a netboot client
	firmware map[pool.MAC]time.Time // last answer to its firmware
	swept    time.Time
	taken    map[pool.MAC]taken // addresses of other servers
}

// taken is the address that a netboot client asked another server for.
type taken struct {
	addr netip.Addr
	at   time.Time
}

// takenFor is how long such an address counts, and one that firmware releases
// while it boots: a boot, up to its agent.
const takenFor = 10 * time.Minute

// bootTime is how long after our last answer a machine counts as booting.
const bootTime = 2 * time.Minute

// maxBooting bounds the MACs that are remembered: anybody can invent some.
const maxBooting = 1 << 16

// Netbooting says whether mac was told what to boot in the last two minutes.
func (s *Server) Netbooting(mac pool.MAC) bool {
	b := &s.booting
	b.mu.Lock()
	defer b.mu.Unlock()
	at, ok := b.answered[mac]
	return ok && time.Since(at) < bootTime
}

// Taken is the address that mac, a netboot client, was heard to ask another
// server for within the last ten minutes, on a subnet where this server is a
// proxy; invalid when there is none. It proves as much as a lease: whoever is
// on the segment can claim to be mac.
func (s *Server) Taken(mac pool.MAC) netip.Addr {
	b := &s.booting
	b.mu.Lock()
	defer b.mu.Unlock()
	if t := b.taken[mac]; time.Since(t.at) < takenFor {
		return t.addr
	}
	return netip.Addr{}
}

// take records the address that mac asks another server for.
func (b *booting) take(mac pool.MAC, addr netip.Addr, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken == nil {
		b.taken = map[pool.MAC]taken{}
	}
	if _, known := b.taken[mac]; !known && len(b.taken) >= maxBooting {
		maps.DeleteFunc(b.taken, func(_ pool.MAC, t taken) bool { return now.Sub(t.at) >= takenFor })
		if len(b.taken) >= maxBooting {
			return
		}
	}
	b.taken[mac] = taken{addr, now}
}

// note records that mac, a netboot client, is answered. It says whether this
// is iPXE that nothing before it loaded: it is the network card's firmware.
func (b *booting) note(mac pool.MAC, ipxe bool, now time.Time) (rom bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answered == nil {
		b.answered, b.firmware = map[pool.MAC]time.Time{}, map[pool.MAC]time.Time{}
	}
	if len(b.answered) > 4096 && now.Sub(b.swept) > bootTime/4 {
		b.swept = now
		for m, at := range b.answered {
			if now.Sub(at) > bootTime {
				delete(b.answered, m)
				delete(b.firmware, m)
			}
		}
	}
	if _, known := b.answered[mac]; !known && len(b.answered) >= maxBooting {
		return false
	}
	b.answered[mac] = now
	if !ipxe {
		b.firmware[mac] = now
		return false
	}
	if at, ok := b.firmware[mac]; ok && now.Sub(at) <= bootTime {
		return false
	}
	b.firmware[mac] = now // the next iPXE within that time is one that this one loaded
	return true
}
