package images

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"appliance/pool"
)

type directory struct{ action pool.BootAction }

func (d directory) Boot(context.Context, pool.MAC, pool.Client) (pool.BootAction, string, error) {
	return d.action, "node-1", nil
}

func (d directory) BootConfig(_ context.Context, m pool.MAC, _ netip.Addr) ([]byte, error) {
	if m != mac {
		return nil, pool.ErrNotFound
	}
	return []byte(`{"server":"https://10.77.0.1:8443"}`), nil
}

func TestBootHandler(t *testing.T) {
	var mu sync.Mutex
	var seen []pool.BootStage
	b := &Boot{
		Kit:       fstest.MapFS{Kernel: {Data: []byte("KERNEL")}, Initrd: {Data: []byte("INITRD")}},
		Directory: directory{pool.BootAgent},
		Site:      func(netip.Addr) Site { return site },
		Seen: func(e pool.BootEvent) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, e.Stage)
		},
	}
	srv := httptest.NewServer(b.Handler())
	defer srv.Close()
	get := func(path string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	for _, tt := range []struct {
		path   string
		status int
		want   string
	}{
		{"/boot/02-00-00-00-00-01/script.ipxe?platform=efi", 200, "kernel http://10.77.0.1:8080/kit/vmlinuz"},
		{"/kit/vmlinuz", 200, "KERNEL"},
		{"/kit/initrd.zst", 200, "INITRD"},
		{"/kit//vmlinuz", 200, "KERNEL"},
		{"/kit/%5Cvmlinuz", 200, "KERNEL"},
		{"/kit/nothing", 404, "not found"},
		{"/kit/..%2f..%2fetc%2fpasswd", 404, ""},
		{"/boot/nonsense/script.ipxe", 404, "no such machine"},
		{"/boot/02-00-00-00-00-02/extra.cpio", 404, "not found"},
		{"/boot/02-00-00-00-00-01/extra.cpio", 200, "etc/appliance/boot.json"},
	} {
		if status, body := get(tt.path); status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("GET %s = %d %.80q, want %d with %q", tt.path, status, body, tt.status, tt.want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []pool.BootStage{pool.StageScript, pool.StageKernel, pool.StageInitrd, pool.StageExtra, pool.StageError} {
		if !strings.Contains(strings.Join(stages(seen), " "), string(want)) {
			t.Errorf("no boot event %s in %v", want, seen)
		}
	}
}

func stages(in []pool.BootStage) []string {
	var out []string
	for _, s := range in {
		out = append(out, string(s))
	}
	return out
}

// TestArchive has GNU cpio, which the kernel's unpacker agrees with, read what we write.
func TestArchive(t *testing.T) {
	cpio, err := exec.LookPath("cpio")
	if err != nil {
		t.Fatal("cpio is missing: make prepare installs it")
	}
	a := Archive([]File{{Name: "etc", Dir: true}, {Name: "etc/odd", Mode: 0o600, Data: []byte("12345")}})
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), cpio, "-i", "-v")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(string(a))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "etc/odd") {
		t.Fatalf("cpio -i: %v: %s", err, out)
	}
}
