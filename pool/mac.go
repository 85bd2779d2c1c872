package pool

import (
	"fmt"
	"net"
)

// MAC is an Ethernet (EUI-48) address. It is comparable and its zero value
// means "none".
type MAC [6]byte

// ParseMAC reads the forms that net.ParseMAC reads, 48 bits only. Errors wrap
// ErrInvalid. The zero and the group addresses are refused: no interface has
// one.
func ParseMAC(s string) (MAC, error) {
	hw, err := net.ParseMAC(s)
	if err != nil || len(hw) != 6 {
		return MAC{}, fmt.Errorf("%w: parse MAC %q: want six bytes such as 52:54:00:12:34:56", ErrInvalid, s)
	}
	m := MAC(hw)
	if m.IsZero() || m[0]&1 == 1 {
		return MAC{}, fmt.Errorf("%w: parse MAC %q: not the address of an interface", ErrInvalid, s)
	}
	return m, nil
}

// String returns the canonical form: lower case, colons.
func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }

// IsZero says whether m is no address at all.
func (m MAC) IsZero() bool { return m == MAC{} }

// MarshalText returns String, and nothing for the zero value.
func (m MAC) MarshalText() ([]byte, error) {
	if m.IsZero() {
		return nil, nil
	}
	return []byte(m.String()), nil
}

// UnmarshalText is ParseMAC, where an empty text is the zero value.
func (m *MAC) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*m = MAC{}
		return nil
	}
	v, err := ParseMAC(string(b))
	if err != nil {
		return err
	}
	*m = v
	return nil
}
