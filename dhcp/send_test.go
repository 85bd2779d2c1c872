package dhcp

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/ipv4"
)

// TestSend: whether replies go together or one by one, each arrives as it is,
// where it is to go.
func TestSend(t *testing.T) {
	for _, whole := range []bool{false, true} {
		t.Run(fmt.Sprintf("whole=%v", whole), func(t *testing.T) {
			var relays [2]net.PacketConn
			for i := range relays {
				lc := net.ListenConfig{Control: socketOptions("")} // with a buffer that holds them all
				c, err := lc.ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = c.Close() }() // nothing is sent to it any more
				relays[i] = c
			}
			conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }() // all was sent
			free := &sync.Pool{New: func() any { return &exchange{} }}
			out := &sender{s: &Server{}, pc: ipv4.NewPacketConn(conn), free: free, whole: whole}
			out.queue.init()
			want := [2]map[string]bool{{}, {}}
			const replies = 400
			for i := range replies {
				x, to := &exchange{}, i%3%2
				x.out.b = bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 150+i%5/2*8) // 3 lengths
				x.to.to = netip.MustParseAddrPort(relays[to].LocalAddr().String())
				want[to][string(x.out.b)] = true
				out.queue.add(x)
			}
			out.queue.end()
			out.run()
			buf := make([]byte, 70_000)
			for i, c := range relays {
				for len(want[i]) > 0 {
					if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
						t.Fatal(err)
					}
					n, _, err := c.ReadFrom(buf)
					if err != nil {
						t.Fatalf("%d replies did not arrive: %v", len(want[i]), err)
					}
					if !want[i][string(buf[:n])] {
						t.Fatalf("relay %d got %d bytes that nobody sent to it", i, n)
					}
					delete(want[i], string(buf[:n]))
				}
			}
			if n := out.s.stats.unsent.Load(); n > 0 {
				t.Errorf("%d replies were not sent", n)
			}
			if out.whole != whole {
				t.Log("the kernel does not cut datagrams apart")
			}
		})
	}
}
