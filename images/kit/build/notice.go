package build

import (
	"fmt"
	"strings"

	"appliance/images/kit"
)

// Notice is the text that names every Debian package whose files the kit
// carries, and how to get its source.
func Notice(m kit.Manifest) string {
	var b strings.Builder
	b.WriteString(`appliance
This product is licensed under the Apache License, Version 2.0 (see LICENSE).

The boot kit inside the binary "appliance" carries unmodified files from the
Debian packages below, and programs made from them (grub-chain.efi is made from
grub-efi-amd64-bin, grub-chain-arm64.efi from grub-efi-arm64-bin). They keep their own licences: the file
/usr/share/doc/PACKAGE/copyright of each package holds the text. A build with
"-tags nokit" carries none of them.

The programs are linked with the Go modules that go.mod names, at the versions
that go.sum pins; each keeps its own licence. Among them, unmodified and under
the Mozilla Public License 2.0: github.com/go-sql-driver/mysql, whose source is
at https://github.com/go-sql-driver/mysql.

`)
	for _, p := range m.Packages {
		fmt.Fprintf(&b, "%s\n", strings.TrimSpace(p.Name+" "+p.Version+" "+p.Arch))
		fmt.Fprintf(&b, "  release   Debian %s, %s\n", p.Suite, p.Component)
		for _, s := range sources(p) {
			fmt.Fprintf(&b, "  source    %s %s\n", s.name, s.version)
			fmt.Fprintf(&b, "  get it    apt-get source %s=%s\n", s.name, s.version)
		}
		if p.SHA256 != "" {
			fmt.Fprintf(&b, "  sha256    %s (the .deb)\n", p.SHA256)
		}
		b.WriteString("\n")
	}
	b.WriteString(`"apt-get source" needs a deb-src line for the release named (suite and
component as above) in the apt sources. Versions that have left the mirrors are
kept by Debian's snapshot archive under the same name and version.
`)
	return b.String()
}

type sourcePackage struct{ name, version string }

// sources are the source package that p was built from and those whose code
// it holds besides: the signed kernel's own source holds only the signatures.
func sources(p kit.Package) []sourcePackage {
	all := []sourcePackage{{p.Source, p.SourceVersion}}
	for item := range strings.SplitSeq(p.BuiltUsing, ",") {
		name, rest, ok := strings.Cut(strings.TrimSpace(item), " ")
		if ok {
			all = append(all, sourcePackage{name, strings.Trim(rest, "(= )")})
		}
	}
	return all
}
