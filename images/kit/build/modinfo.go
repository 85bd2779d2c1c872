package build

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"
)

// A module is what a kernel module says of itself in its section .modinfo.
type module struct {
	path     string // below /lib/modules/VERSION, such as kernel/fs/ext4/ext4.ko
	name     string // with underscores
	depends  []string
	aliases  []string
	softdeps []string // as written: "pre: a b post: c"
	firmware []string
}

// parseModule reads the ELF file of a kernel module.
func parseModule(path string, file []byte) (module, error) {
	obj, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		return module{}, fmt.Errorf("read module %s: %w", path, err)
	}
	section := obj.Section(".modinfo")
	if section == nil {
		return module{}, fmt.Errorf("read module %s: no section .modinfo", path)
	}
	info, err := section.Data()
	if err != nil {
		return module{}, fmt.Errorf("read module %s: %w", path, err)
	}
	return parseModinfo(path, info), nil
}

// parseModinfo reads the section .modinfo: KEY=VALUE strings, each ended by a
// zero byte, some padded with more of them.
func parseModinfo(path string, info []byte) module {
	m := module{path: path, name: moduleName(path)}
	for field := range bytes.SplitSeq(info, []byte{0}) {
		key, value, _ := strings.Cut(string(field), "=")
		switch key {
		case "depends":
			for name := range strings.SplitSeq(value, ",") {
				if name != "" {
					m.depends = append(m.depends, underscores(name))
				}
			}
		case "alias":
			m.aliases = append(m.aliases, value)
		case "softdep":
			m.softdeps = append(m.softdeps, value)
		case "firmware":
			m.firmware = append(m.firmware, value)
		}
	}
	return m
}

// moduleName is the name a file is loaded under.
func moduleName(path string) string {
	base := path[strings.LastIndexByte(path, '/')+1:]
	return underscores(strings.TrimSuffix(base, ".ko"))
}

func underscores(name string) string { return strings.ReplaceAll(name, "-", "_") }
