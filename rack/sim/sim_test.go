package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"appliance/api/wire"
	"appliance/pool"
)

func TestReadFaults(t *testing.T) {
	got, err := ReadFaults(strings.NewReader(`
# a bad day
0s   disk-errors 4
30s  bmc-freezes 5-20,31 for 1m
1m   agent-dies  2.5% every 10s
90s  power-cut   all for 30s # the whole rack
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Fault{
		{Kind: DiskErrors, Ranges: [][2]int{{4, 4}}},
		{At: 30 * time.Second, Kind: BMCFreezes, Ranges: [][2]int{{5, 20}, {31, 31}}, For: time.Minute},
		{At: time.Minute, Kind: AgentDies, Share: 0.025, Every: 10 * time.Second},
		{At: 90 * time.Second, Kind: PowerCut, Ranges: [][2]int{{0, math.MaxInt}}, For: 30 * time.Second},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("ReadFaults (-want +got):\n%s", d)
	}
	for _, bad := range []string{"30s", "30s power-cut", "soon power-cut all", "-1s power-cut all", "1s meltdown all", "1s dies 0%", "1s dies 101%",
		"1s dies 7-3", "1s dies x", "1s dies 1 for", "1s dies 1 for 0s", "1s dies 1 until 5s", "1s dies NaN%", "1s dies ,"} {
		if f, err := ReadFaults(strings.NewReader("# one\n" + bad)); !errors.Is(err, pool.ErrInvalid) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("ReadFaults(%q) = %v, %v, want %v that names line 2", bad, f, err, pool.ErrInvalid)
		}
	}
}

func FuzzReadFaults(f *testing.F) {
	f.Add("30s bmc-freezes 5-20,31 for 1m every 2m\n# x\n0s dies 5%")
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := ReadFaults(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, x := range faults {
			if x.At < 0 || x.For < 0 || x.Every < 0 || x.Share < 0 || x.Share > 1 || x.Share == 0 && len(x.Ranges) == 0 {
				t.Errorf("fault %+v of %q", x, text)
			}
		}
	})
}

// TestSeed: the same seed draws the same machines, times and shares again;
// another one does not.
func TestSeed(t *testing.T) {
	drawn := func(seed uint64) string {
		r := &Rack{Interface: "lo", Machines: 50, Seed: seed, Used: 0.5, BMCs: netip.MustParsePrefix("10.78.0.0/16"), Times: Realistic(10)}
		if err := r.check(); err != nil {
			t.Fatal(err)
		}
		r.build(t.Context(), nil)
		var b strings.Builder
		for _, m := range r.machines {
			fmt.Fprintln(&b, m.MAC, m.disk.serial, m.disk.content, m.bmc.addr, m.bmc.guid, m.draw(r.Times.Post), m.draw(r.Times.Image))
		}
		for _, m := range r.pick(Fault{Share: 0.2}, rand.New(rand.NewPCG(seed, 0))) {
			fmt.Fprintln(&b, m.Index)
		}
		return b.String()
	}
	if d := cmp.Diff(drawn(7), drawn(7)); d != "" {
		t.Errorf("the same seed differs:\n%s", d)
	}
	if drawn(7) == drawn(8) {
		t.Error("another seed draws the same")
	}
}

func TestCheck(t *testing.T) {
	small := netip.MustParsePrefix("10.78.0.0/29")
	for name, r := range map[string]*Rack{
		"no machines":  {Interface: "lo"},
		"no interface": {Machines: 1},
		"small":        {Interface: "lo", Machines: 7, BMCs: small},
		"no machine 9": {Interface: "lo", Machines: 9, Faults: []Fault{{Kind: Dies, Ranges: [][2]int{{9, 9}}}}},
	} {
		if err := r.Run(t.Context()); !errors.Is(err, pool.ErrInvalid) {
			t.Errorf("%s: Run = %v, want %v", name, err, pool.ErrInvalid)
		}
	}
}

// archive writes one file as a newc archive.
func archive(name string, data []byte) []byte {
	var b bytes.Buffer
	pad := func() {
		for b.Len()%4 != 0 {
			b.WriteByte(0)
		}
	}
	b.WriteString("070701")
	for i := range 13 {
		v := 0
		switch i {
		case 6:
			v = len(data)
		case 11:
			v = len(name) + 1
		}
		fmt.Fprintf(&b, "%08x", v)
	}
	b.WriteString(name + "\x00")
	pad()
	b.Write(data)
	pad()
	return b.Bytes()
}

func TestReadConfig(t *testing.T) {
	want := wire.BootConfig{Server: "https://10.77.0.1:8443", CA: "pem", Token: "once"}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	all := append(archive("etc/hosts", []byte("x")), archive(wire.BootConfigPath[1:], text)...)
	got, err := readConfig(append(all, archive("TRAILER!!!", nil)...))
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("readConfig = %v\n%s", err, d)
	}
	for n := range all {
		if _, err := readConfig(all[:n]); err == nil && n < len(all)-3 {
			t.Errorf("readConfig of %d of %d bytes succeeds", n, len(all))
		}
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add(archive(wire.BootConfigPath[1:], []byte("{}")))
	f.Add(archive("TRAILER!!!", nil))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = readConfig(b) })
}

// lossy is a TFTP server of one file that loses every third packet.
func lossy(ctx context.Context, conn *net.UDPConn, blocks int) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	b := make([]byte, 2048)
	n := 0
	send := func(to netip.AddrPort, p []byte) {
		if n++; n%3 != 0 {
			_, _ = conn.WriteToUDPAddrPort(p, to)
		}
	}
	for {
		k, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		switch {
		case k > 2 && b[1] == 1:
			send(from, []byte("\x00\x06blksize\x001428\x00windowsize\x004\x00"))
		case k == 4 && b[1] == 4:
			at := int(b[2])<<8 | int(b[3])
			for i := at + 1; i <= min(at+4, blocks); i++ {
				size := 1428
				if i == blocks {
					size = 10
				}
				send(from, append([]byte{0, 3, byte(i >> 8), byte(i)}, make([]byte, size)...))
			}
		}
	}
}

func TestTFTPOverALossyNetwork(t *testing.T) {
	serve, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lossy(ctx, serve, 23)
	}()
	defer func() { stop(); <-ended }()
	m := &Machine{address: netip.MustParseAddr("127.0.0.1")}
	if err := m.tftp(t.Context(), serve.LocalAddr().(*net.UDPAddr).AddrPort(), "undionly.kpxe"); err != nil {
		t.Errorf("tftp: %v", err)
	}
}
