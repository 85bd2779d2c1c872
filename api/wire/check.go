package wire

import (
	"fmt"
	"net/netip"
	"regexp"
	"unicode"
	"unicode/utf8"

	"appliance/pool"
)

// Bounds of what an agent may tell: generous for hardware, small for memory.
const (
	maxText     = 256
	maxDisks    = 1024
	maxNICs     = 512
	maxGPUs     = 64
	maxContent  = 64
	maxAddrs    = 64
	maxBootID   = 64
	maxCSR      = 16 << 10
	maxTagCount = 64
)

var hostname = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// CheckHostname says whether text is one label of a host name (RFC 1123,
// section 2.1). The error names field and wraps pool.ErrInvalid.
func CheckHostname(field, text string) error {
	if !hostname.MatchString(text) {
		return fmt.Errorf("%w: %s %.80q: letters, digits and dashes; 63 at most", pool.ErrInvalid, field, text)
	}
	return nil
}

// CheckText refuses control characters, what is not UTF-8, and more than
// limit bytes: such text would reach scripts, logs and terminals. The error
// names field and wraps pool.ErrInvalid.
func CheckText(field, text string, limit int) error {
	switch {
	case len(text) > limit:
		return fmt.Errorf("%w: %s: %d bytes, %d at most", pool.ErrInvalid, field, len(text), limit)
	case !utf8.ValidString(text):
		return fmt.Errorf("%w: %s %.80q: not UTF-8", pool.ErrInvalid, field, text)
	}
	for _, r := range text {
		if unicode.Is(unicode.C, r) { // control, format, private use, surrogate
			return fmt.Errorf("%w: %s %.80q: holds control character %U", pool.ErrInvalid, field, text, r)
		}
	}
	return nil
}

// checker keeps the first error.
type checker struct{ err error }

func (c *checker) text(field, text string) {
	if c.err == nil {
		c.err = CheckText(field, text, maxText)
	}
}

func (c *checker) count(field string, n, limit int) bool {
	if c.err == nil && n > limit {
		c.err = fmt.Errorf("%w: %s: %d of them, %d at most", pool.ErrInvalid, field, n, limit)
	}
	return c.err == nil
}

func (c *checker) refuse(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: "+format, append([]any{pool.ErrInvalid}, args...)...)
	}
}

// Check says what is wrong with h, beside its protocol's version. Errors wrap
// pool.ErrInvalid and name the field.
func (h Hello) Check() error {
	var c checker
	for _, t := range []struct{ field, text string }{
		{"protocol", h.Protocol}, {"version", h.Version}, {"machine", h.Machine}, {"bootId", h.BootID}, {"token", h.Token},
		{"unconfirmed", h.Unconfirmed},
	} {
		c.text(t.field, t.text)
	}
	if h.Mode != pool.InRAM && h.Mode != pool.Installed {
		c.refuse("mode %.40q: want ram or installed", h.Mode)
	}
	if h.BootID == "" || len(h.BootID) > maxBootID {
		c.refuse("bootId: %d bytes, want 1 to %d", len(h.BootID), maxBootID)
	}
	if h.Mode == pool.InRAM && h.MAC.IsZero() {
		c.refuse("mac is missing")
	}
	if len(h.CSR) > maxCSR {
		c.refuse("csr: %d bytes, %d at most", len(h.CSR), maxCSR)
	}
	if h.Epoch < 0 {
		c.refuse("epoch %d is negative", h.Epoch)
	}
	if c.err != nil {
		return c.err
	}
	return CheckFacts(h.Facts)
}

// CheckFacts bounds an inventory and refuses control characters anywhere in
// it: it comes from a machine that nobody vouches for. Nil facts are fine.
// Errors wrap pool.ErrInvalid and name the field.
func CheckFacts(f *pool.Facts) error {
	if f == nil {
		return nil
	}
	var c checker
	for _, t := range []struct{ field, text string }{
		{"uuid", f.UUID}, {"manufacturer", f.Manufacturer}, {"product", f.Product},
		{"serial", f.Serial}, {"arch", string(f.Arch)}, {"firmware", string(f.Firmware)}, {"firmwareName", f.FirmwareName},
		{"tpm", f.TPM}, {"cpu.model", f.CPU.Model}, {"kernel", f.Kernel}, {"init", f.Init}, {"hostname", f.Hostname},
	} {
		c.text("facts."+t.field, t.text)
	}
	if f.CPU.Sockets < 0 || f.CPU.Cores < 0 || f.CPU.Threads < 0 || f.CPU.Threads > 1<<20 {
		c.refuse("facts.cpu: %d sockets, %d cores, %d threads", f.CPU.Sockets, f.CPU.Cores, f.CPU.Threads)
	}
	if c.count("facts.gpus", len(f.GPUs), maxGPUs) {
		for _, g := range f.GPUs {
			c.text("facts.gpus", g)
		}
	}
	c.disks(f.Disks)
	c.nics(f.NICs)
	if f.BMC != nil {
		c.text("facts.bmc.guid", f.BMC.GUID)
		c.text("facts.bmc.version", f.BMC.Version)
		c.address("facts.bmc.address", f.BMC.Address)
	}
	return c.err
}

func (c *checker) disks(disks []pool.Disk) {
	if !c.count("facts.disks", len(disks), maxDisks) {
		return
	}
	seen := map[string]bool{}
	for _, d := range disks {
		for _, t := range []struct{ field, text string }{
			{"name", d.Name}, {"byId", d.ByID}, {"serial", d.Serial}, {"model", d.Model}, {"type", d.Type},
		} {
			c.text("facts.disks."+t.field, t.text)
		}
		if c.count("facts.disks.content", len(d.Content), maxContent) {
			for _, t := range d.Content {
				c.text("facts.disks.content", t)
			}
		}
		// A wipe record is kept by serial: two disks with one would share it.
		if d.Target() && d.Serial == "" {
			c.refuse("facts.disks.serial of %.80q is missing", d.Name)
		}
		if d.Target() && seen[d.Serial] {
			c.refuse("facts.disks.serial %.80q: two disks have it", d.Serial)
		}
		seen[d.Serial] = true
	}
}

func (c *checker) nics(nics []pool.NIC) {
	if !c.count("facts.nics", len(nics), maxNICs) {
		return
	}
	for _, n := range nics {
		for _, t := range []struct{ field, text string }{
			{"name", n.Name}, {"driver", n.Driver}, {"switch", n.Switch}, {"port", n.Port},
		} {
			c.text("facts.nics."+t.field, t.text)
		}
		if n.Speed < 0 {
			c.refuse("facts.nics.speed %d is negative", n.Speed)
		}
		if c.count("facts.nics.addresses", len(n.Addresses), maxAddrs) {
			for _, a := range n.Addresses {
				c.address("facts.nics.addresses", a.Addr())
			}
		}
	}
}

// address bounds the zone: netip takes any text as one.
func (c *checker) address(field string, a netip.Addr) { c.text(field, a.Zone()) }

// CheckTags bounds a machine's tags. Errors wrap pool.ErrInvalid.
func CheckTags(tags []string) error {
	var c checker
	if c.count("tags", len(tags), maxTagCount) {
		for _, t := range tags {
			c.text("tags", t)
		}
	}
	return c.err
}
