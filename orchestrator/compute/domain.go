package compute

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/digitalocean/go-libvirt"

	"appliance/pool"
)

// poolName is the folder of libvirt's that holds the appliance's disks.
const poolName = "appliance"

// DomainUUID returns the UUID of machine's domain: it follows from its ID, so
// that a step that is done twice finds what it made.
func DomainUUID(machine string) libvirt.UUID {
	sum := sha256.Sum256([]byte("appliance domain " + machine))
	var u libvirt.UUID
	copy(u[:], sum[:16])
	u[6], u[8] = u[6]&0x0f|0x50, u[8]&0x3f|0x80 // version 5, RFC 9562
	return u
}

// DomainGUID is DomainUUID as text.
func DomainGUID(machine string) string {
	h := hex.EncodeToString(func() []byte { u := DomainUUID(machine); return u[:] }())
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// DomainMAC returns the address of machine's network card, below QEMU's prefix.
func DomainMAC(machine string) pool.MAC {
	sum := sha256.Sum256([]byte("appliance mac " + machine))
	return pool.MAC{0x52, 0x54, 0x00, sum[0], sum[1], sum[2]}
}

func parseGUID(text string) (u libvirt.UUID, err error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(b) != len(u) {
		return u, fmt.Errorf("%w: domain UUID %q", pool.ErrInvalid, text)
	}
	copy(u[:], b)
	return u, nil
}

// domain is what of libvirt's domain XML the appliance writes.
type domain struct {
	XMLName xml.Name `xml:"domain"`
	Type    string   `xml:"type,attr"`
	Name    string   `xml:"name"`
	UUID    string   `xml:"uuid"`
	Title   string   `xml:"title"`
	Memory  struct {
		Unit string `xml:"unit,attr"`
		N    uint64 `xml:",chardata"`
	} `xml:"memory"`
	VCPU int `xml:"vcpu"`
	OS   struct {
		Type struct {
			Arch    string `xml:"arch,attr"`
			Machine string `xml:"machine,attr"`
			Text    string `xml:",chardata"`
		} `xml:"type"`
		Kernel  string `xml:"kernel,omitempty"`
		Initrd  string `xml:"initrd,omitempty"`
		Cmdline string `xml:"cmdline,omitempty"`
		Boot    *dev   `xml:"boot"`
	} `xml:"os"`
	Features struct {
		ACPI struct{} `xml:"acpi"`
	} `xml:"features"`
	OnPoweroff string `xml:"on_poweroff"`
	OnReboot   string `xml:"on_reboot"`
	OnCrash    string `xml:"on_crash"`
	Devices    struct {
		Disk      diskDevice `xml:"disk"`
		Interface netDevice  `xml:"interface"`
		Serial    typed      `xml:"serial"`
		Console   typed      `xml:"console"`
		RNG       struct {
			Model   string `xml:"model,attr"`
			Backend struct {
				Model string `xml:"model,attr"`
				Text  string `xml:",chardata"`
			} `xml:"backend"`
		} `xml:"rng"`
	} `xml:"devices"`
}

type dev struct {
	Dev string `xml:"dev,attr"`
}

type typed struct {
	Type string `xml:"type,attr"`
}

type volume struct {
	File string `xml:"file,attr"`
}

type target struct {
	Dev string `xml:"dev,attr"`
	Bus string `xml:"bus,attr"`
}

type driver struct {
	Name    string `xml:"name,attr"`
	Type    string `xml:"type,attr"`
	Discard string `xml:"discard,attr"`
}

type diskDevice struct {
	Type   string `xml:"type,attr"`
	Device string `xml:"device,attr"`
	Driver driver `xml:"driver"`
	Source volume `xml:"source"`
	Target target `xml:"target"`
	Serial string `xml:"serial"`
}

type netDevice struct {
	Type string `xml:"type,attr"`
	MAC  struct {
		Address string `xml:"address,attr"`
	} `xml:"mac"`
	Source *netSource `xml:"source"`
	Model  typed      `xml:"model"`
}

type netSource struct {
	Bridge  string `xml:"bridge,attr,omitempty"`
	Network string `xml:"network,attr,omitempty"`
	Dev     string `xml:"dev,attr,omitempty"`
	Mode    string `xml:"mode,attr,omitempty"`
}

// bootLine is the kernel's command line of the agent in RAM, as metal has it.
func bootLine(m pool.MAC) string {
	return "console=tty0 console=ttyS0,115200 panic=5 BOOTIF=01-" + strings.ReplaceAll(m.String(), ":", "-")
}

// describe returns the XML of m's domain: from kernel and initrd when they
// are named, else from its disk.
func (h Hypervisor) describe(m pool.Machine, disk1, kernel, initrd string) (string, error) {
	if m.Facts == nil || len(m.Facts.Disks) == 0 {
		return "", fmt.Errorf("%w: virtual machine %s has no size", pool.ErrInvalid, m.Name)
	}
	d := domain{Type: "qemu", Name: m.ID, UUID: DomainGUID(m.ID), Title: m.Name, VCPU: m.Facts.CPU.Cores,
		OnPoweroff: "destroy", OnReboot: "restart", OnCrash: "destroy"}
	if h.KVM {
		d.Type = "kvm"
	}
	d.Memory.Unit, d.Memory.N = "KiB", m.Facts.Memory>>10
	d.OS.Type.Arch, d.OS.Type.Machine, d.OS.Type.Text = "x86_64", "pc", "hvm"
	if kernel != "" {
		d.OS.Kernel, d.OS.Initrd, d.OS.Cmdline = kernel, initrd, bootLine(m.MAC())
	} else {
		d.OS.Boot = &dev{"hd"}
	}
	d.Devices.Disk = diskDevice{Type: "file", Device: "disk", Driver: driver{"qemu", "qcow2", "unmap"}, Source: volume{disk1},
		Target: target{"vda", "virtio"}, Serial: m.Facts.Disks[0].Serial}
	d.Devices.Interface.MAC.Address, d.Devices.Interface.Model.Type = m.MAC().String(), "virtio"
	switch {
	case h.Bridge != "":
		d.Devices.Interface.Type, d.Devices.Interface.Source = "bridge", &netSource{Bridge: h.Bridge}
	case h.Network != "":
		d.Devices.Interface.Type, d.Devices.Interface.Source = "network", &netSource{Network: h.Network}
	case h.Device != "":
		d.Devices.Interface.Type, d.Devices.Interface.Source = "direct", &netSource{Dev: h.Device, Mode: "bridge"}
	default:
		d.Devices.Interface.Type = "user"
	}
	d.Devices.Serial.Type, d.Devices.Console.Type = "pty", "pty"
	d.Devices.RNG.Model, d.Devices.RNG.Backend.Model, d.Devices.RNG.Backend.Text = "virtio", "random", "/dev/urandom"
	b, err := xml.Marshal(d)
	return string(b), err
}

// storage returns the appliance's folder of disks, made at the first use.
func (c *conn) storage() (libvirt.StoragePool, error) {
	p, err := c.StoragePoolLookupByName(poolName)
	if has(err, libvirt.ErrNoStoragePool) {
		p, err = c.StoragePoolDefineXML("<pool type='dir'><name>"+poolName+"</name><target><path>/var/lib/libvirt/appliance</path></target></pool>", 0)
		if err == nil {
			err = c.StoragePoolBuild(p, 0)
		}
	}
	if err != nil {
		return p, fmt.Errorf("storage pool %s: %w", poolName, err)
	}
	if state, _, _, _, err := c.StoragePoolGetInfo(p); err == nil && state == uint8(libvirt.StoragePoolRunning) {
		return p, nil
	}
	if err := c.StoragePoolCreate(p, 0); err != nil {
		return p, fmt.Errorf("start storage pool %s: %w", poolName, err)
	}
	return p, nil
}

func has(err error, code libvirt.ErrorNumber) bool {
	var e libvirt.Error
	return errors.As(err, &e) && e.Code == uint32(code)
}

// volumeFor returns the path of a volume, which is made when it is not there.
func (c *conn) volumeFor(p libvirt.StoragePool, name, format string, size uint64) (libvirt.StorageVol, string, error) {
	v, err := c.StorageVolLookupByName(p, name)
	if has(err, libvirt.ErrNoStorageVol) {
		v, err = c.StorageVolCreateXML(p, fmt.Sprintf("<volume><name>%s</name><capacity unit='bytes'>%d</capacity><target><format type='%s'/>"+
			"<permissions><mode>0600</mode></permissions></target></volume>", name, size, format), 0)
	}
	if err != nil {
		return v, "", fmt.Errorf("volume %s: %w", name, err)
	}
	path, err := c.StorageVolGetPath(v)
	return v, path, err
}

// put replaces a volume by these bytes.
func (c *conn) put(p libvirt.StoragePool, name string, data []byte) (string, error) {
	if err := c.drop(p, name); err != nil {
		return "", err
	}
	v, path, err := c.volumeFor(p, name, "raw", uint64(len(data)))
	if err == nil {
		err = c.StorageVolUpload(v, bytes.NewReader(data), 0, uint64(len(data)), 0)
	}
	if err != nil {
		return "", fmt.Errorf("upload %s: %w", name, err)
	}
	return path, nil
}

// drop deletes a volume, if it is there.
func (c *conn) drop(p libvirt.StoragePool, name string) error {
	v, err := c.StorageVolLookupByName(p, name)
	if has(err, libvirt.ErrNoStorageVol) {
		return nil
	}
	if err == nil {
		err = c.StorageVolDelete(v, 0)
	}
	if err != nil {
		return fmt.Errorf("delete volume %s: %w", name, err)
	}
	return nil
}

// define makes m's domain anew, with an empty disk, and starts the agent in
// its RAM. What an earlier try left is removed first.
func (c *conn) define(m pool.Machine, kernel, initrd []byte) error {
	if err := c.undefine(m, false); err != nil {
		return err
	}
	p, err := c.storage()
	if err != nil {
		return err
	}
	_, disk, err := c.volumeFor(p, m.ID+".qcow2", "qcow2", m.Facts.Disks[0].Size)
	if err != nil {
		return err
	}
	k, err := c.put(p, m.ID+".kernel", kernel)
	if err != nil {
		return err
	}
	i, err := c.put(p, m.ID+".initrd", initrd)
	if err != nil {
		return err
	}
	text, err := c.host.describe(m, disk, k, i)
	if err != nil {
		return err
	}
	d, err := c.DomainDefineXMLFlags(text, 0)
	if err != nil {
		return fmt.Errorf("define domain %s: %w", m.ID, err)
	}
	if _, err := c.DomainCreateWithFlags(d, 0); err != nil {
		return fmt.Errorf("start domain %s: %w", m.ID, err)
	}
	return nil
}

// start ends the agent in m's RAM and starts what was written to its disk.
// One that was started so already is left alone.
func (c *conn) start(m pool.Machine) error {
	d, err := c.DomainLookupByUUID(DomainUUID(m.ID))
	if err != nil {
		return fmt.Errorf("look up domain %s: %w", m.ID, err)
	}
	text, err := c.DomainGetXMLDesc(d, 0) // of what runs, else of what is defined
	if err != nil {
		return fmt.Errorf("read domain %s: %w", m.ID, err)
	}
	if strings.Contains(text, "<kernel>") {
		if err := c.off(d); err != nil {
			return err
		}
		p, err := c.storage()
		if err != nil {
			return err
		}
		_, disk, err := c.volumeFor(p, m.ID+".qcow2", "qcow2", m.Facts.Disks[0].Size)
		if err != nil {
			return err
		}
		if text, err = c.host.describe(m, disk, "", ""); err != nil {
			return err
		}
		if d, err = c.DomainDefineXMLFlags(text, 0); err != nil {
			return fmt.Errorf("define domain %s: %w", m.ID, err)
		}
		// The one-time token is in there.
		if err := errors.Join(c.drop(p, m.ID+".initrd"), c.drop(p, m.ID+".kernel")); err != nil {
			return err
		}
	}
	return c.on(d)
}

// undefine removes m's domain, and its disk unless keep says otherwise. What
// is gone already is no error.
func (c *conn) undefine(m pool.Machine, keep bool) error {
	d, err := c.DomainLookupByUUID(DomainUUID(m.ID))
	switch {
	case err == nil:
		if err := c.off(d); err != nil {
			return err
		}
		if err := c.DomainUndefineFlags(d, 0); err != nil {
			return fmt.Errorf("undefine domain %s: %w", m.ID, err)
		}
	case !libvirt.IsNotFound(err):
		return fmt.Errorf("look up domain %s: %w", m.ID, err)
	}
	p, err := c.storage()
	if err != nil {
		return err
	}
	err = errors.Join(c.drop(p, m.ID+".kernel"), c.drop(p, m.ID+".initrd"))
	if keep {
		return err
	}
	return errors.Join(err, c.drop(p, m.ID+".qcow2"))
}

func (c *conn) running(d libvirt.Domain) (bool, error) {
	state, _, err := c.DomainGetState(d, 0)
	if err != nil {
		return false, fmt.Errorf("state of domain %s: %w", d.Name, err)
	}
	off := []libvirt.DomainState{libvirt.DomainShutoff, libvirt.DomainCrashed, libvirt.DomainNostate}
	return !slices.Contains(off, libvirt.DomainState(state)), nil
}

func (c *conn) off(d libvirt.Domain) error {
	if on, err := c.running(d); err != nil || !on {
		return err
	}
	if err := c.DomainDestroyFlags(d, 0); err != nil && !has(err, libvirt.ErrOperationInvalid) { // it went off by itself
		return fmt.Errorf("switch off domain %s: %w", d.Name, err)
	}
	return nil
}

func (c *conn) on(d libvirt.Domain) error {
	if on, err := c.running(d); err != nil || on {
		return err
	}
	if _, err := c.DomainCreateWithFlags(d, 0); err != nil {
		return fmt.Errorf("start domain %s: %w", d.Name, err)
	}
	return nil
}

// power says whether the domain with that UUID runs.
func (c *conn) power(guid string) (pool.Power, error) {
	u, err := parseGUID(guid)
	if err != nil {
		return pool.PowerUnknown, err
	}
	d, err := c.DomainLookupByUUID(u)
	if libvirt.IsNotFound(err) {
		return pool.PowerOff, nil
	}
	if err != nil {
		return pool.PowerUnknown, &powerError{"bmc.unreachable", err}
	}
	on, err := c.running(d)
	switch {
	case err != nil:
		return pool.PowerUnknown, &powerError{"bmc.unreachable", err}
	case on:
		return pool.PowerOn, nil
	}
	return pool.PowerOff, nil
}

func (c *conn) switchTo(guid string, a pool.PowerAction) error {
	u, err := parseGUID(guid)
	if err != nil {
		return err
	}
	d, err := c.DomainLookupByUUID(u)
	if libvirt.IsNotFound(err) && (a == pool.DoPowerOff || a == pool.DoPowerSoft) {
		return nil
	}
	if err != nil {
		return err
	}
	switch a {
	case pool.DoPowerOn:
		return c.on(d)
	case pool.DoPowerOff:
		return c.off(d)
	case pool.DoPowerSoft:
		if on, err := c.running(d); err != nil || !on {
			return err
		}
		return c.DomainShutdownFlags(d, 0)
	case pool.DoPowerCycle, pool.DoPowerReset:
		return errors.Join(c.off(d), c.on(d))
	}
	return fmt.Errorf("%w: power action %q", pool.ErrInvalid, a)
}
