package build

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"appliance/images/kit"

	"github.com/klauspost/compress/zstd"
)

// format is raised when the same packages are to give another kit.
const format = "3"

// Options say what kit to build.
type Options struct {
	Agent  string // static x86-64 binary that becomes /init
	ARM64  string // the same for arm64 machines; empty: the kit boots none
	Data   string // the folder to fill: images/kit/data
	Cache  string // keeps packages and the part of the kit that they determine
	Notice string // write the notice about third-party binaries there; empty: no
	Update bool   // ask the mirrors for newer packages
	Log    *slog.Logger
}

// Build fills o.Data with the kit. It takes half a minute the first time, and
// about a second when only the agent changed. Files that stay the same are
// not written again; the manifest is written last.
func Build(ctx context.Context, o Options) (kit.Manifest, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	agent, err := readAgent(o.Agent, elf.EM_X86_64)
	if err != nil {
		return kit.Manifest{}, err
	}
	var agentARM []byte
	if o.ARM64 != "" {
		if agentARM, err = readAgent(o.ARM64, elf.EM_AARCH64); err != nil {
			return kit.Manifest{}, err
		}
	}
	for _, dir := range []string{o.Cache, o.Data} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return kit.Manifest{}, fmt.Errorf("build boot kit: %w", err)
		}
	}
	unlock, err := lock(filepath.Join(o.Cache, ".lock"))
	if err != nil {
		return kit.Manifest{}, fmt.Errorf("build boot kit: %w", err)
	}
	m, err := locked(ctx, o, agent, agentARM)
	if err := errors.Join(err, unlock()); err != nil {
		return kit.Manifest{}, fmt.Errorf("build boot kit: %w", err)
	}
	return m, nil
}

// lock takes the cache for us alone; it waits for another build to end. The
// system gives it back if we die.
func lock(name string) (unlock func() error, err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
	}
	return f.Close, nil
}

// locked is Build with the cache to itself.
func locked(ctx context.Context, o Options, agent, agentARM []byte) (kit.Manifest, error) {
	began := time.Now()
	pins, err := fetch(ctx, o.Cache, o.Update)
	if err != nil {
		return kit.Manifest{}, err
	}
	o.Log.Info("packages ready", "count", len(pins), "after", time.Since(began).Round(time.Millisecond))
	parts := []part{{target: x86(), agent: agent}}
	if agentARM != nil {
		parts = append(parts, part{target: arm(), agent: agentARM})
	}
	for i, p := range parts {
		parts[i].base = filepath.Join(o.Cache, "base-"+baseKey(p.target, pinsOf(pins, p.arch)))
		if _, err := os.Stat(parts[i].base); errors.Is(err, fs.ErrNotExist) {
			if err := makeBase(ctx, o.Cache, parts[i].base, p.target, pinsOf(pins, p.arch)); err != nil {
				return kit.Manifest{}, fmt.Errorf("%s: %w", p.arch, err)
			}
			o.Log.Info("base built", "arch", p.arch, "after", time.Since(began).Round(time.Millisecond))
		} else if err != nil {
			return kit.Manifest{}, err
		}
	}
	m, err := assemble(o.Data, parts)
	if err != nil {
		return kit.Manifest{}, err
	}
	if o.Notice != "" {
		if err := replace(o.Notice, []byte(Notice(m))); err != nil {
			return kit.Manifest{}, fmt.Errorf("write notice: %w", err)
		}
	}
	o.Log.Info("kit ready", "kernel", m.Kernel, "modules", m.Modules, "after", time.Since(began).Round(time.Millisecond))
	return m, nil
}

// baseKey changes with everything that the base is made of.
func baseKey(t target, pins []pinned) string {
	text := []string{format, t.arch, chainConfigOf(t.arch)}
	text = append(append(text, t.modules()...), unnamedFirmware()...)
	for _, p := range pins {
		text = append(text, p.Key(), p.SHA256)
	}
	sum := sha256.Sum256([]byte(strings.Join(text, "\n")))
	return hex.EncodeToString(sum[:])[:16]
}

// readAgent refuses what cannot be the first process of an empty system.
func readAgent(file string, machine elf.Machine) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read agent: %w", err)
	}
	obj, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read agent %s: %w", file, err)
	}
	if obj.Machine != machine {
		return nil, fmt.Errorf("read agent %s: built for %v, want %v", file, obj.Machine, machine)
	}
	for _, p := range obj.Progs {
		if p.Type == elf.PT_INTERP {
			return nil, fmt.Errorf("read agent %s: not a static binary; build it with CGO_ENABLED=0", file)
		}
	}
	return data, nil
}

// compress writes a and packs it into one zstd frame. The kernel unpacks
// frames that follow each other, each an archive of its own.
func compress(a *archive, level zstd.EncoderLevel) ([]byte, error) {
	var raw bytes.Buffer
	if err := a.writeTo(&raw); err != nil {
		return nil, err
	}
	return zstdFrame(raw.Bytes(), level)
}

// zstdFrame packs data into one frame.
func zstdFrame(data []byte, level zstd.EncoderLevel) ([]byte, error) {
	// One goroutine: what comes out must not depend on the number of CPUs.
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20))
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	packed := enc.EncodeAll(data, nil)
	return packed, enc.Close()
}

// A part is one architecture's share of the kit that is assembled.
type part struct {
	target
	base  string // folder that makeBase filled
	agent []byte
}

// assemble puts bases and agents together in data, and takes away what an
// earlier kit had and this one has not.
func assemble(data string, parts []part) (kit.Manifest, error) {
	had, _ := kit.Read(os.DirFS(data)) // none, or damaged: nothing to take away
	var m kit.Manifest
	for i, p := range parts {
		one, err := p.assemble(data)
		if err != nil {
			return m, err
		}
		if i == 0 {
			m = one
			continue
		}
		m.ARM64 = &kit.Part{Kernel: one.Kernel, Agent: one.Agent, Modules: one.Modules, Firmware: one.Firmware, NoFirmware: one.NoFirmware}
		m.Files = append(m.Files, one.Files...)
		for _, x := range one.Packages {
			if !slices.Contains(m.Packages, x) {
				m.Packages = append(m.Packages, x)
			}
		}
	}
	slices.SortFunc(m.Files, func(a, b kit.File) int { return strings.Compare(a.Name, b.Name) })
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	if err := replace(filepath.Join(data, kit.ManifestFile), append(text, '\n')); err != nil {
		return m, err
	}
	return m, removeStale(data, had, m)
}

// assemble writes a part's files into data and describes them.
func (p part) assemble(data string) (m kit.Manifest, err error) {
	text, err := os.ReadFile(filepath.Join(p.base, "base.json"))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("read %s: %w", p.base, err)
	}
	for _, f := range m.Files {
		name, _ := f.Stored()
		content, err := os.ReadFile(filepath.Join(p.base, name))
		if err != nil {
			return m, err
		}
		if err := replace(filepath.Join(data, name), content); err != nil {
			return m, err
		}
	}
	var a archive
	a.add("init", 0o755, p.agent)
	tail, err := compress(&a, zstd.SpeedDefault)
	if err != nil {
		return m, err
	}
	head, err := os.ReadFile(filepath.Join(p.base, baseName))
	if err != nil {
		return m, err
	}
	initrd := append(head, tail...)
	m.Agent = describe("init", p.agent)
	m.Files = append(m.Files, describe(p.initrd, initrd))
	return m, replace(filepath.Join(data, p.initrd), initrd)
}

// removeStale takes the files away that kit had and kit now has not: all that
// lies in the folder goes into the binary.
func removeStale(data string, had, now kit.Manifest) error {
	keep := map[string]bool{}
	for _, f := range now.Files {
		name, _ := f.Stored()
		keep[name] = true
	}
	for _, f := range had.Files {
		name, _ := f.Stored()
		if keep[name] {
			continue
		}
		if err := os.Remove(filepath.Join(data, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func describe(name string, content []byte) kit.File {
	sum := sha256.Sum256(content)
	return kit.File{Name: name, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
}

// replace writes file unless it holds data already.
func replace(file string, data []byte) error {
	old, err := os.ReadFile(file)
	if err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return writeFile(file, data)
}
