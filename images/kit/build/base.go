package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"appliance/images/debian/apt"
	"appliance/images/kit"

	"github.com/klauspost/compress/zstd"
)

// baseName is the part of the initramfs that does not change with the agent.
const baseName = "base.cpio.zst"

// makeBase unpacks the packages and writes into dir all of the kit that does
// not depend on the agent, and base.json. dir appears only when it is whole.
// The caller holds the lock of cache.
func makeBase(ctx context.Context, cache, dir string, pins []pinned) (err error) {
	scratch := filepath.Join(cache, "unpack")
	if err := os.RemoveAll(scratch); err != nil { // of a build that was killed
		return fmt.Errorf("make boot kit: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	tree, out := filepath.Join(scratch, "tree"), filepath.Join(scratch, "out")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("make boot kit: %w", err)
	}
	for _, p := range pins {
		deb := filepath.Join(cache, p.File())
		if err := apt.Verify(deb, p.Package); err != nil {
			return fmt.Errorf("unpack %s: %w; remove it from the cache", p.Name, err)
		}
		if err := command(ctx, "dpkg-deb", "-x", deb, tree); err != nil {
			return fmt.Errorf("unpack %s: %w", p.Name, err)
		}
	}
	m, initrd, err := initramfs(tree)
	if err != nil {
		return err
	}
	files := map[string][]byte{baseName: initrd}
	if files[kit.GRUBChainEFI], err = grubChain(ctx, tree, scratch); err != nil {
		return err
	}
	for name, from := range map[string]string{
		kit.UndionlyKPXE: "usr/lib/ipxe/undionly.kpxe", kit.IPXEEFI: "usr/lib/ipxe/ipxe-amd64.efi",
		kit.SNPOnlyEFI: "usr/lib/ipxe/snponly.efi",
		kit.ShimEFI:    "usr/lib/shim/shimx64.efi.signed",
		kit.GRUBNetEFI: "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
		kit.Vmlinuz:    "boot/vmlinuz-" + m.Kernel,
	} {
		if files[name], err = os.ReadFile(filepath.Join(tree, from)); err != nil {
			return fmt.Errorf("make boot kit: %w", err)
		}
	}
	for _, p := range pins {
		m.Packages = append(m.Packages, kit.Package{Name: p.Name, Version: p.Version, Source: p.Source,
			SourceVersion: p.SourceVersion, BuiltUsing: p.BuiltUsing, Suite: p.Suite, Component: p.Component, SHA256: p.SHA256})
	}
	if files["base.json"], err = json.Marshal(m); err != nil {
		return fmt.Errorf("make boot kit: %w", err)
	}
	for name, data := range files {
		if err := writeFile(filepath.Join(out, name), data); err != nil {
			return fmt.Errorf("make boot kit: %w", err)
		}
	}
	if err := os.Rename(out, dir); err != nil {
		return fmt.Errorf("make boot kit: %w", err)
	}
	return nil
}

// initramfs chooses modules and firmware from the unpacked packages and
// returns what it chose, and the compressed archive.
func initramfs(tree string) (kit.Manifest, []byte, error) {
	all, kver, err := readModules(tree)
	if err != nil {
		return kit.Manifest{}, nil, err
	}
	chosen := newSet(all)
	unmatched, err := chosen.choose(wanted())
	if err != nil {
		return kit.Manifest{}, nil, err
	}
	lib := "lib/modules/" + kver + "/"
	order, err := readLines(filepath.Join(tree, lib+"modules.order"))
	if err != nil {
		return kit.Manifest{}, nil, err
	}
	builtin, err := readLines(filepath.Join(tree, lib+"modules.builtin"))
	if err != nil {
		return kit.Manifest{}, nil, err
	}
	unmatched = slices.DeleteFunc(unmatched, func(p string) bool { return slices.Contains(builtin, p) })
	if len(unmatched) > 0 {
		return kit.Manifest{}, nil, fmt.Errorf("choose modules: kernel %s has nothing like %s", kver, strings.Join(unmatched, ", "))
	}
	var a archive
	for _, dir := range []string{"proc", "sys", "dev", "run", "etc", "mnt", "tmp", "root", "var"} {
		a.dir(dir)
	}
	a.char("dev/console", 0o600, 5, 1)
	a.char("dev/null", 0o666, 1, 3)
	for _, m := range chosen.modules(order) {
		data, err := os.ReadFile(filepath.Join(tree, lib+m.path))
		if err != nil {
			return kit.Manifest{}, nil, fmt.Errorf("read module: %w", err)
		}
		a.add(lib+m.path, 0o644, data)
	}
	for name, data := range chosen.indexes(order) {
		a.add(lib+name, 0o644, data)
	}
	a.add(lib+"modules.builtin", 0o644, []byte(strings.Join(builtin, "\n")+"\n"))
	m := kit.Manifest{Kernel: kver, Modules: len(chosen.chosen)}
	if err := addFirmware(&a, tree, append(chosen.firmware(), unnamedFirmware()...), &m); err != nil {
		return kit.Manifest{}, nil, err
	}
	data, err := compress(&a, zstd.SpeedBestCompression)
	return m, data, err
}

// readModules reads every module of the one kernel below tree.
func readModules(tree string) (all []module, kver string, err error) {
	dirs, err := filepath.Glob(filepath.Join(tree, "lib/modules/*"))
	if err != nil || len(dirs) != 1 {
		return nil, "", fmt.Errorf("find kernel: %d folders in lib/modules, want 1", len(dirs))
	}
	err = fs.WalkDir(os.DirFS(dirs[0]), "kernel", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".ko") {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dirs[0], name))
		if err != nil {
			return err
		}
		m, err := parseModule(name, data)
		if err != nil {
			return err
		}
		all = append(all, m)
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("read modules: %w", err)
	}
	return all, filepath.Base(dirs[0]), nil
}

func readLines(file string) ([]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read list: %w", err)
	}
	return strings.Fields(string(data)), nil
}

// addFirmware adds the named files of lib/firmware as far as tree has them. A
// link is followed: the kernel is given the file under the name it asks for.
func addFirmware(a *archive, tree string, names []string, m *kit.Manifest) error {
	root, err := os.OpenRoot(filepath.Join(tree, "lib/firmware"))
	if err != nil {
		return fmt.Errorf("read firmware: %w", err)
	}
	for _, name := range names {
		matches := []string{name}
		if strings.ContainsAny(name, "*?[") {
			if matches, err = fs.Glob(root.FS(), name); err != nil {
				return errors.Join(fmt.Errorf("read firmware %s: %w", name, err), root.Close())
			}
		}
		found := false
		for _, match := range matches {
			data, err := root.ReadFile(match)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return errors.Join(fmt.Errorf("read firmware: %w", err), root.Close())
			}
			found = true
			a.add(path.Join("lib/firmware", match), 0o644, data)
			m.Firmware = append(m.Firmware, match)
		}
		if !found {
			m.NoFirmware = append(m.NoFirmware, name)
		}
	}
	return root.Close()
}
