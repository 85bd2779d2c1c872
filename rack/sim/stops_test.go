package sim_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"appliance/pool"
)

// allStops are the ways in which boots stop, by the rule that they are to be
// diagnosed by.
func allStops() []stop {
	var all []stop
	for _, part := range [][]stop{addressStops(), transferStops(), programStops(), agentStops()} {
		all = append(all, part...)
	}
	return all
}

// steps runs one after the other until one fails.
func steps(all ...func() error) error {
	for _, f := range all {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func (b *box) fw() error                 { return b.bound(firmware) }
func (b *box) ipxe() error               { return b.bound(ipxe) }
func (b *box) agent() error              { return b.bound(inRAM) }
func (b *box) script() error             { return b.get(b.own("script.ipxe"), 0) }
func (b *box) extra() error              { return b.get(b.own("extra.cpio"), 0) }
func (b *box) kernel() error             { return b.get("/kit/vmlinuz", 0) }
func (b *box) initrd() error             { return b.get("/kit/initrd.zst", 0) }
func (b *box) nbp(f string) func() error { return func() error { return b.whole(f) } }

func addressStops() []stop {
	discover := func(b *box) error { _, err := b.offered(firmware); return err }
	reboot := func(b *box) error { // it remembers an address of another network
		_, err := b.send(firmware, dhcpv4.MessageTypeRequest, dhcpv4.MessageTypeNak, wants(elsewhere()))
		return err
	}
	return []stop{
		{"dhcp-elsewhere", 0, func(_ context.Context, b *box) error {
			a, err := b.offered(firmware)
			if err != nil {
				return err
			}
			_, err = b.send(firmware, dhcpv4.MessageTypeRequest, 0, wants(a), from(elsewhere()))
			return err
		}},
		{"dhcp-full", 0, func(_ context.Context, b *box) error {
			_, err := b.send(firmware, dhcpv4.MessageTypeDiscover, 0, relayed)
			return err
		}},
		{"dhcp-decline", 0, func(_ context.Context, b *box) error {
			if err := b.fw(); err != nil {
				return err
			}
			_, err := b.send(firmware, dhcpv4.MessageTypeDecline, 0, wants(b.addr), from(serverAddr()))
			return err
		}},
		{"dhcp-nak-loop", 0, func(_ context.Context, b *box) error { return errors.Join(reboot(b), reboot(b)) }},
		{"dhcp-nak", 0, func(_ context.Context, b *box) error { return reboot(b) }},
		{"no-program", 6, func(_ context.Context, b *box) error {
			_, err := b.send(firmware, dhcpv4.MessageTypeDiscover, 0)
			return err
		}},
		{"discover-repeated", 0, func(_ context.Context, b *box) error { return errors.Join(discover(b), discover(b), discover(b)) }},
		{"discover-no-request", 7, func(_ context.Context, b *box) error { return discover(b) }},
		{"lease-no-http", 16, func(_ context.Context, b *box) error { return b.fw() }},
		{"lease-no-tftp", 0, func(_ context.Context, b *box) error { return b.fw() }},
	}
}

func transferStops() []stop {
	// part begins a transfer and acknowledges n blocks of it.
	part := func(b *box, name string, n int, options ...string) (*reading, error) {
		if err := b.fw(); err != nil {
			return nil, err
		}
		r, err := b.tftp(name, options...)
		if err != nil {
			return nil, err
		}
		_, err = r.blocks(n)
		return r, err
	}
	return []stop{
		{"tftp-mtu", 7, func(_ context.Context, b *box) error {
			r, err := part(b, "snponly.efi", 3, "blksize", "1468")
			if err != nil {
				return err
			}
			if err := b.tooLong(r); err != nil {
				return err
			}
			if _, err := r.blocks(0); err == nil {
				return errNotAsSaid
			}
			return nil
		}},
		{"tftp-blackhole", 7, func(_ context.Context, b *box) error {
			if err := b.fw(); err != nil {
				return err
			}
			r, err := b.tftp("snponly.efi", "blksize", "1468")
			if err != nil {
				return err
			}
			buf := make([]byte, 2048) // the OACK is short, and arrives
			_, r.to, err = r.conn.ReadFromUDPAddrPort(buf)
			return errors.Join(err, r.ack(0))
		}},
		{"tftp-ports", 0, func(_ context.Context, b *box) error {
			if err := b.fw(); err != nil {
				return err
			}
			_, err := b.tftp("undionly.kpxe")
			return err
		}},
		{"tftp-stalled", 0, func(_ context.Context, b *box) error {
			_, err := part(b, "undionly.kpxe", 20)
			return err
		}},
		{"tftp-missing", 0, func(_ context.Context, b *box) error {
			if _, err := part(b, "pxelinux.0", 1); err == nil {
				return errNotAsSaid
			}
			return nil
		}},
		{"tftp-aborted", 0, func(_ context.Context, b *box) error {
			r, err := part(b, "undionly.kpxe", 5)
			if err != nil {
				return err
			}
			_, err = r.conn.WriteToUDPAddrPort([]byte("\x00\x05\x00\x00enough\x00"), r.to)
			return err
		}},
		{"http-missing", 16, func(_ context.Context, b *box) error {
			return errors.Join(b.fw(), b.get("/kit/bootx64.efi", 0))
		}},
		{"http-broken", 0, func(_ context.Context, b *box) error {
			return steps(b.fw, b.nbp("undionly.kpxe"), b.ipxe, b.script, func() error { return b.get("/kit/vmlinuz", 50_000) })
		}},
	}
}

func programStops() []stop {
	return []stop{
		{"shim-no-grub", 7, func(_ context.Context, b *box) error { return steps(b.fw, b.nbp("shimx64.efi")) }},
		{"grub-no-config", 7, func(_ context.Context, b *box) error {
			return steps(b.fw, b.nbp("shimx64.efi"), b.nbp("grubx64.efi"))
		}},
		{"nbp-secure-boot", 7, func(_ context.Context, b *box) error { return steps(b.fw, b.nbp("snponly.efi")) }},
		{"nbp-no-driver", 0, func(_ context.Context, b *box) error { return steps(b.fw, b.nbp("undionly.kpxe")) }},
		{"ipxe-repeated", 0, func(_ context.Context, b *box) error {
			return steps(b.fw, b.nbp("undionly.kpxe"), b.ipxe, b.ipxe, b.ipxe)
		}},
		{"ipxe-no-script", 0, func(_ context.Context, b *box) error { return steps(b.fw, b.nbp("undionly.kpxe"), b.ipxe) }},
		{"script-repeated", 0, func(_ context.Context, b *box) error {
			return steps(b.fw, b.nbp("undionly.kpxe"), b.ipxe, b.script, b.script, b.script)
		}},
		{"script-no-kernel", 0, func(_ context.Context, b *box) error {
			return steps(b.fw, b.nbp("undionly.kpxe"), b.ipxe, b.script)
		}},
		{"kernel-no-initrd", 0, func(_ context.Context, b *box) error {
			return steps(b.fw, b.nbp("undionly.kpxe"), b.ipxe, b.script, b.kernel)
		}},
		{"extra-no-initrd", 0, func(_ context.Context, b *box) error {
			return steps(b.fw, b.nbp("undionly.kpxe"), b.ipxe, b.script, b.kernel, b.extra)
		}},
	}
}

func agentStops() []stop {
	kernel := func(b *box) func() error {
		return func() error {
			return steps(b.fw, b.nbp("undionly.kpxe"), b.ipxe, b.script, b.kernel, b.extra, b.initrd)
		}
	}
	return []stop{
		{"kernel-signed-silent", 7, func(_ context.Context, b *box) error {
			return steps(b.fw, b.nbp("snponly.efi"), b.ipxe, b.script, b.kernel, b.extra, b.initrd, b.initrd)
		}},
		{"kernel-no-agent", 0, func(_ context.Context, b *box) error { return kernel(b)() }},
		{"agent-repeated", 0, func(_ context.Context, b *box) error { return steps(kernel(b), b.agent, b.agent, b.agent) }},
		{"agent-no-hello", 0, func(_ context.Context, b *box) error { return steps(kernel(b), b.agent) }},
		{"agent-no-facts", 0, func(ctx context.Context, b *box) error {
			return steps(kernel(b), b.agent, func() error { return b.hello(ctx, nil) })
		}},
		{"disk-no-system", 0, func(ctx context.Context, b *box) error {
			facts := &pool.Facts{Manufacturer: "Test", Product: "Box", Serial: fmt.Sprint(b.mac), Arch: pool.AMD64, Firmware: pool.BIOS,
				CPU: pool.CPU{Sockets: 1, Cores: 1, Threads: 1}, Memory: 1 << 30, NICs: []pool.NIC{{Name: "eth0", MAC: b.mac, Link: true}}}
			return steps(kernel(b), b.agent, func() error { return b.hello(ctx, facts) }, b.fw, b.nbp("undionly.kpxe"), b.ipxe, b.script)
		}},
		{"disk-chain-silent", 7, func(ctx context.Context, b *box) error {
			facts := &pool.Facts{Manufacturer: "Test", Product: "Box", Serial: fmt.Sprint(b.mac), Arch: pool.AMD64, Firmware: pool.UEFI,
				CPU: pool.CPU{Sockets: 1, Cores: 1, Threads: 1}, Memory: 1 << 30, NICs: []pool.NIC{{Name: "eth0", MAC: b.mac, Link: true}}}
			return steps(b.fw, b.agent, func() error { return b.hello(ctx, facts) }, b.fw, b.nbp("grub-chain.efi"))
		}},
	}
}
