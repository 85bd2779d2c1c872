package debian

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"appliance/images/debian/apt"
	"appliance/pool"
)

const (
	mib         = 1 << 20
	defaultSize = 1400 * mib
	minSize     = 700 * mib
	biosStart   = 1 * mib / sector
	biosSize    = 1 * mib / sector
	espStart    = 2 * mib / sector
	espSize     = 64 * mib / sector
	rootStart   = 66 * mib / sector
)

// Options say what image to build.
type Options struct {
	Out string // the raw image; OUT.status and OUT.json are written beside it
	// WorkDir is where a scratch folder is made and removed; empty is the
	// folder of Out. It needs about 2.5 times the size of the image.
	WorkDir string
	// CacheDir keeps the root file system for the next build; empty is WorkDir.
	CacheDir string
	Size     int64     // bytes; 0 is 1400 MiB
	Packages []string  // besides those of every image
	Arch     pool.Arch // empty: amd64
	// Kernel is "generic" (also if empty: any hardware), "cloud" (small and
	// quick to boot, for virtual machines) or a linux-image package.
	Kernel string
	// Install lets Build install the tools it misses with apt-get.
	Install bool
	Log     *slog.Logger       // nil is silent
	Stage   func(stage string) // told each stage as it begins; may be nil
}

// Info is what OUT.json says about an image.
type Info struct {
	Name     string        `json:"name"`
	Suite    string        `json:"suite"`
	Arch     pool.Arch     `json:"arch"`
	Kernel   string        `json:"kernel"` // the version, as in /lib/modules
	Size     int64         `json:"size"`
	RootPart int           `json:"root_partition"` // number; the last one
	RootAt   int64         `json:"root_offset"`    // bytes
	RootUUID string        `json:"root_uuid"`
	Packages []apt.Package `json:"packages"`
}

// Build builds the image. It must run as root, takes about a minute, and a
// quarter of that when the root file system is cached. Out is replaced only
// by a complete image. ctx ends it; its scratch folder is then removed. What
// a killed build left is removed by the next one of the same Out.
func Build(ctx context.Context, o Options) (info Info, err error) {
	o, p, kernel, err := o.checked()
	if err != nil {
		return Info{}, fmt.Errorf("build image: %w", err)
	}
	if err := p.needTools(ctx, o.Install); err != nil {
		return Info{}, fmt.Errorf("build image: %w", err)
	}
	if err := p.emulate(ctx, o.Install); err != nil {
		return Info{}, fmt.Errorf("build image: %w", err)
	}
	for _, dir := range []string{o.WorkDir, o.CacheDir, filepath.Dir(o.Out)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return Info{}, fmt.Errorf("build image: %w", err)
		}
	}
	scratch := filepath.Join(o.WorkDir, filepath.Base(o.Out)+".work")
	if err := os.MkdirAll(scratch, 0o755); err != nil {
		return Info{}, fmt.Errorf("build image: %w", err)
	}
	unlock, err := lock(scratch)
	if err != nil {
		return Info{}, fmt.Errorf("build image %s: %w", o.Out, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch), unlock()) }()
	if err := empty(scratch); err != nil { // of a build that was killed
		return Info{}, fmt.Errorf("build image: %w", err)
	}
	b := &builder{Options: o, platform: p, scratch: scratch, began: time.Now()}
	if info, err = b.build(ctx, kernel); err != nil {
		return Info{}, fmt.Errorf("build image %s: %w", o.Out, err)
	}
	return info, nil
}

// empty removes all that is in dir.
func empty(dir string) error {
	left, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range left {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// checked fills in the defaults and refuses what cannot work.
func (o Options) checked() (Options, platform, string, error) {
	if o.Out == "" {
		return o, platform{}, "", errors.New("no output file named")
	}
	if os.Geteuid() != 0 {
		return o, platform{}, "", errors.New("needs root, to make files of many owners")
	}
	if o.WorkDir == "" {
		o.WorkDir = filepath.Dir(o.Out)
	}
	if o.CacheDir == "" {
		o.CacheDir = o.WorkDir
	}
	for _, path := range []*string{&o.Out, &o.WorkDir, &o.CacheDir} {
		abs, err := filepath.Abs(*path) // tools run in other folders
		if err != nil {
			return o, platform{}, "", err
		}
		*path = abs
	}
	if o.Size == 0 {
		o.Size = defaultSize
	}
	o.Size -= o.Size % mib
	if o.Size < minSize {
		return o, platform{}, "", fmt.Errorf("size %d is below %d bytes", o.Size, int64(minSize))
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for _, p := range o.Packages {
		if !packageName(p) {
			return o, platform{}, "", fmt.Errorf("%q is not a package name", p)
		}
	}
	p, err := platformOf(o.Arch)
	if err != nil {
		return o, p, "", err
	}
	kernel, err := p.kernelPackage(o.Kernel)
	if err == nil && !packageName(kernel) {
		err = fmt.Errorf("%q is not a package name", kernel)
	}
	return o, p, kernel, err
}

// packageName says whether s is one (Debian Policy section 5.6.7).
func packageName(s string) bool {
	return len(s) > 1 && s[0] != '-' && s[0] != '+' && s[0] != '.' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}

// A builder is one run of Build.
type builder struct {
	Options
	platform platform
	scratch  string
	signed   string // folder of the signed loaders
	began    time.Time
}

func (b *builder) stage(name string) {
	b.Log.Info("image stage", "stage", name, "after", time.Since(b.began).Round(100*time.Millisecond))
	if b.Stage != nil {
		b.Stage(name)
	}
}

func (b *builder) build(ctx context.Context, kernel string) (Info, error) {
	b.stage("root file system")
	tar, key, err := b.platform.rootTar(ctx, b.Options, b.scratch, append(append(basePackages(), kernel), b.Packages...))
	if err != nil {
		return Info{}, err
	}
	b.stage("unpack")
	tree := filepath.Join(b.scratch, "root")
	if err := os.Mkdir(tree, 0o755); err != nil {
		return Info{}, fmt.Errorf("unpack root file system: %w", err)
	}
	if err := tool(ctx, "", nil, "tar", "-C", tree, "--numeric-owner", "-xpf", tar, "--exclude=./dev/*"); err != nil {
		return Info{}, fmt.Errorf("unpack root file system: %w", err)
	}
	root := derived(key, "root")
	if err := finish(tree, b.platform, root); err != nil {
		return Info{}, err
	}
	info, err := describe(tree, b.platform, b.Size, root)
	if err != nil {
		return Info{}, err
	}
	b.stage("boot loader")
	if err := b.loaders(ctx, root); err != nil {
		return Info{}, err
	}
	part := b.Out + ".part"
	b.stage("disk")
	if err := b.disk(ctx, part, tree, key, root); err != nil {
		return Info{}, errors.Join(err, os.RemoveAll(part))
	}
	b.stage("finish")
	return info, b.publish(part, tree, info)
}

// early is the file with earlyConfig.
func (b *builder) early() string { return filepath.Join(b.scratch, "grub.cfg") }

// loaders brings together what the firmware starts: in b.signed for UEFI, in
// the scratch folder for BIOS.
func (b *builder) loaders(ctx context.Context, root guid) (err error) {
	if err := os.WriteFile(b.early(), []byte(earlyConfig(root)), 0o644); err != nil {
		return fmt.Errorf("make boot loader: %w", err)
	}
	if b.signed, err = b.platform.signedLoaders(ctx, b.Options, b.scratch); err != nil {
		return fmt.Errorf("make boot loader: %w", err)
	}
	if !b.platform.bios {
		return nil
	}
	return biosImage(ctx, b.scratch, b.early())
}

// derived is a GUID for what, the same in every build from the same key.
func derived(key, what string) guid {
	h := sha256.Sum256([]byte("appliance " + key + " " + what))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	return guid(fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16]))
}

// disk writes the whole disk to out.
func (b *builder) disk(ctx context.Context, out, tree, key string, root guid) error {
	if err := os.RemoveAll(out); err != nil {
		return fmt.Errorf("write disk: %w", err)
	}
	f, err := os.OpenFile(out, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write disk: %w", err)
	}
	err = b.diskParts(ctx, f, tree, key, root, b.platform.partitions(key, b.Size))
	return errors.Join(err, f.Close())
}

func (b *builder) diskParts(ctx context.Context, f *os.File, tree, key string, root guid, parts []partition) error {
	if err := f.Truncate(b.Size); err != nil {
		return fmt.Errorf("write disk: %w", err)
	}
	// The file system is made in place: mke2fs writes only what it uses.
	err := tool(ctx, "", nil, "mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-L", "root", "-U", string(root), "-m", "1",
		"-O", "^metadata_csum_seed,^orphan_file",
		"-E", "offset="+strconv.Itoa(rootStart*sector)+",root_owner=0:0,lazy_itable_init=1,nodiscard,hash_seed="+string(root),
		"-d", tree, f.Name(), strconv.FormatInt(parts[len(parts)-1].Size*sector/1024, 10)+"k")
	if err != nil {
		return fmt.Errorf("make root file system: %w", err)
	}
	if err := writeGPT(f, b.Size, derived(key, "disk"), parts); err != nil {
		return err
	}
	if b.platform.bios {
		if err := b.bios(f); err != nil {
			return err
		}
	}
	if err := b.esp(ctx, f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write disk: %w", err)
	}
	return nil
}

// bios installs the boot loader for BIOS.
func (b *builder) bios(f *os.File) error {
	boot, err := os.ReadFile(filepath.Join(grubLib, "i386-pc/boot.img"))
	if err != nil {
		return fmt.Errorf("install boot loader: %w", err)
	}
	core, err := os.ReadFile(filepath.Join(b.scratch, "core.img"))
	if err != nil {
		return fmt.Errorf("install boot loader: %w", err)
	}
	return installBIOS(f, boot, core, biosStart, biosSize)
}

// esp makes the EFI system partition and copies it into the disk.
func (b *builder) esp(ctx context.Context, disk io.WriterAt) (err error) {
	img := filepath.Join(b.scratch, "esp.img")
	if err := os.WriteFile(img, nil, 0o644); err != nil {
		return fmt.Errorf("make EFI system partition: %w", err)
	}
	if err := os.Truncate(img, espSize*sector); err != nil {
		return fmt.Errorf("make EFI system partition: %w", err)
	}
	for _, c := range [][]string{
		{"mkfs.vfat", "-F", "32", "-n", "APPLIANCE", "--invariant", img},
		{"mmd", "-i", img, "::/EFI", "::/EFI/BOOT", "::/" + signedPrefix},
		{"mcopy", "-i", img, filepath.Join(b.signed, b.platform.shim()), filepath.Join(b.signed, b.platform.signedGRUB()), "::/EFI/BOOT"},
		{"mcopy", "-i", img, b.early(), "::/" + signedPrefix + "/grub.cfg"},
	} {
		if err := tool(ctx, "", nil, c[0], c[1:]...); err != nil {
			return fmt.Errorf("make EFI system partition: %w", err)
		}
	}
	f, err := os.Open(img)
	if err != nil {
		return fmt.Errorf("make EFI system partition: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return copySparse(disk, f, espStart*sector)
}

// copySparse copies r to w from offset at on and leaves out blocks of zeros:
// w must read as zeros there.
func copySparse(w io.WriterAt, r io.Reader, at int64) error {
	buf, zero := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(r, buf)
		if string(buf[:n]) != string(zero[:n]) {
			if _, err := w.WriteAt(buf[:n], at); err != nil {
				return fmt.Errorf("copy into disk: %w", err)
			}
		}
		at += int64(n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("copy into disk: %w", err)
		}
	}
}

// describe reads from the tree what the image holds.
func describe(tree string, p platform, size int64, root guid) (info Info, err error) {
	f, err := os.Open(filepath.Join(tree, "var/lib/dpkg/status"))
	if err != nil {
		return Info{}, fmt.Errorf("describe image: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	all, err := apt.ParseControl(f)
	if err != nil {
		return Info{}, fmt.Errorf("describe image: %w", err)
	}
	link, err := os.Readlink(filepath.Join(tree, "vmlinuz"))
	if err != nil {
		return Info{}, fmt.Errorf("describe image: %w", err)
	}
	info = Info{Name: "debian-12", Suite: Suite, Arch: p.arch, Size: size, RootPart: len(p.partitions("", size)), RootAt: rootStart * sector, RootUUID: string(root)}
	info.Kernel = strings.TrimPrefix(filepath.Base(link), "vmlinuz-")
	for _, p := range all {
		if p.Installed {
			info.Packages = append(info.Packages, p)
		}
	}
	return info, nil
}

// publish gives the image and what describes it their names, the image last.
func (b *builder) publish(part, tree string, info Info) error {
	status, err := os.ReadFile(filepath.Join(tree, "var/lib/dpkg/status"))
	if err != nil {
		return fmt.Errorf("publish image: %w", err)
	}
	text, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return fmt.Errorf("publish image: %w", err)
	}
	if err := writeFile(b.Out+".status", status); err != nil {
		return fmt.Errorf("publish image: %w", err)
	}
	if err := writeFile(b.Out+".json", append(text, '\n')); err != nil {
		return fmt.Errorf("publish image: %w", err)
	}
	if err := os.Rename(part, b.Out); err != nil {
		return fmt.Errorf("publish image: %w", err)
	}
	return nil
}

// writeFile replaces name by data, durably and at once.
func writeFile(name string, data []byte) error {
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
