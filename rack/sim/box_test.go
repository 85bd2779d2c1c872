package sim_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"appliance/agent"
	"appliance/api/wire"
	"appliance/pool"
)

// box is a machine that does as much of a boot as it is told to, packet by
// packet, and then nothing more.
type box struct {
	mac  pool.MAC
	arch uint16
	ca   string
	conn *net.UDPConn // DHCP's client port
	addr netip.Addr   // what it leased
	open []*reading   // they stay so: a closed port would be told to the server
}

// kind is what a box calls itself to DHCP.
type kind int

const (
	firmware kind = iota
	ipxe
	inRAM // the agent
)

func serverAddr() netip.Addr { return netip.AddrFrom4([4]byte{10, 77, 0, 1}) }

// listen opens a UDP port of the rack's interface for broadcasts, as others may.
func listen(port int) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errors.Join(c.Control(func(fd uintptr) {
			err = errors.Join(unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 1),
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1), unix.BindToDevice(int(fd), "sim0"))
		}), err)
	}}
	conn, err := lc.ListenPacket(context.Background(), "udp4", ":"+strconv.Itoa(port))
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}

func openBox(mac pool.MAC, arch uint16, ca string) (*box, error) {
	conn, err := listen(dhcpv4.ClientPort)
	if err != nil {
		return nil, err
	}
	return &box{mac: mac, arch: arch, ca: ca, conn: conn}, nil
}

func (b *box) message(as kind, t dhcpv4.MessageType, mods ...dhcpv4.Modifier) (*dhcpv4.DHCPv4, error) {
	class := fmt.Sprintf("PXEClient:Arch:%05d:UNDI:003016", b.arch)
	switch {
	case as == inRAM:
		class = "appliance-agent"
	case b.arch >= 15 && b.arch <= 19:
		class = fmt.Sprintf("HTTPClient:Arch:%05d:UNDI:003001", b.arch)
	}
	all := []dhcpv4.Modifier{dhcpv4.WithMessageType(t), dhcpv4.WithHwAddr(b.mac[:]), dhcpv4.WithBroadcast(true), dhcpv4.WithOption(dhcpv4.OptClassIdentifier(class))}
	if as != inRAM {
		all = append(all, dhcpv4.WithGeneric(dhcpv4.OptionClientSystemArchitectureType, binary.BigEndian.AppendUint16(nil, b.arch)))
	}
	if as == ipxe {
		all = append(all, dhcpv4.WithOption(dhcpv4.OptUserClass("iPXE")), dhcpv4.WithGeneric(dhcpv4.GenericOptionCode(175), []byte{19, 1, 1}))
	}
	return dhcpv4.New(append(all, mods...)...)
}

// send broadcasts a message; with want it returns the answer of that type.
func (b *box) send(as kind, t, want dhcpv4.MessageType, mods ...dhcpv4.Modifier) (*dhcpv4.DHCPv4, error) {
	m, err := b.message(as, t, mods...)
	if err != nil {
		return nil, err
	}
	buf := make([]byte, 2048)
	for range 15 { // at first the appliance listens for others
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), 67)
		if _, err := b.conn.WriteToUDPAddrPort(m.ToBytes(), to); err != nil {
			return nil, err
		}
		if want == 0 {
			return nil, nil
		}
		_ = b.conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		for {
			n, err := b.conn.Read(buf)
			if err != nil {
				break
			}
			if r, err := dhcpv4.FromBytes(buf[:n]); err == nil && r.OpCode == dhcpv4.OpcodeBootReply && r.TransactionID == m.TransactionID && r.MessageType() == want {
				return r, nil
			}
		}
	}
	return nil, fmt.Errorf("%s: no %s for a %s", b.mac, want, t)
}

func wants(a netip.Addr) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(a.AsSlice()))
}

func from(a netip.Addr) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptServerIdentifier(a.AsSlice()))
}

func (b *box) offered(as kind) (netip.Addr, error) {
	o, err := b.send(as, dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeOffer)
	if err != nil {
		return netip.Addr{}, err
	}
	a, _ := netip.AddrFromSlice(o.YourIPAddr.To4())
	return a, nil
}

// bound gets a lease and the address with it.
func (b *box) bound(as kind) error {
	a, err := b.offered(as)
	if err != nil {
		return err
	}
	if _, err := b.send(as, dhcpv4.MessageTypeRequest, dhcpv4.MessageTypeAck, wants(a), from(serverAddr())); err != nil {
		return err
	}
	if b.addr == a {
		return nil
	}
	b.addr = a
	out, err := exec.Command("ip", "addr", "replace", a.String()+"/16", "dev", "sim0").CombinedOutput() //nolint:noctx,gosec // at once
	if err != nil {
		return fmt.Errorf("ip: %w: %s", err, out)
	}
	return nil
}

// get reads a path over HTTP; of the body no more than limit, if that is not 0.
func (b *box) get(path string, limit int64) error {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: b.addr.AsSlice()}, Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errors.Join(c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<16) }), err)
	}}
	c := http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}, Timeout: time.Minute}
	resp, err := c.Get("http://10.77.0.1:8080" + path) //nolint:noctx // it has a timeout
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // what is unread is lost: that is the point of limit
	if limit == 0 {
		limit = 1 << 40
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, limit))
	return err
}

// script is the path of a file of the machine's own.
func (b *box) own(file string) string {
	return "/boot/" + strings.ReplaceAll(b.mac.String(), ":", "-") + "/" + file
}

// reading is a TFTP transfer that goes as far as it is told.
type reading struct {
	conn *net.UDPConn
	to   netip.AddrPort
	size int
	next uint16
}

func (b *box) tftp(name string, options ...string) (*reading, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: b.addr.AsSlice()})
	if err != nil {
		return nil, err
	}
	r := &reading{conn: conn, to: netip.AddrPortFrom(serverAddr(), 69), size: 512, next: 1}
	b.open = append(b.open, r)
	_, err = conn.WriteToUDPAddrPort([]byte("\x00\x01"+name+"\x00octet\x00"+strings.Join(append(options, ""), "\x00")), r.to)
	return r, err
}

// blocks acknowledges n blocks, or all where n is 0; true: that was the last one.
func (r *reading) blocks(n int) (last bool, err error) {
	buf := make([]byte, 65536)
	for got := 0; n == 0 || got < n; {
		_ = r.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		k, from, err := r.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return false, err
		}
		r.to = from
		switch p := buf[:k]; {
		case k < 4:
		case p[1] == 5:
			return false, fmt.Errorf("TFTP error: %s", p[4:])
		case p[1] == 6:
			f := strings.Split(string(p[2:]), "\x00")
			for i := 0; i+1 < len(f); i += 2 {
				if f[i] == "blksize" {
					r.size, _ = strconv.Atoi(f[i+1])
				}
			}
			if err := r.ack(0); err != nil {
				return false, err
			}
		case p[1] == 3 && binary.BigEndian.Uint16(p[2:]) == r.next:
			if err := r.ack(r.next); err != nil {
				return false, err
			}
			r.next++
			got++
			if k-4 < r.size {
				return true, nil
			}
		}
	}
	return false, nil
}

func (r *reading) ack(n uint16) error {
	_, err := r.conn.WriteToUDPAddrPort(binary.BigEndian.AppendUint16([]byte{0, 4}, n), r.to)
	return err
}

// whole fetches a file to its end.
func (b *box) whole(name string) error {
	r, err := b.tftp(name, "blksize", "1468")
	if err != nil {
		return err
	}
	_, err = r.blocks(0)
	return errors.Join(err, r.conn.Close())
}

// tooLong is a router on the way that says that r's packets are.
func (b *box) tooLong(r *reading) error {
	c, err := net.ListenPacket("ip4:icmp", b.addr.String()) //nolint:noctx // opens a socket
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	head := ipv4.Header{Version: 4, Len: 20, TotalLen: 1500, Flags: ipv4.DontFragment, TTL: 64, Protocol: unix.IPPROTO_UDP,
		Src: serverAddr().AsSlice(), Dst: b.addr.AsSlice()}
	quoted, err := head.Marshal()
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint16(quoted[2:], 1500) // Marshal writes it as raw sockets of some systems want it
	quoted = binary.BigEndian.AppendUint16(quoted, r.to.Port())
	quoted = binary.BigEndian.AppendUint16(quoted, uint16(r.conn.LocalAddr().(*net.UDPAddr).Port))
	quoted = append(quoted, 5, 200, 0, 0) // length 1480
	m := icmp.Message{Type: ipv4.ICMPTypeDestinationUnreachable, Code: 4, Body: &icmp.RawBody{Data: append([]byte{0, 0, 1000 >> 8, 1000 & 255}, quoted...)}}
	p, err := m.Marshal(nil)
	if err != nil {
		return err
	}
	_, err = c.WriteTo(p, &net.IPAddr{IP: serverAddr().AsSlice()})
	return err
}

// hello is the agent's first word.
func (b *box) hello(ctx context.Context, facts *pool.Facts) error {
	key, err := agent.NewKey()
	if err != nil {
		return err
	}
	csr, err := key.Request("")
	if err != nil {
		return err
	}
	c, err := agent.NewClient("https://10.77.0.1:8443", b.ca)
	if err != nil {
		return err
	}
	var w wire.Welcome
	_, err = c.Do(ctx, "POST", wire.PathHello, wire.Hello{Protocol: wire.Protocol, Version: "box", Mode: pool.InRAM, MAC: b.mac, BootID: b.mac.String(), CSR: csr, Facts: facts}, &w)
	return err
}
