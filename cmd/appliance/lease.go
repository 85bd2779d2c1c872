package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"appliance/api/client"
	"appliance/api/wire"
	"appliance/pool"
)

func (a *app) leaseCmd() *cobra.Command {
	return group("lease", "DHCP leases and reservations", a.leaseListCmd(), a.leaseReleaseCmd(), a.leaseReserveCmd(), a.leaseUnreserveCmd(), a.leaseReservedCmd())
}

func (a *app) leaseListCmd() *cobra.Command {
	var state string
	cmd := &cobra.Command{
		Use: "list", Short: "List the addresses that were offered, leased, or declined",
		Long: "A lease is offered (in memory only), active, expired, or declined: somebody else answered for\n" +
			"the address, and it is not given out for an hour. PORT is where the relay agent says that the box is plugged in.",
		Example: "  appliance lease list\n  appliance lease list --state declined -o json",
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]wire.LeaseView, error) {
				all, err := c.Leases(ctx)
				kept := all[:0]
				for _, l := range all {
					if state == "" || string(l.State) == state {
						kept = append(kept, l)
					}
				}
				return kept, err
			}, showLeases)
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only leases in this `STATE`: offered, active, expired or declined")
	return cmd
}

func showLeases(w io.Writer, all []wire.LeaseView) {
	_, _ = fmt.Fprintln(w, "ADDRESS\tSTATE\tMAC\tMACHINE\tHOSTNAME\tUNTIL\tSUBNET\tPORT")
	for _, l := range all {
		mac := "-"
		if !l.MAC.IsZero() {
			mac = l.MAC.String()
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Address, l.State, mac, dash(l.Machine), dash(l.Hostname),
			l.Expires.Local().Format(time.DateTime), dash(l.Subnet), dash(strings.TrimSpace(l.Remote+" "+l.Circuit)))
	}
}

func (a *app) leaseReleaseCmd() *cobra.Command {
	return &cobra.Command{
		Use: "release ADDRESS", Short: "End a lease, or give a declined address free",
		Long:    "The client is not told: it finds out when it renews. Release what was taken away or moved.",
		Example: "  appliance lease release 10.77.0.104",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			addr, err := netip.ParseAddr(args[0])
			if err != nil {
				return fmt.Errorf("%w: %q is no address", errUsage, args[0])
			}
			return a.tell(cmd, func(ctx context.Context, c *client.Client) error { return c.ReleaseLease(ctx, addr) })
		},
	}
}

// tell calls what has no answer.
func (a *app) tell(cmd *cobra.Command, f func(context.Context, *client.Client) error) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	defer c.Close()
	return f(cmd.Context(), c)
}

func (a *app) leaseReserveCmd() *cobra.Command {
	var r pool.Reservation
	var options []string
	cmd := &cobra.Command{
		Use: "reserve CLIENT ADDRESS", Short: "Keep an address for a client",
		Long: "CLIENT is a MAC, client/HEX (option 61 or a DUID), or circuit/TEXT: whatever is plugged into the\n" +
			"port that the relay agent calls so (option 82), as \"appliance lease list\" shows it.\n" +
			"Options are CODE=TYPE:VALUE with type ip, text, u8, u16, u32 or hex.",
		Example: "  appliance lease reserve 52:54:00:12:34:56 10.77.0.20 --hostname db1\n" +
			"  appliance lease reserve circuit/ge-0/0/7 10.88.0.20 --option 42=ip:10.77.0.1",
		Args: usageArgs(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := clientOf(&r, args[0]); err != nil {
				return err
			}
			addr, err := netip.ParseAddr(args[1])
			if err != nil {
				return fmt.Errorf("%w: %q is no address", errUsage, args[1])
			}
			r.Address = addr
			for _, o := range options {
				code, value, ok := strings.Cut(o, "=")
				n, err := strconv.ParseUint(code, 10, 16)
				if !ok || err != nil {
					return fmt.Errorf("%w: option %q: want CODE=TYPE:VALUE", errUsage, o)
				}
				if r.Options == nil {
					r.Options = pool.DHCPOptions{}
				}
				r.Options[uint16(n)] = value
			}
			return a.tell(cmd, func(ctx context.Context, c *client.Client) error { return c.Reserve(ctx, r) })
		},
	}
	cmd.Flags().StringVar(&r.Hostname, "hostname", "", "`NAME` that the client is told")
	cmd.Flags().StringArrayVar(&options, "option", nil, "`CODE=TYPE:VALUE` that the client is told; may be repeated")
	return cmd
}

// clientOf reads whom a reservation is for.
func clientOf(r *pool.Reservation, text string) error {
	kind, value, ok := strings.Cut(text, "/")
	switch {
	case ok && kind == "client":
		r.ClientID = strings.ToLower(value)
	case ok && kind == "circuit":
		r.Circuit = value
	case ok && kind == "mac":
		text = value
		fallthrough
	default:
		mac, err := pool.ParseMAC(text)
		if err != nil {
			return fmt.Errorf("%w: %q is no MAC, client/HEX or circuit/TEXT", errUsage, text)
		}
		r.MAC = mac
	}
	return nil
}

func (a *app) leaseUnreserveCmd() *cobra.Command {
	return &cobra.Command{
		Use: "unreserve CLIENT", Short: "Remove a reservation that was made with reserve",
		Long:    "Reservations of the configuration file are removed there.",
		Example: "  appliance lease unreserve 52:54:00:12:34:56",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			var r pool.Reservation
			if err := clientOf(&r, args[0]); err != nil {
				return err
			}
			return a.tell(cmd, func(ctx context.Context, c *client.Client) error { return c.Unreserve(ctx, r.Key()) })
		},
	}
}

func (a *app) leaseReservedCmd() *cobra.Command {
	return &cobra.Command{
		Use: "reserved", Short: "List the reservations", Example: "  appliance lease reserved", Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return call(a, cmd, func(ctx context.Context, c *client.Client) ([]pool.Reservation, error) { return c.Reservations(ctx) },
				func(w io.Writer, all []pool.Reservation) {
					_, _ = fmt.Fprintln(w, "CLIENT\tADDRESS\tHOSTNAME\tOPTIONS")
					for _, r := range all {
						_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%d\n", r.Key(), dash(r.Address.String()), dash(r.Hostname), len(r.Options))
					}
				})
		},
	}
}
