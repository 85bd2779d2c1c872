package sim

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"appliance/api/wire"
	"appliance/pool"
)

// What a netboot leads to.
const (
	bootAgent = "agent"
	bootDisk  = "disk"
)

// netboot does what firmware and iPXE do: an address and a program by DHCP,
// the program by TFTP, a script's URL by DHCP again, what the script names by
// HTTP. An appliance that does not answer leads to the disk.
func (m *Machine) netboot(ctx context.Context) (what string, config wire.BootConfig, err error) {
	ack, err := m.dhcp(ctx, false)
	if err != nil {
		return "", config, err
	}
	if ack.BootFileName == "" {
		return bootDisk, config, nil
	}
	next := addrOf(ack.ServerIPAddr)
	if next.IsUnspecified() {
		next = addrOf(ack.ServerIdentifier())
	}
	if err := m.tftp(ctx, netip.AddrPortFrom(next, 69), ack.BootFileName); err != nil {
		return "", config, fmt.Errorf("fetch %s: %w", ack.BootFileName, err)
	}
	if strings.HasPrefix(ack.BootFileName, "grub") {
		return bootDisk, config, nil
	}
	if ack, err = m.dhcp(ctx, true); err != nil {
		return "", config, err
	}
	client := &http.Client{Transport: &http.Transport{DialContext: m.dial}, Timeout: 2 * time.Minute}
	defer client.CloseIdleConnections()
	script, err := m.fetch(ctx, client, ack.BootFileName, false)
	if err != nil {
		return "", config, fmt.Errorf("fetch script: %w", err)
	}
	return m.follow(ctx, client, string(script))
}

// follow does what an iPXE script says, as far as the appliance's go.
func (m *Machine) follow(ctx context.Context, client *http.Client, script string) (what string, config wire.BootConfig, err error) {
	if !strings.HasPrefix(script, "#!ipxe") {
		return "", config, fmt.Errorf("%w: %q is no iPXE script", pool.ErrInvalid, script)
	}
	for line := range strings.Lines(script) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "kernel", "initrd", "chain":
			url := words[len(words)-1]
			if words[0] != "initrd" {
				url = words[1]
			}
			body, err := m.fetch(ctx, client, url, !strings.HasSuffix(url, "extra.cpio") && !m.rack.Whole)
			if err != nil {
				return "", config, err
			}
			if words[0] == "chain" {
				return bootDisk, config, nil
			}
			if strings.HasSuffix(url, "extra.cpio") {
				if config, err = readConfig(body); err != nil {
					return "", config, err
				}
			}
		case "boot":
			return bootAgent, config, nil
		case "sanboot", "exit":
			return bootDisk, config, nil
		}
	}
	return "", config, fmt.Errorf("%w: iPXE script leads nowhere", pool.ErrInvalid)
}

// fetch reads a URL; of the beginning only the first 64 KiB.
func (m *Machine) fetch(ctx context.Context, client *http.Client, url string, beginning bool) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if beginning {
		req.Header.Set("Range", "bytes=0-65535")
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 300 {
		return nil, fmt.Errorf("%w: %s answers %s", pool.ErrUnavailable, url, resp.Status)
	}
	var b bytes.Buffer
	if beginning || strings.Contains(url, "/kit/") {
		_, err = io.Copy(io.Discard, resp.Body)
		return nil, err
	}
	_, err = io.Copy(&b, io.LimitReader(resp.Body, 1<<20))
	return b.Bytes(), err
}

// readConfig finds the agent's configuration in a newc archive (initramfs).
func readConfig(b []byte) (wire.BootConfig, error) {
	var c wire.BootConfig
	for len(b) >= 110 && string(b[:6]) == "070701" {
		field := func(i int) int {
			n, err := strconv.ParseUint(string(b[6+8*i:14+8*i]), 16, 31)
			if err != nil {
				return len(b)
			}
			return int(n)
		}
		size, nameLen := field(6), field(11)
		data := (110 + nameLen + 3) &^ 3
		end := (data + size + 3) &^ 3
		if nameLen < 1 || data+size > len(b) {
			break
		}
		if "/"+string(b[110:110+nameLen-1]) == wire.BootConfigPath {
			if err := json.Unmarshal(b[data:data+size], &c); err != nil {
				return c, fmt.Errorf("%w: boot configuration: %v", pool.ErrInvalid, err)
			}
			return c, nil
		}
		b = b[min(end, len(b)):]
	}
	return c, fmt.Errorf("%w: no boot configuration in the extra initramfs", pool.ErrInvalid)
}

// dhcp gets the machine's lease, as firmware or as iPXE.
func (m *Machine) dhcp(ctx context.Context, ipxe bool) (*dhcpv4.DHCPv4, error) {
	for wait := 4 * time.Second; ; wait = min(2*wait, 16*time.Second) {
		ack, err := m.dora(ctx, ipxe, wait)
		if err == nil {
			m.mu.Lock()
			m.address = addrOf(ack.YourIPAddr)
			m.mu.Unlock()
			return ack, m.local.add(netip.PrefixFrom(addrOf(ack.YourIPAddr), 32))
		}
		if ctx.Err() != nil || !errors.Is(err, errSilence) {
			return nil, err
		}
	}
}

func (m *Machine) dora(ctx context.Context, ipxe bool, wait time.Duration) (*dhcpv4.DHCPv4, error) {
	discover, err := dhcpv4.NewDiscovery(net.HardwareAddr(m.MAC[:]), m.options(ipxe)...)
	if err != nil {
		return nil, err
	}
	offer, err := m.exchange(ctx, discover, dhcpv4.MessageTypeOffer, wait)
	if err != nil {
		return nil, err
	}
	request, err := dhcpv4.NewRequestFromOffer(offer, m.options(ipxe)...)
	if err != nil {
		return nil, err
	}
	return m.exchange(ctx, request, dhcpv4.MessageTypeAck, wait)
}

// options are those of a PXE client (RFC 4578) or of iPXE.
func (m *Machine) options(ipxe bool) []dhcpv4.Modifier {
	arch, class := uint16(0), "PXEClient:Arch:00000:UNDI:002001"
	if m.firmware == pool.UEFI {
		arch, class = 7, "PXEClient:Arch:00007:UNDI:003016"
	}
	o := []dhcpv4.Modifier{dhcpv4.WithBroadcast(true),
		dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.OptionClientSystemArchitectureType, binary.BigEndian.AppendUint16(nil, arch))),
		dhcpv4.WithOption(dhcpv4.OptClassIdentifier(class)),
		dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.OptionClientNetworkInterfaceIdentifier, []byte{1, 3, 16})),
		dhcpv4.WithOption(dhcpv4.OptParameterRequestList(dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionTFTPServerName, dhcpv4.OptionBootfileName))}
	if ipxe {
		o = append(o, dhcpv4.WithOption(dhcpv4.OptUserClass("iPXE")),
			dhcpv4.WithOption(dhcpv4.OptGeneric(dhcpv4.GenericOptionCode(175), []byte{19, 1, 1})))
	}
	return o
}

func addrOf(ip net.IP) netip.Addr {
	a, ok := netip.AddrFromSlice(ip.To4())
	if !ok {
		return netip.IPv4Unspecified()
	}
	return a
}
