package agent

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"

	"appliance/pool"
)

// bmc is what can be asked in-band.
type bmc interface {
	Command(netFn, cmd byte, data ...byte) ([]byte, error)
}

// Network functions and commands (IPMI 2.0, appendix G).
const (
	netFnApp       = 0x06
	netFnTransport = 0x0c

	cmdDeviceID      = 0x01
	cmdSystemGUID    = 0x37
	cmdChannelInfo   = 0x42
	cmdSetUserAccess = 0x43
	cmdGetUserAccess = 0x44
	cmdSetUserName   = 0x45
	cmdGetUserName   = 0x46
	cmdSetPassword   = 0x47
	cmdGetLAN        = 0x02
)

// inspectBMC opens the BMC and reads its facts; nil when there is none.
func inspectBMC() (_ *pool.BMCFacts, err error) {
	d, err := openIPMI()
	if errors.Is(err, pool.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return bmcFacts(d)
}

// bmcFacts reads version, GUID and the first LAN channel with an address.
func bmcFacts(b bmc) (*pool.BMCFacts, error) {
	id, err := b.Command(netFnApp, cmdDeviceID)
	if err != nil {
		return nil, err
	}
	f := &pool.BMCFacts{}
	if len(id) >= 4 {
		f.Version = fmt.Sprintf("%d.%02x", id[2]&0x7f, id[3])
	}
	if guid, err := b.Command(netFnApp, cmdSystemGUID); err == nil && len(guid) >= 16 {
		f.GUID = hex.EncodeToString(guid[:16])
	}
	channel, err := lanChannel(b)
	if err != nil {
		return f, err
	}
	f.Channel = int(channel)
	// Until it is set, or DHCP has answered, it is 0.0.0.0.
	if ip, err := lanParameter(b, channel, 3); err == nil && len(ip) >= 4 && !netip.AddrFrom4([4]byte(ip[:4])).IsUnspecified() {
		f.Address = netip.AddrFrom4([4]byte(ip[:4]))
	}
	if mac, err := lanParameter(b, channel, 5); err == nil && len(mac) >= 6 {
		f.MAC = pool.MAC(mac[:6])
	}
	return f, nil
}

// lanChannel finds the first channel whose medium is 802.3 LAN (section 6.5),
// or, where the BMC does not tell media, the first that has an address.
func lanChannel(b bmc) (byte, error) {
	for c := byte(1); c <= 11; c++ {
		info, err := b.Command(netFnApp, cmdChannelInfo, c)
		if err == nil && len(info) >= 2 && info[1]&0x7f == 4 {
			return c, nil
		}
	}
	for c := byte(1); c <= 11; c++ {
		if ip, err := lanParameter(b, c, 3); err == nil && len(ip) >= 4 {
			return c, nil
		}
	}
	return 0, fmt.Errorf("%w: the BMC has no LAN channel", pool.ErrUnavailable)
}

// lanParameter reads a LAN configuration parameter (section 23.2) without its revision.
func lanParameter(b bmc, channel, parameter byte) ([]byte, error) {
	v, err := b.Command(netFnTransport, cmdGetLAN, channel, parameter, 0, 0)
	if err != nil || len(v) == 0 {
		return nil, err
	}
	return v[1:], nil
}

// makeBMCUser gives the BMC a user of the appliance's own: the slot that has
// the name already, else the first free one from 2 on (section 22.28). It is
// idempotent. The password goes to the BMC and nowhere else.
func makeBMCUser(b bmc, name string, password pool.Secret) (pool.BMCUserResult, error) {
	if name == "" || len(name) > 16 || password.IsZero() || len(password.Reveal()) > 20 {
		return pool.BMCUserResult{}, fmt.Errorf("%w: BMC user: want a name of up to 16 and a password of up to 20 bytes", pool.ErrInvalid)
	}
	facts, err := bmcFacts(b)
	if err != nil {
		return pool.BMCUserResult{}, bmcCause("read the BMC's LAN settings", err)
	}
	channel := byte(facts.Channel)
	slot, err := userSlot(b, channel, name)
	if err != nil {
		return pool.BMCUserResult{}, err
	}
	id := make([]byte, 16)
	copy(id, name)
	secret := make([]byte, 20)
	copy(secret, password.Reveal())
	const with20 = 0x80 // section 22.30: a password of 20 bytes
	for _, c := range []struct {
		what string
		cmd  byte
		data []byte
	}{
		{"set its name", cmdSetUserName, append([]byte{slot}, id...)},
		{"set its password", cmdSetPassword, append([]byte{with20 | slot, 2}, secret...)},
		// Section 22.26: change the bits, IPMI messaging, administrator.
		{"give it access", cmdSetUserAccess, []byte{0x90 | channel, slot, 4, 0}},
		{"enable it", cmdSetPassword, []byte{slot, 1}},
		{"test its password", cmdSetPassword, append([]byte{with20 | slot, 3}, secret...)},
	} {
		if err := userCommand(b, c.cmd, c.data); err != nil {
			return pool.BMCUserResult{}, bmcCause(c.what, err)
		}
	}
	return pool.BMCUserResult{Facts: facts, UserID: int(slot)}, nil
}

// userCommand sends the command. Some BMCs want an empty password even where
// it means nothing (0xc7: wrong length).
func userCommand(b bmc, cmd byte, data []byte) error {
	_, err := b.Command(netFnApp, cmd, data...)
	var c *completionError
	if errors.As(err, &c) && c.code == 0xc7 && cmd == cmdSetPassword && data[1] == 1 {
		_, err = b.Command(netFnApp, cmd, append(data, make([]byte, 16)...)...)
	}
	return err
}

func userSlot(b bmc, channel byte, name string) (byte, error) {
	a, err := b.Command(netFnApp, cmdGetUserAccess, channel, 1)
	if err != nil || len(a) < 4 {
		return 0, bmcCause("count its users", errors.Join(err, errShort(a, 4)))
	}
	slots := a[0] & 0x3f
	var free byte
	for s := byte(2); s <= slots; s++ {
		n, err := b.Command(netFnApp, cmdGetUserName, s)
		var refused *completionError
		if err != nil && !errors.As(err, &refused) {
			return 0, bmcCause("list its users", err)
		}
		// A slot that never had a name answers with an error or with zeros.
		text := string(bytes.TrimRight(n, "\x00 \xff"))
		if err == nil && text == name {
			return s, nil
		}
		if free == 0 && (err == nil && text == "" || err != nil && (refused.code == 0xcc || refused.code == 0xcb)) {
			free = s
		}
	}
	if free == 0 {
		return 0, newCause("bmc.no-slot", fmt.Sprintf("The BMC has no free user slot among its %d.", slots), "",
			"Delete a BMC user that nobody needs, then try again.")
	}
	return free, nil
}

func errShort(b []byte, n int) error {
	if len(b) >= n {
		return nil
	}
	return fmt.Errorf("%w: answer of %d bytes, want %d", pool.ErrUnavailable, len(b), n)
}

func bmcCause(what string, err error) error {
	return newCause("bmc.in-band", "The BMC refused, in-band, to "+what+".", err.Error(),
		"Reset the BMC (cold), or look whether its settings are locked; then try again.")
}
