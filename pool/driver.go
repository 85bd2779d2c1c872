package pool

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// Driver says how a machine was come by, and so how it gets a system, gives
// it back, and is proved to be off. Machines of all drivers are rows of the
// same pool, with the same phases, epochs, agent and steps.
type Driver string

// The drivers. An empty one is metal.
const (
	DriverMetal Driver = "metal" // netboots, is imaged and wiped; its BMC proves that it is off
	DriverSSH   Driver = "ssh"   // a host that already runs: never imaged, never wiped, no proof
	DriverVM    Driver = "vm"    // a virtual machine that the appliance made; libvirt proves that it is off
)

// Drivers lists all drivers.
func Drivers() []Driver { return []Driver{DriverMetal, DriverSSH, DriverVM} }

// Or returns d, and metal for an empty one.
func (d Driver) Or() Driver {
	if d == "" {
		return DriverMetal
	}
	return d
}

// Erases says whether a machine of this driver is wiped between two owners:
// only one whose disks are the appliance's alone.
func (d Driver) Erases() bool { return d.Or() == DriverMetal }

// Wants returns the drivers that t accepts, in order of preference.
func (t Template) Wants() []Driver {
	if len(t.Drivers) == 0 {
		return []Driver{DriverMetal}
	}
	return t.Drivers
}

// Prefers returns the place of d in t's order of preference, from 0, and -1
// when t does not accept it.
func (t Template) Prefers(d Driver) int { return slices.Index(t.Wants(), d.Or()) }

// joinDrivers writes an order of preference: "metal, else vm".
func joinDrivers(list []Driver) string {
	var out []string
	for _, d := range list {
		out = append(out, string(d))
	}
	return strings.Join(out, ", else ")
}

// checkDrivers says what is wrong with an order of preference.
func checkDrivers(t Template) error {
	for i, d := range t.Drivers {
		if !slices.Contains(Drivers(), d) {
			return fmt.Errorf("%w: template %s: driver %q: want metal, ssh or vm", ErrInvalid, t.Name, d)
		}
		if slices.Contains(t.Drivers[:i], d) {
			return fmt.Errorf("%w: template %s: driver %s is named twice", ErrInvalid, t.Name, d)
		}
	}
	return nil
}

// Login is how a host that already runs is reached. Password and key are
// sealed in the store under LoginSecret.
type Login struct {
	Host string `json:"host,omitempty"` // address or name, as it was given; empty for the appliance's own host
	Port int    `json:"port,omitempty"` // 22 when zero
	User string `json:"user,omitempty"`
	// HostKey is pinned at the first contact, as in an authorized_keys file;
	// a host that shows another is not talked to.
	HostKey string `json:"hostKey,omitempty"`
	// Template is the compute template whose node list the host is of; empty
	// for a host that serves all.
	Template string `json:"template,omitempty"`
}

// Local says whether the host is the appliance's own, reached without SSH.
func (l *Login) Local() bool { return l != nil && l.Host == "" }

// Fingerprint returns the SHA-256 fingerprint of the host's pinned key, as
// OpenSSH shows it; empty before the first contact.
func (l Login) Fingerprint() string {
	words := strings.Fields(l.HostKey)
	if len(words) < 2 {
		return ""
	}
	blob, err := base64.StdEncoding.DecodeString(words[1])
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(blob)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// LoginSecret is the name under which a host's credential is sealed.
func LoginSecret(machine string) string { return "login/" + machine }

// HostState is where a running host is, in the words of those who bring their
// own nodes.
type HostState string

// The four pools of hosts.
const (
	HostFree       HostState = "FREE"       // ready
	HostAllocated  HostState = "ALLOCATED"  // an instance has it
	HostInvalid    HostState = "INVALID"    // it could not be reached, logged in to, or cleaned
	HostTerminated HostState = "TERMINATED" // taken out
)

// HostState returns the pool that a host is in. A host that is being checked
// or cleaned is in none: empty.
func (m Machine) HostState() HostState {
	switch m.Phase {
	case Ready:
		return HostFree
	case Reserved, Active:
		return HostAllocated
	case Retired:
		return HostTerminated
	case Discovered, Enrolled:
	}
	if m.Conditions.Is(CondBroken) || m.Conditions.Is(CondHold) {
		return HostInvalid
	}
	return ""
}
