package compute

import (
	"context"
	"math"
	"strconv"
	"strings"
	"unicode"

	"appliance/pool"
)

// scriptProbe looks at a host. It reads /proc and /sys and writes nothing.
const scriptProbe = `
echo "os=$(uname -s)"
echo "arch=$(uname -m)"
echo "kernel=$(uname -r)"
echo "host=$(uname -n)"
echo "cpus=$(getconf _NPROCESSORS_ONLN 2>/dev/null || nproc)"
if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ] && command -v systemctl >/dev/null; then echo init=systemd
elif command -v crontab >/dev/null && cat /proc/[0-9]*/comm 2>/dev/null | grep -qxE 'crond?'; then echo init=cron
else echo init=none; fi
sed -n 's/^MemTotal: *\([0-9]*\) kB/memory=\1/p' /proc/meminfo
for d in /sys/block/*; do
	n=${d##*/}
	case $n in loop*|ram*|zram*|dm-*|md*|sr*|fd*|nbd*) continue;; esac
	serial=$(cat "$d/device/serial" 2>/dev/null || cat "$d/serial" 2>/dev/null || :)
	echo "disk=$n|$(cat "$d/size")|$(cat "$d/ro")|$(cat "$d/removable")|$serial|$(cat "$d/queue/rotational" 2>/dev/null || :)"
done
:
`

// probe returns what a host is.
func probe(ctx context.Context, s shell) (*pool.Facts, error) {
	out, err := s.run(ctx, scriptProbe, nil)
	if err != nil {
		return nil, cause(CodeKind, "The host does not tell what it is.", err.Error(), "The appliance needs a Linux host with a POSIX shell.")
	}
	return parseProbe(string(out))
}

// parseProbe reads what scriptProbe printed. The text is the host's word: it
// is bounded and cleaned.
func parseProbe(text string) (*pool.Facts, error) {
	f := &pool.Facts{Disks: []pool.Disk{}, NICs: []pool.NIC{}}
	system, arch := "", ""
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = clean(value)
		switch key {
		case "os":
			system = value
		case "arch":
			arch = value
		case "kernel":
			f.Kernel = value
		case "host":
			f.Hostname = value
		case "init":
			if value == "systemd" || value == "cron" || value == "none" {
				f.Init = value
			}
		case "cpus":
			n, _ := strconv.Atoi(value)
			f.CPU = pool.CPU{Sockets: 1, Cores: min(max(n, 1), 1<<16), Threads: min(max(n, 1), 1<<16)}
		case "memory":
			n, _ := strconv.ParseUint(value, 10, 53)
			f.Memory = n << 10
		case "disk":
			if d, ok := parseDisk(value); ok && len(f.Disks) < 256 {
				f.Disks = append(f.Disks, d)
			}
		}
	}
	switch arch {
	case "x86_64":
		f.Arch = pool.AMD64
	case "aarch64":
		f.Arch = pool.ARM64
	}
	if system != "Linux" || f.Arch == "" {
		return nil, cause(CodeKind, "The host is "+first(system, "of an unknown system")+" on "+first(arch, "an unknown processor")+"; only Linux on amd64 and arm64 can be adopted.",
			"", "Remove it, and add a host of that kind.")
	}
	return f, nil
}

func first(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func parseDisk(text string) (pool.Disk, bool) {
	p := strings.Split(text, "|")
	if len(p) != 6 || p[0] == "" {
		return pool.Disk{}, false
	}
	sectors, err := strconv.ParseUint(p[1], 10, 63)
	if err != nil || sectors == 0 || sectors > math.MaxInt64/512 {
		return pool.Disk{}, false
	}
	kind := "ssd"
	switch {
	case strings.HasPrefix(p[0], "nvme"):
		kind = "nvme"
	case strings.HasPrefix(p[0], "vd"):
		kind = "virtio"
	case p[5] == "1":
		kind = "hdd"
	}
	return pool.Disk{Name: p[0], Size: sectors * 512, ReadOnly: p[2] != "0", Removable: p[3] != "0", Serial: strings.TrimSpace(p[4]), Type: kind}, true
}

// clean keeps the printable of a text, 128 bytes at most.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > 128 {
		text = strings.ToValidUTF8(text[:128], "")
	}
	return text
}
