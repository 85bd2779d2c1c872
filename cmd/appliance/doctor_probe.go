package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/mdlayher/packet"
	"github.com/vishvananda/netlink"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"appliance/pool"
)

// doctorMAC is the first half of the addresses that the doctor's clients have:
// the appliance answers them and records nothing.
var doctorMAC = [3]byte{0x02, 0xdc, 0x0d}

func isDoctor(mac pool.MAC) bool { return [3]byte(mac[:3]) == doctorMAC }

// probeKind is a client that the doctor plays.
type probeKind struct {
	name    string
	arch    uint16
	class   string
	relayed bool
}

func probeKinds() []probeKind {
	return []probeKind{
		{"BIOS client", 0, "PXEClient:Arch:00000:UNDI:002001", false},
		{"UEFI client", 7, "PXEClient:Arch:00007:UNDI:003016", false},
		{"HTTP Boot client", 16, "HTTPClient:Arch:00016:UNDI:003001", false},
		{"relayed UEFI client", 7, "PXEClient:Arch:00007:UNDI:003016", true},
		{"relayed BIOS client", 0, "PXEClient:Arch:00000:UNDI:002001", true},
	}
}

// offered is what one server answered.
type offered struct {
	server netip.Addr
	mac    string // that the answer came from
	addr   netip.Addr
	file   string
	class  string
}

func (o offered) String() string {
	text := fmt.Sprintf("%s (%s) offers %s", o.server, o.mac, o.addr)
	if o.addr.IsUnspecified() {
		text = fmt.Sprintf("%s (%s) answers without an address", o.server, o.mac)
	}
	if o.file != "" {
		text += ", boot file " + o.file
	}
	if o.class != "" {
		text += ", class " + o.class
	}
	return text
}

// prober sends DISCOVERs and sees every answer on the wire, ours included.
type prober struct {
	ifi  *net.Interface
	addr netip.Addr
	out  *net.UDPConn
	in   *packet.Conn
}

func openProber(iface string, addr netip.Addr) (*prober, error) {
	ifi, err := net.InterfaceByName(iface)
	if err != nil {
		return nil, fmt.Errorf("open interface %s: %v", iface, err)
	}
	in, err := packet.Listen(ifi, packet.Raw, unix.ETH_P_ALL, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: listen on %s: %v; run as root", pool.ErrUnavailable, iface, err)
	}
	out, err := net.ListenUDP("udp4", &net.UDPAddr{IP: addr.AsSlice()})
	if err == nil {
		err = broadcastOn(out, iface)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("send on %s: %v", iface, err), in.Close())
	}
	return &prober{ifi: ifi, addr: addr, out: out, in: in}, nil
}

func broadcastOn(c *net.UDPConn, iface string) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var serr error
	err = raw.Control(func(fd uintptr) {
		serr = errors.Join(unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 1), unix.BindToDevice(int(fd), iface))
	})
	return errors.Join(err, serr)
}

func (p *prober) close() { _ = errors.Join(p.in.Close(), p.out.Close()) }

// ask sends a DISCOVER as a client of a kind and returns every offer for it.
func (p *prober) ask(ctx context.Context, k probeKind, subnet netip.Prefix) ([]offered, error) {
	mac := net.HardwareAddr{doctorMAC[0], doctorMAC[1], doctorMAC[2], byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32())}
	msg, err := dhcpv4.NewDiscovery(mac, dhcpv4.WithBroadcast(true), dhcpv4.WithOption(dhcpv4.OptClassIdentifier(k.class)),
		dhcpv4.WithGeneric(dhcpv4.OptionClientSystemArchitectureType, binary.BigEndian.AppendUint16(nil, k.arch)),
		dhcpv4.WithGeneric(dhcpv4.OptionClientNetworkInterfaceIdentifier, []byte{1, 3, 16}),
		dhcpv4.WithGeneric(dhcpv4.OptionClientMachineIdentifier, append([]byte{0}, make([]byte, 16)...)))
	if err != nil {
		return nil, err
	}
	if k.relayed {
		gone, err := p.relay(msg, subnet)
		if err != nil {
			return nil, err
		}
		defer gone()
	}
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), 67)
	if _, err := p.out.WriteToUDPAddrPort(msg.ToBytes(), to); err != nil {
		return nil, fmt.Errorf("send DISCOVER: %v", err)
	}
	return p.collect(ctx, msg.TransactionID)
}

// relay makes a message one that a relay agent of a subnet passed on. The
// relay has an address in our own network that nobody has; the neighbour entry
// makes the answer leave on the wire, where it is seen.
func (p *prober) relay(msg *dhcpv4.DHCPv4, subnet netip.Prefix) (gone func(), err error) {
	b := p.addr.As4()
	b[3] ^= 0x80 // some other host of the network
	if b[3] == 0 || b[3] == 255 {
		b[3] = 254
	}
	agent := netip.AddrFrom4(b)
	msg.GatewayIPAddr = agent.AsSlice()
	link := subnet.Masked().Addr().Next()
	msg.UpdateOption(dhcpv4.OptRelayAgentInfo(dhcpv4.OptGeneric(dhcpv4.LinkSelectionSubOption, link.AsSlice()),
		dhcpv4.OptGeneric(dhcpv4.AgentCircuitIDSubOption, []byte("doctor"))))
	n := &netlink.Neigh{LinkIndex: p.ifi.Index, State: netlink.NUD_PERMANENT, IP: agent.AsSlice(), HardwareAddr: msg.ClientHWAddr}
	if err := netlink.NeighSet(n); err != nil {
		return nil, fmt.Errorf("play relay agent %s: %v", agent, err)
	}
	return func() { _ = netlink.NeighDel(n) }, nil
}

// collect reads the wire for answers to one transaction.
func (p *prober) collect(ctx context.Context, xid dhcpv4.TransactionID) ([]offered, error) {
	deadline := time.Now().Add(doctorTime)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := p.in.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	var out []offered
	seen := map[string]bool{}
	buf := make([]byte, 65536)
	for {
		n, _, err := p.in.ReadFrom(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return out, ctx.Err()
		}
		if err != nil {
			return out, fmt.Errorf("read %s: %v", p.ifi.Name, err)
		}
		if o, ok := readOffer(buf[:n], xid); ok && !seen[o.String()] {
			seen[o.String()] = true
			out = append(out, o)
		}
	}
}

// readOffer reads an Ethernet frame that carries an offer of a transaction.
func readOffer(frame []byte, xid dhcpv4.TransactionID) (o offered, ok bool) {
	if len(frame) < 14+20+8 || binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_IP || frame[14]>>4 != 4 || frame[23] != unix.IPPROTO_UDP {
		return o, false
	}
	udp := frame[14:]
	head := int(udp[0]&15) * 4
	if len(udp) < head+8 || binary.BigEndian.Uint16(udp[head:]) != 67 {
		return o, false
	}
	msg, err := dhcpv4.FromBytes(udp[head+8:])
	if err != nil || msg.OpCode != dhcpv4.OpcodeBootReply || msg.TransactionID != xid {
		return o, false
	}
	o.server, _ = netip.AddrFromSlice(msg.ServerIdentifier().To4())
	if !o.server.IsValid() {
		o.server, _ = netip.AddrFromSlice(udp[12:16])
	}
	o.addr, _ = netip.AddrFromSlice(msg.YourIPAddr.To4())
	o.mac = net.HardwareAddr(frame[6:12]).String()
	o.file, o.class = msg.BootFileNameOption(), msg.ClassIdentifier()
	if o.file == "" {
		o.file = msg.BootFileName
	}
	return o, true
}

// fetched is a file that came over TFTP.
type fetched struct{ bytes, block, window int }

// fetchTFTP reads a file as EDK2's PXE client does: blocks as long as a frame,
// windows of four.
func fetchTFTP(ctx context.Context, at netip.AddrPort, name string) (got fetched, err error) {
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return got, err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	last, to := []byte("\x00\x01"+name+"\x00octet\x00blksize\x001468\x00windowsize\x004\x00"), at
	got.block, got.window = 512, 1
	buf, want, in := make([]byte, 2048), uint16(1), 0
	for tries := 0; tries < 5; {
		if in == 0 {
			if _, err := conn.WriteToUDPAddrPort(last, to); err != nil {
				return got, err
			}
		}
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			tries++
			in = 0
			continue
		}
		to = from
		switch p := buf[:n]; {
		case n < 4:
		case p[1] == 5:
			return got, fmt.Errorf("server says: %s", strings.TrimRight(string(p[4:]), "\x00"))
		case p[1] == 6:
			f := bytes.Split(p[2:], []byte{0})
			for i := 0; i+1 < len(f); i += 2 {
				v, _ := strconv.Atoi(string(f[i+1]))
				switch string(f[i]) {
				case "blksize":
					got.block = v
				case "windowsize":
					got.window = v
				}
			}
			last = []byte{0, 4, 0, 0}
		case p[1] == 3 && binary.BigEndian.Uint16(p[2:]) == want:
			want++
			in++
			got.bytes += n - 4
			last = []byte{0, 4, p[2], p[3]}
			if n-4 < got.block {
				_, err := conn.WriteToUDPAddrPort(last, to)
				return got, err
			}
			if in >= got.window {
				in = 0
			}
		}
	}
	return got, fmt.Errorf("no answer from %s after %d bytes", to, got.bytes)
}

// ping asks a host with one ICMP echo of size bytes that may not be fragmented.
func ping(ctx context.Context, to netip.Addr, size int) (bool, error) {
	c, err := net.ListenPacket("ip4:icmp", "0.0.0.0") //nolint:noctx // opens a socket and waits for nothing
	if err != nil {
		return false, fmt.Errorf("open ICMP socket: %v", err)
	}
	defer func() { _ = c.Close() }()
	raw, err := c.(*net.IPConn).SyscallConn()
	if err != nil {
		return false, err
	}
	var serr error
	err = raw.Control(func(fd uintptr) {
		serr = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE)
	})
	if err := errors.Join(err, serr); err != nil {
		return false, err
	}
	id := int(rand.Uint32() & 0xffff)
	msg := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: id, Seq: 1, Data: make([]byte, size-28)}}
	b, err := msg.Marshal(nil)
	if err != nil {
		return false, err
	}
	if _, err := c.WriteTo(b, &net.IPAddr{IP: to.AsSlice()}); err != nil {
		if errors.Is(err, unix.EMSGSIZE) {
			return false, nil
		}
		return false, err
	}
	_ = c.SetReadDeadline(time.Now().Add(700 * time.Millisecond))
	buf := make([]byte, 2048)
	for ctx.Err() == nil {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return false, nil //nolint:nilerr // silence is the answer
		}
		m, err := icmp.ParseMessage(1, buf[:n])
		if err != nil || m.Type != ipv4.ICMPTypeEchoReply || from.String() != to.String() {
			continue
		}
		if e, ok := m.Body.(*icmp.Echo); ok && e.ID == id {
			return true, nil
		}
	}
	return false, ctx.Err()
}

// neighbours lists who was heard on an interface of late.
func neighbours(iface string) ([]netip.Addr, error) {
	ifi, err := net.InterfaceByName(iface)
	if err != nil {
		return nil, err
	}
	list, err := netlink.NeighList(ifi.Index, netlink.FAMILY_V4)
	if err != nil {
		return nil, err
	}
	var out []netip.Addr
	for _, n := range list {
		if a, ok := netip.AddrFromSlice(n.IP.To4()); ok && n.State&(netlink.NUD_REACHABLE|netlink.NUD_STALE|netlink.NUD_DELAY|netlink.NUD_PROBE) != 0 {
			out = append(out, a)
		}
	}
	return out, nil
}
