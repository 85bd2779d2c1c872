package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"appliance/images/debian/apt"
)

// A pinned package is one the kit is made of, at the version the cache keeps.
type pinned struct {
	apt.Package
	Suite     string `json:"suite"`
	Component string `json:"component"`
}

// A release is what is taken from one Debian release for one architecture.
type release struct {
	suite      string
	arch       string
	components []string
	packages   []string
}

func releases() []release {
	return []release{
		{"bookworm", amd64, []string{"main", "non-free-firmware"}, []string{
			"linux-image-amd64", "grub-efi-amd64-bin", "shim-signed", "grub-efi-amd64-signed",
			"firmware-bnx2", "firmware-bnx2x", "firmware-cavium", "firmware-misc-nonfree",
			"firmware-netxen", "firmware-qlogic", "firmware-realtek",
		}},
		{"bookworm", arm64, []string{"main"}, []string{
			"linux-image-arm64", "grub-efi-arm64-bin", "shim-signed", "grub-efi-arm64-signed",
		}},
		{"trixie", amd64, []string{"main"}, []string{"ipxe"}}, // for every architecture
	}
}

// Debian's names of the architectures that the kit boots.
const (
	amd64 = "amd64"
	arm64 = "arm64"
)

// isKernel says whether a package is one that depends on the kernel's real package.
func isKernel(name string) bool { return name == "linux-image-amd64" || name == "linux-image-arm64" }

// fetch returns the packages of the kit, all of them in dir as their File
// says. What dir/packages.json pins is used again unless update is set.
func fetch(ctx context.Context, dir string, update bool) ([]pinned, error) {
	lock := filepath.Join(dir, "packages.json")
	if !update {
		pins, err := readPins(lock)
		if err == nil && complete(dir, pins) {
			return pins, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	mirror, err := apt.HostMirror(ctx)
	if err != nil {
		return nil, err
	}
	var pins []pinned
	for _, r := range releases() {
		got, err := fetchRelease(ctx, dir, mirror, r)
		if err != nil {
			return nil, fmt.Errorf("fetch packages of %s: %w", r.suite, err)
		}
		pins = append(pins, got...)
	}
	text, err := json.MarshalIndent(pins, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("pin packages: %w", err)
	}
	if err := writeFile(lock, append(text, '\n')); err != nil {
		return nil, fmt.Errorf("pin packages: %w", err)
	}
	return pins, nil
}

func fetchRelease(ctx context.Context, dir string, mirror apt.Mirror, r release) ([]pinned, error) {
	lists := "apt-" + r.suite
	if r.arch != amd64 {
		lists += "-" + r.arch
	}
	state, err := apt.OpenArch(ctx, filepath.Join(dir, lists), "", r.arch, mirror.Repos(r.suite, r.components...))
	if err != nil {
		return nil, err
	}
	found, err := state.Show(ctx, r.packages...)
	if err != nil {
		return nil, err
	}
	for i, p := range found {
		if !isKernel(p.Name) {
			continue
		}
		name, _, _ := strings.Cut(p.Depends, " ")
		real, err := state.Show(ctx, strings.TrimSuffix(name, ","))
		if err != nil {
			return nil, err
		}
		found[i] = real[0]
	}
	if _, err := state.Download(ctx, dir, found); err != nil {
		return nil, err
	}
	var pins []pinned
	for _, p := range found {
		component := "main"
		if strings.HasPrefix(p.Filename, "pool/non-free-firmware/") {
			component = "non-free-firmware"
		}
		p.Stanza = ""
		pins = append(pins, pinned{Package: p, Suite: r.suite, Component: component})
	}
	return pins, nil
}

func readPins(lock string) ([]pinned, error) {
	data, err := os.ReadFile(lock)
	if err != nil {
		return nil, fmt.Errorf("read pinned packages: %w", err)
	}
	var pins []pinned
	if err := json.Unmarshal(data, &pins); err != nil {
		return nil, fmt.Errorf("read pinned packages: %s: %w", lock, err)
	}
	return pins, nil
}

// complete says whether pins are the packages that are wanted today, and all
// there. Their content is checked when it is unpacked.
func complete(dir string, pins []pinned) bool {
	have := map[string]bool{}
	for _, p := range pins {
		info, err := os.Stat(filepath.Join(dir, p.File()))
		if err != nil || info.Size() != p.Size {
			return false
		}
		if strings.HasPrefix(p.Name, "linux-image-") {
			have["linux-image-"+p.Arch+":"+p.Arch] = true
		}
		have[p.Name+":"+p.Arch] = true
	}
	for _, r := range releases() {
		for _, name := range r.packages {
			if !have[name+":"+r.arch] && !have[name+":all"] {
				return false
			}
		}
	}
	return true
}

// pinsOf are the packages that an architecture's part of the kit is made of.
func pinsOf(pins []pinned, arch string) []pinned {
	var out []pinned
	for _, p := range pins {
		if p.Arch == arch || p.Arch == "all" {
			out = append(out, p)
		}
	}
	return out
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
