package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"appliance/pool"
)

// notDisks are block devices that hold no data of their own, or that are made
// of others.
var notDisks = regexp.MustCompile(`^(loop|ram|zram|dm-|md|sr|fd|nbd|mtdblock|drbd|rbd|bcache|zd)\d|boot\d$|rpmb$|^nvme\d+c\d+n`)

func (in *Inspector) disks(ctx context.Context) []pool.Disk {
	var out []pool.Disk
	same := map[string]int{}
	for _, n := range in.names("/sys/block") {
		b := "/sys/block/" + n + "/"
		size := in.number(b+"size") * 512
		if notDisks.MatchString(n) || size <= 0 || in.read(b+"hidden") == "1" || ctx.Err() != nil {
			continue
		}
		d := pool.Disk{Name: n, Size: uint64(size), Type: in.diskType(n), Model: in.model(n),
			ReadOnly: in.read(b+"ro") == "1", Removable: in.read(b+"removable") == "1"}
		d.Serial, d.ByID = in.identity(n, d)
		same[d.Serial]++
		if in.Look != nil {
			c, err := in.Look(d)
			if err != nil {
				c = append(c, "not readable: "+oneLine(err.Error()))
			}
			d.Content = c
		}
		out = append(out, d)
	}
	// Disks of one serial must not pass for one, and which of them is named
	// must not hang on the order in which the kernel found them.
	for i, d := range out {
		if same[d.Serial] > 1 {
			out[i].Serial += "@" + in.place(d.Name)
		}
	}
	return out
}

func (in *Inspector) diskType(name string) string {
	switch {
	case strings.HasPrefix(name, "nvme"):
		return "nvme"
	case strings.HasPrefix(name, "vd"):
		return "virtio"
	case in.read("/sys/block/"+name+"/queue/rotational") == "0":
		return "ssd"
	}
	return "hdd"
}

func (in *Inspector) model(name string) string {
	d := "/sys/block/" + name + "/device/"
	m := in.read(d + "model")
	if m == "" {
		m = in.read(d + "name") // MMC
	}
	vendor := in.read(d + "vendor")
	if vendor != "" && vendor != "ATA" && !strings.HasPrefix(vendor, "0x") {
		m = vendor + " " + m
	}
	return strings.Join(strings.Fields(m), " ")
}

// identity returns what names the disk for ever, and its name below
// /dev/disk/by-id as udev would give it.
func (in *Inspector) identity(name string, d pool.Disk) (serial, byID string) {
	b := "/sys/block/" + name + "/"
	serial = in.read(b + "serial")
	if serial == "" {
		serial = in.read(b + "device/serial")
	}
	if vpd := in.text(b + "device/vpd_pg80"); serial == "" && len(vpd) > 4 { // SPC-4, section 7.8.15: four bytes of header
		serial = oneLine(strings.TrimSpace(strings.Trim(vpd[4:], "\x00")))
	}
	wwid := in.read(b + "wwid")
	if wwid == "" {
		wwid = in.read(b + "device/wwid")
	}
	wwid = strings.Join(strings.Fields(wwid), "_")
	clean := func(s string) string { return strings.Join(strings.Fields(s), "_") }
	switch {
	case serial != "" && d.Type == "virtio":
		byID = "virtio-" + clean(serial)
	case serial != "" && d.Type == "nvme":
		byID = "nvme-" + clean(d.Model) + "_" + clean(serial)
	case serial != "" && in.read(b+"device/vendor") == "ATA":
		byID = "ata-" + clean(d.Model) + "_" + clean(serial)
	case strings.HasPrefix(wwid, "naa."):
		byID = "wwn-0x" + strings.TrimPrefix(wwid, "naa.")
	case serial != "":
		byID = "scsi-S" + clean(d.Model) + "_" + clean(serial)
	}
	switch {
	case serial != "":
	case wwid != "":
		serial = wwid
	default:
		serial = in.place(name)
	}
	return serial, byID
}

// place names a disk by where it is plugged in.
func (in *Inspector) place(name string) string {
	t, err := filepath.EvalSymlinks(in.path("/sys/block/" + name + "/device"))
	if err != nil {
		return "slot-" + name
	}
	_, after, ok := strings.Cut(t, "/sys/devices/")
	if !ok {
		after = filepath.Base(t)
	}
	return "slot-" + strings.ReplaceAll(after, "/", "-")
}

// lookAtDisk opens the disk read-only and says what is on it.
func lookAtDisk(d pool.Disk) (content []string, err error) {
	f, err := os.Open("/dev/" + d.Name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return Content(f, int64(d.Size))
}

// findDisk returns the one disk with the given serial.
func findDisk(f *pool.Facts, serial string) (pool.Disk, error) {
	d, ok := f.Disk(serial)
	if !ok || serial == "" {
		var have []string
		for _, d := range f.Disks {
			have = append(have, d.Name+"="+d.Serial)
		}
		return pool.Disk{}, fmt.Errorf("%w: disk with serial %q is not in the machine; it has %s", pool.ErrNotFound, serial, strings.Join(have, ", "))
	}
	return d, nil
}
