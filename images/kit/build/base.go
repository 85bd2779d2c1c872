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

// makeBase unpacks the packages and writes into dir all of an architecture's
// part of the kit that does not depend on the agent, and base.json. dir
// appears only when it is whole. The caller holds the lock of cache.
func makeBase(ctx context.Context, cache, dir string, t target, pins []pinned) (err error) {
	scratch := filepath.Join(cache, "unpack")
	if err := os.RemoveAll(scratch); err != nil { // of a build that was killed
		return fmt.Errorf("make boot kit: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	tree, out := filepath.Join(scratch, "tree"), filepath.Join(scratch, "out")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("make boot kit: %w", err)
	}
	if err := unpack(ctx, cache, tree, pins); err != nil {
		return err
	}
	m, initrd, err := initramfs(tree, t)
	if err != nil {
		return err
	}
	chain, err := grubChain(ctx, t, tree, scratch)
	if err != nil {
		return err
	}
	files := map[string][]byte{t.chain: chain}
	for name, from := range t.files(m.Kernel) {
		if files[name], err = os.ReadFile(filepath.Join(tree, from)); err != nil {
			return fmt.Errorf("make boot kit: %w", err)
		}
	}
	store := map[string][]byte{baseName: initrd}
	for name, content := range files {
		f := describe(name, content)
		packed, err := pack(content)
		if err != nil {
			return err
		}
		if packed != nil {
			content, f.Packed = packed, int64(len(packed))
		}
		stored, _ := f.Stored()
		store[stored] = content
		m.Files = append(m.Files, f)
	}
	slices.SortFunc(m.Files, func(a, b kit.File) int { return strings.Compare(a.Name, b.Name) })
	for _, p := range pins {
		m.Packages = append(m.Packages, kit.Package{Name: p.Name, Version: p.Version, Arch: p.Arch, Source: p.Source,
			SourceVersion: p.SourceVersion, BuiltUsing: p.BuiltUsing, Suite: p.Suite, Component: p.Component, SHA256: p.SHA256})
	}
	if store["base.json"], err = json.Marshal(m); err != nil {
		return fmt.Errorf("make boot kit: %w", err)
	}
	for name, data := range store {
		if err := writeFile(filepath.Join(out, name), data); err != nil {
			return fmt.Errorf("make boot kit: %w", err)
		}
	}
	if err := os.Rename(out, dir); err != nil {
		return fmt.Errorf("make boot kit: %w", err)
	}
	return nil
}

// unpack unpacks packages of the cache into tree, each checked before.
func unpack(ctx context.Context, cache, tree string, pins []pinned) error {
	for _, p := range pins {
		deb := filepath.Join(cache, p.File())
		if err := apt.Verify(deb, p.Package); err != nil {
			return fmt.Errorf("unpack %s: %w; remove it from the cache", p.Name, err)
		}
		if err := command(ctx, "dpkg-deb", "-x", deb, tree); err != nil {
			return fmt.Errorf("unpack %s: %w", p.Name, err)
		}
	}
	return nil
}

// pack returns content in one zstd frame where that saves a megabyte at least,
// else nil.
func pack(content []byte) ([]byte, error) {
	const worth = 1 << 20
	if len(content) < worth {
		return nil, nil
	}
	packed, err := zstdFrame(content, zstd.SpeedBestCompression)
	if err != nil || len(packed)+worth > len(content) {
		return nil, err
	}
	return packed, nil
}

// initramfs chooses modules and firmware from the unpacked packages and
// returns what it chose, and the compressed archive.
func initramfs(tree string, t target) (kit.Manifest, []byte, error) {
	all, kver, err := readModules(tree)
	if err != nil {
		return kit.Manifest{}, nil, err
	}
	chosen := newSet(all)
	unmatched, err := chosen.choose(t.modules())
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
