package images

import (
	"errors"
	"strings"
	"testing"

	"appliance/pool"
)

func TestScript(t *testing.T) {
	agent, err := Script(pool.BootAgent, pool.Client{IPXE: true}, mac, site, "node-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `#!ipxe
echo appliance: node-1 starts the agent in memory. its disks stay untouched
kernel http://10.77.0.1:8080/kit/vmlinuz initrd=extra.cpio initrd=initrd.zst console=tty0 console=ttyS0,115200 panic=5 BOOTIF=01-02-00-00-00-00-01
initrd --name extra.cpio http://10.77.0.1:8080/boot/02-00-00-00-00-01/extra.cpio
initrd --name initrd.zst http://10.77.0.1:8080/kit/initrd.zst
boot
`
	if agent != want {
		t.Errorf("agent script:\n%s\nwant:\n%s", agent, want)
	}
	for arch, want := range map[int]string{0: "sanboot --no-describe --drive 0x80 || exit", 7: "chain http://10.77.0.1:8080/kit/grub-chain.efi"} {
		local, err := Script(pool.BootLocal, pool.Client{IPXE: true, Arch: arch}, mac, site, "node-1", nil)
		if err != nil || !strings.Contains(local, want) {
			t.Errorf("local script of arch %d: %q, %v; want %q in it", arch, local, err, want)
		}
	}
	if _, err := Script(pool.BootAgent, pool.Client{}, mac, site, "n", []string{"quiet ${net0/mac}"}); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("kernel argument with an expansion: %v, want ErrInvalid", err)
	}
}

// FuzzScript: no name, URL or kernel argument adds a line or a command.
func FuzzScript(f *testing.F) {
	f.Add("node-1", "quiet", "10.77.0.1:8080")
	f.Add("evil\nsanboot", "a\nb", "x\ny")
	f.Add("${net0/mac} || shell", "a;b", "h:1/ ")
	f.Fuzz(func(t *testing.T, name, karg, host string) {
		s := Site{HTTP: "http://" + host}
		for _, a := range []pool.BootAction{pool.BootAgent, pool.BootLocal, pool.BootIgnore} {
			text, err := Script(a, pool.Client{IPXE: true, Arch: 7}, mac, s, name, []string{karg})
			if err != nil {
				if !errors.Is(err, pool.ErrInvalid) {
					t.Fatalf("error %v is not ErrInvalid", err)
				}
				continue
			}
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			want := map[pool.BootAction]int{pool.BootAgent: 6, pool.BootLocal: 3, pool.BootIgnore: 3}[a]
			if len(lines) != want || lines[0] != "#!ipxe" || !strings.HasPrefix(lines[1], "echo ") {
				t.Fatalf("%s script has other lines than it should:\n%s", a, text)
			}
			if strings.ContainsAny(text, "$;&\r") {
				t.Fatalf("%s script has a character that iPXE interprets:\n%s", a, text)
			}
		}
	})
}
