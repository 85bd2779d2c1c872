package images

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"strings"
	"time"

	"appliance/pool"
)

// OpenTFTP answers names that machines ask TFTP for beside the kit's own: what
// HTTP serves below the same paths, for programs that have no HTTP, and the
// starting points of iPXE and GRUB. An error that wraps fs.ErrNotExist leaves
// the name to the kit.
func (b *Boot) OpenTFTP(ctx context.Context, name string, client netip.AddrPort) (fs.File, error) {
	site := b.Site(client.Addr())
	switch dir, file := path.Split(name); {
	case name == Autoexec:
		return text(AutoexecScript(site)), nil
	case file == "grub.cfg" && !strings.HasPrefix(dir, "boot/"):
		return text(GRUBStart), nil
	case strings.HasPrefix(name, "kit/"):
		return b.Kit.Open(strings.TrimPrefix(name, "kit/"))
	case strings.HasPrefix(dir, "boot/"):
		return b.machineFile(ctx, strings.Trim(strings.TrimPrefix(dir, "boot/"), "/"), file, client.Addr().Unmap())
	}
	return nil, fs.ErrNotExist
}

// machineFile renders one of a machine's files.
func (b *Boot) machineFile(ctx context.Context, dir, file string, client netip.Addr) (fs.File, error) {
	mac, err := pool.ParseMAC(dir)
	if err != nil {
		return nil, fs.ErrNotExist
	}
	file, query, _ := strings.Cut(file, "?")
	site := b.Site(client).over(pool.FilesTFTP)
	switch file {
	case "script.ipxe":
		c := clientOf(strings.TrimPrefix(query, "platform="))
		a, name, err := b.Directory.Boot(ctx, mac, c)
		if err != nil {
			return nil, err
		}
		s, err := Script(a, c, mac, site, name, b.Kernel)
		return b.told(mac, a, client, s, err)
	case "grub.cfg":
		c := pool.Client{Arch: pool.ArchEFIx64, PXE: true}
		if b.IsARM != nil && b.IsARM(mac) {
			c.Arch = pool.ArchEFIARM64
		}
		a, name, err := b.Directory.Boot(ctx, mac, c)
		if err != nil {
			return nil, err
		}
		s, err := GRUB(a, c, mac, name, b.Kernel)
		return b.told(mac, a, client, s, err)
	case "extra.cpio":
		archive, err := b.extraArchive(ctx, mac, client)
		if err != nil {
			return nil, err
		}
		return &memory{Reader: bytes.NewReader(archive), name: file}, nil
	}
	return nil, fs.ErrNotExist
}

func (b *Boot) told(mac pool.MAC, a pool.BootAction, client netip.Addr, script string, err error) (fs.File, error) {
	if err != nil {
		return nil, err
	}
	if a == pool.BootLocal {
		b.saw(pool.BootEvent{At: time.Now(), MAC: mac, Stage: pool.StageLocal, Detail: "told to start its own disk", Address: client})
	}
	return text(script), nil
}

// extraArchive is the machine's own initramfs file, with its boot configuration.
func (b *Boot) extraArchive(ctx context.Context, mac pool.MAC, client netip.Addr) ([]byte, error) {
	config, err := b.Directory.BootConfig(ctx, mac, client)
	if err != nil {
		return nil, fmt.Errorf("make boot configuration: %w", err)
	}
	return Archive([]File{{Name: "etc", Dir: true}, {Name: "etc/appliance", Dir: true},
		{Name: "etc/appliance/boot.json", Mode: 0o600, Data: config}}), nil
}

// TFTPStage is the stage of a boot that a file fetched over TFTP belongs to.
func TFTPStage(name string) pool.BootStage {
	switch base := path.Base(name); {
	case strings.HasPrefix(base, "script.ipxe"), base == "grub.cfg" && strings.HasPrefix(name, "boot/"):
		return pool.StageScript
	case base == "extra.cpio":
		return pool.StageExtra
	default:
		return kitStage(base)
	}
}

func text(s string) fs.File { return &memory{Reader: bytes.NewReader([]byte(s)), name: Autoexec} }

// memory is a read-only file that also seeks, as TFTP's tsize wants.
type memory struct {
	*bytes.Reader
	name string
}

func (m *memory) Close() error               { return nil }
func (m *memory) Stat() (fs.FileInfo, error) { return info{m.name, m.Reader.Size()}, nil }

type info struct {
	name string
	size int64
}

func (i info) Name() string     { return i.name }
func (i info) Size() int64      { return i.size }
func (info) Mode() fs.FileMode  { return 0o444 }
func (info) ModTime() time.Time { return time.Time{} }
func (info) IsDir() bool        { return false }
func (info) Sys() any           { return nil }
