package dhcp

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"appliance/pool"
)

// EncodeOption returns the bytes of an option's value as pool.DHCPOptions
// writes it. Errors wrap pool.ErrInvalid.
func EncodeOption(text string) ([]byte, error) {
	kind, value, ok := strings.Cut(text, ":")
	bad := func(why string) ([]byte, error) {
		return nil, fmt.Errorf("%w: option value %.60q: %s", pool.ErrInvalid, text, why)
	}
	if !ok {
		return bad(`want its type first, as in "ip:10.0.0.1", "text:…", "u16:1500" or "hex:0a0b"`)
	}
	switch kind {
	case "text":
		if value == "" || len(value) > maxOptionLength {
			return bad("want 1 to 255 bytes")
		}
		return []byte(value), nil
	case "hex":
		b, err := hex.DecodeString(value)
		if err != nil || len(b) > maxOptionLength {
			return bad("want up to 255 bytes in hexadecimal")
		}
		return b, nil
	case "ip":
		var out []byte
		for _, s := range strings.Split(value, ",") {
			a, err := netip.ParseAddr(strings.TrimSpace(s))
			if err != nil {
				return bad("want addresses, with commas between them")
			}
			out = append(out, a.AsSlice()...)
		}
		if len(out) > maxOptionLength {
			return bad("too many addresses")
		}
		return out, nil
	case "u8", "u16", "u32":
		bits, _ := strconv.Atoi(kind[1:]) // one of three
		n, err := strconv.ParseUint(value, 10, bits)
		if err != nil {
			return bad("want a number of " + kind[1:] + " bits")
		}
		return binary.BigEndian.AppendUint32(nil, uint32(n))[4-bits/8:], nil
	}
	return bad("unknown type " + strconv.Quote(kind))
}

// ourOptions are those that the protocol itself needs, or that say who and
// what this server is: configuration cannot set them.
var ourOptions = []uint16{optPad, optWant, optOverload, optType, optServer, optClientID, optRelay, optMark, optEnd}

// rawOption is an option ready to send.
type rawOption struct {
	code byte
	v    []byte
}

// bootCode says whether o is of those that say what to boot. A client that is
// told that by us gets no configured one beside: it would take the two for
// parts of one value (RFC 3396).
func (o rawOption) bootCode() bool {
	switch o.code {
	case optVendor, optClass, optTFTPServer, optBootFile, optUUID, optIPXE:
		return true
	}
	return false
}

// rawOptions encodes IPv4 options, in order of their codes.
func rawOptions(o pool.DHCPOptions) ([]rawOption, error) {
	var out []rawOption
	for _, code := range slices.Sorted(maps.Keys(o)) {
		if code > 254 || slices.Contains(ourOptions, code) {
			return nil, fmt.Errorf("%w: option %d cannot be set", pool.ErrInvalid, code)
		}
		v, err := EncodeOption(o[code])
		if err != nil {
			return nil, fmt.Errorf("option %d: %w", code, err)
		}
		out = append(out, rawOption{byte(code), v})
	}
	return out, nil
}

// merge returns over's options, and those of under that over does not name.
func merge(over, under []rawOption) []rawOption {
	out := slices.Clone(over)
	for _, o := range under {
		if !slices.ContainsFunc(over, func(p rawOption) bool { return p.code == o.code }) {
			out = append(out, o)
		}
	}
	return out
}

// wireOptions writes options one after the other.
func wireOptions(list []rawOption) []byte {
	var p reply
	for _, o := range list {
		p.option(o.code, o.v...)
	}
	return p.b
}

// plainID shows bytes that a client or relay agent sent: as text where they
// are printable ASCII, in hexadecimal after "0x" where not.
func plainID(b []byte) string {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return "0x" + hex.EncodeToString(b)
		}
	}
	return string(b)
}

// rawOption6 is a DHCPv6 option ready to send.
type rawOption6 struct {
	code uint16
	v    []byte
}

// options6 encodes IPv6 options, in order of their codes.
func options6(o pool.DHCPOptions) ([]rawOption6, error) {
	var out []rawOption6
	for _, code := range slices.Sorted(maps.Keys(o)) {
		if code < 15 && code != 7 {
			return nil, fmt.Errorf("%w: option %d cannot be set", pool.ErrInvalid, code)
		}
		v, err := EncodeOption(o[code])
		if err != nil {
			return nil, fmt.Errorf("option %d: %w", code, err)
		}
		out = append(out, rawOption6{code, v})
	}
	return out, nil
}
