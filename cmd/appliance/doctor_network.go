package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"appliance/images"
	"appliance/pool"
)

// doctorTime is how long the doctor listens for answers to each DISCOVER.
const doctorTime = 3 * time.Second

func (a *app) doctorNetworkCmd() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: "network", Short: "Ask the rack's network as a machine does: who answers, and does the path carry a boot",
		Long: "network sends a DISCOVER as a BIOS, a UEFI, an HTTP Boot and a relayed client on each subnet and lists\n" +
			"every server that answers and what with. It fetches the boot program over TFTP and HTTP from this host,\n" +
			"tells how both came through to machines at their last boots, measures the MTU towards machines that\n" +
			"have a lease, and looks at the clock. The appliance should be serving.\n" +
			"No address is taken and nothing is recorded of these clients. It needs root.",
		Example: "  appliance doctor network\n  appliance doctor network --config ./appliance.yaml -o json",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(path)
			if err != nil {
				return err
			}
			addr, err := interfaceAddr(c.Interface, prefixes(c.Subnets, netip.Addr.Is4))
			if err != nil {
				return err
			}
			all, err := examine(cmd.Context(), c, addr)
			if err != nil {
				return err
			}
			all = append(all, a.lastTransfers(cmd.Context(), c)...)
			err = print(a, all, showFindings)
			for _, f := range all {
				if !f.OK {
					return errors.Join(err, fmt.Errorf("%w: something stands in the way of netboot", pool.ErrUnavailable))
				}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&path, "config", first(a.getenv("APPLIANCE_CONFIG"), defaultConfig), "configuration `FILE`")
	return cmd
}

// lastTransfers asks the appliance that serves here.
func (a *app) lastTransfers(ctx context.Context, c config) []finding {
	not := func(err error) []finding {
		return []finding{{Check: "transfers to machines", OK: true, Found: "not known: " + err.Error()}}
	}
	api, err := a.client()
	if err != nil {
		return not(err)
	}
	defer api.Close()
	all, err := checkTransfers(ctx, api, c.Subnets, time.Now())
	if err != nil {
		return not(err)
	}
	return all
}

func showFindings(w io.Writer, all []finding) {
	for _, f := range all {
		mark := "ok"
		if !f.OK {
			mark = "NO"
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", mark, f.Check, f.Found)
		if f.Do != "" {
			_, _ = fmt.Fprintf(w, "\t\t-> %s\n", f.Do)
		}
	}
}

// examine asks the network of a configuration as machines do.
func examine(ctx context.Context, c config, addr netip.Addr) ([]finding, error) {
	p, err := openProber(c.Interface, addr)
	if err != nil {
		return nil, err
	}
	defer p.close()
	var out []finding
	for _, s := range c.Subnets {
		if !s.Prefix.Addr().Is4() {
			continue
		}
		local := s.Prefix.Contains(addr)
		for _, k := range probeKinds() {
			if local == k.relayed {
				continue
			}
			offers, err := p.ask(ctx, k, s.Prefix)
			if err != nil {
				return out, err
			}
			out = append(out, judgeOffers(s, k, addr, offers)...)
		}
	}
	out = append(out, checkMTU(c, p.ifi)...)
	out = append(out, checkTFTP(ctx, addr), checkHTTP(ctx, addr, port(c.Listen.HTTP)), checkClock())
	return append(out, checkPaths(ctx, c)...), nil
}

// judgeOffers says what a client of a kind was offered on a subnet.
func judgeOffers(s pool.Subnet, k probeKind, addr netip.Addr, offers []offered) []finding {
	check := fmt.Sprintf("%s as %s", s.Prefix, k.name)
	var out []finding
	ours := false
	for _, o := range offers {
		f := finding{Check: check, OK: o.server == addr, Found: o.String()}
		if o.server == addr {
			ours = true
			if o.file == "" {
				f.OK, f.Do = false, "the appliance offers no boot file: look whether the subnet has discover: true"
			}
		} else {
			f.Do = "another DHCP server: switch it off on this network, or set the subnet to mode: proxy"
		}
		out = append(out, f)
	}
	if !ours {
		out = append(out, finding{check, false, "the appliance did not answer in " + doctorTime.String(),
			"is it serving (systemctl status appliance)? Does the subnet discover? Another DHCP server keeps it silent, too"})
	}
	return out
}

func checkMTU(_ config, ifi *net.Interface) []finding {
	f := finding{Check: "MTU of " + ifi.Name, OK: ifi.MTU >= 1500, Found: fmt.Sprint(ifi.MTU)}
	if !f.OK {
		f.Do = "TFTP blocks and HTTP segments are made smaller; set it to 1500 if the network takes that"
	}
	return []finding{f}
}

// checkTFTP fetches a boot program as a UEFI machine does.
func checkTFTP(ctx context.Context, addr netip.Addr) finding {
	f := finding{Check: "TFTP " + images.NBPUEFI}
	start := time.Now()
	got, err := fetchTFTP(ctx, netip.AddrPortFrom(addr, 69), images.NBPUEFI)
	if err != nil {
		f.Found, f.Do = err.Error(), "is the appliance serving? Does a firewall on this host block UDP 69 or the ports above 1023?"
		return f
	}
	f.OK = true
	f.Found = fmt.Sprintf("%d bytes in %s, blocks of %d, window %d", got.bytes, time.Since(start).Round(time.Millisecond), got.block, got.window)
	if got.block < 1400 {
		f.Found += " (the path's MTU bounds them)"
	}
	return f
}

// checkHTTP asks for the kernel's size as HTTP Boot does, and compares clocks.
func checkHTTP(ctx context.Context, addr netip.Addr, at uint16) finding {
	f := finding{Check: "HTTP " + images.KitPath(images.Kernel)}
	url := "http://" + netip.AddrPortFrom(addr, at).String() + images.KitPath(images.Kernel)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		f.Found = err.Error()
		return f
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.Found, f.Do = err.Error(), "is the appliance serving? Does a firewall on this host block its HTTP port?"
		return f
	}
	_ = resp.Body.Close() // HEAD has none
	f.OK, f.Found = resp.StatusCode == http.StatusOK, fmt.Sprintf("%s, %s bytes", resp.Status, resp.Header.Get("Content-Length"))
	if !f.OK {
		f.Do = "build the binary with make build: it has no boot kit"
	}
	return f
}

// minClock is before any clock that can be right.
var minClock = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// checkClock asks whether somebody keeps this host's clock: agents do not
// believe certificates of the future.
func checkClock() finding {
	f := finding{Check: "clock", OK: true, Found: time.Now().UTC().Format(time.RFC3339)}
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	switch {
	case time.Now().Before(minClock):
		f.OK, f.Do = false, "set the clock: machines do not believe certificates that are not valid yet"
	case err != nil:
		f.Found += ", the kernel does not say whether it is kept: " + err.Error()
	case state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0:
		f.Found += ", not synchronised; " + "agents bear an hour of difference"
	default:
		f.Found += fmt.Sprintf(", synchronised to %s", (time.Duration(t.Esterror) * time.Microsecond).String())
	}
	return f
}

// maxPinged bounds the machines that the path is measured to.
const maxPinged = 5

// checkPaths measures the MTU towards machines that have a lease and answer.
func checkPaths(ctx context.Context, c config) []finding {
	leases, err := leasesOf(ctx, c)
	if err != nil {
		return []finding{{Check: "path MTU to machines", OK: true, Found: "not measured: " + err.Error()}}
	}
	var out []finding
	for _, l := range leases {
		if len(out) == maxPinged {
			break
		}
		small, err := ping(ctx, l, 64)
		if err != nil || !small {
			continue // it is off, or does not answer
		}
		full, err := ping(ctx, l, 1500)
		f := finding{Check: "path MTU to " + l.String(), OK: err == nil && full, Found: "1500"}
		if !f.OK {
			f.Found = "packets of 1500 bytes do not arrive"
			for _, size := range []int{1492, 1450, 1400, 1280, 576} {
				if ok, err := ping(ctx, l, size); err == nil && ok {
					f.Found += fmt.Sprintf(", %d do", size)
					break
				}
			}
			f.Do = "raise the MTU of the path (tunnels, VLANs in VLANs); until then machines there boot by small TFTP blocks"
		}
		out = append(out, f)
	}
	if len(out) == 0 {
		out = append(out, finding{Check: "path MTU to machines", OK: true, Found: "no machine with a lease answers"})
	}
	return out
}

// leasesOf asks the running appliance who has an address.
func leasesOf(_ context.Context, c config) ([]netip.Addr, error) {
	var out []netip.Addr
	entries, err := neighbours(c.Interface)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		for _, s := range c.Subnets {
			if s.Prefix.Contains(e) && !strings.HasSuffix(e.String(), ".255") {
				out = append(out, e)
				break
			}
		}
	}
	return out, nil
}
