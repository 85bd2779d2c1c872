package compute

import (
	"testing"
	"unicode/utf8"

	"appliance/pool"
)

// FuzzParseProbe: whatever a host says of itself is refused or bounded.
func FuzzParseProbe(f *testing.F) {
	f.Add("os=Linux\narch=x86_64\nkernel=6.1\nhost=web\ncpus=4\ninit=systemd\nmemory=2048\ndisk=sda|2048|0|0|S1|1\n")
	f.Add("os=Linux\narch=aarch64\ncpus=99999999999999999999\nmemory=-1\ndisk=|||||\ndisk=sda|18446744073709551615|0|0||0\n")
	f.Add("arch=x86_64\nos=SunOS\n")
	f.Add("os=Linux\narch=x86_64\nhost=\x1b[31m\xff\ninit=\nmemory=9007199254740991\n")
	f.Fuzz(func(t *testing.T, text string) {
		facts, err := parseProbe(text)
		if err != nil {
			return
		}
		if facts.Arch != pool.AMD64 && facts.Arch != pool.ARM64 || len(facts.Disks) > 256 || facts.CPU.Cores < 0 || facts.CPU.Cores > 1<<16 {
			t.Fatalf("facts %+v", facts)
		}
		if facts.Init != "" && facts.Init != "systemd" && facts.Init != "none" {
			t.Fatalf("init %q", facts.Init)
		}
		for _, d := range facts.Disks {
			if d.Name == "" || d.Size == 0 || d.Size%512 != 0 {
				t.Fatalf("disk %+v", d)
			}
		}
		for _, s := range []string{facts.Kernel, facts.Hostname} {
			if len(s) > 128 || !utf8.ValidString(s) {
				t.Fatalf("text %q", s)
			}
		}
	})
}
