package images

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"

	"appliance/pool"
)

// serveBoot runs b on loopback until the test ends.
func serveBoot(t *testing.T, b *Boot) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0") //nolint:noctx // loopback
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	return l.Addr().String()
}

// TestFront speaks HTTP by hand: scripts from the loop, others from net/http,
// on one connection and as pieces.
func TestFront(t *testing.T) {
	var stamp atomic.Uint64
	stamp.Store(7)
	var scripts atomic.Int64
	b := &Boot{
		Kit: fstest.MapFS{Kernel: {Data: []byte("KERNEL")}}, Directory: directory{pool.BootAgent},
		Site: func(netip.Addr) Site { return site }, Stamp: func(pool.MAC) uint64 { return stamp.Load() },
		Seen: func(e pool.BootEvent) {
			if e.Stage == pool.StageScript {
				scripts.Add(1)
			}
		},
	}
	at := serveBoot(t, b)
	conn, err := net.Dial("tcp4", at) //nolint:noctx // loopback
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	ask := func(pieces ...string) (int, http.Header, string) {
		t.Helper()
		for _, p := range pieces {
			if _, err := conn.Write([]byte(p)); err != nil {
				t.Fatal(err)
			}
		}
		resp, err := http.ReadResponse(r, &http.Request{Method: http.MethodGet})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode, resp.Header, string(body)
	}
	script := "GET /boot/02-00-00-00-00-01/script.ipxe?platform=efi HTTP/1.1\r\nHost: x\r\n\r\n"
	_, _, first := ask(script) // the first is rendered
	for _, pieces := range [][]string{{script}, {script[:20], script[20:]}, {strings.ToUpper(script[:3]) + script[3:]}} {
		_, header, body := ask(pieces...)
		if body != first || header.Get("Date") == "" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("script from the loop: %v %q, want %q", header, body, first)
		}
	}
	if status, _, body := ask("GET /kit/vmlinuz HTTP/1.1\r\nHost: x\r\n\r\n"); status != 200 || body != "KERNEL" {
		t.Errorf("kernel on the same connection = %d, %q", status, body)
	}
	if n := scripts.Load(); n != 4 {
		t.Errorf("%d script events, want 4", n)
	}
	stamp.Store(8) // the state changed: rendered anew
	if b.ready(mac, "efi", netip.MustParseAddr("127.0.0.1")) != nil {
		t.Error("a script of an old state is ready still")
	}
}

// Who asks and takes no answers is dropped in the end.
func TestFrontUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Boot{Directory: directory{pool.BootAgent}, Site: func(netip.Addr) Site { return site }}
		f := &bootFront{boot: b, pass: make(chan net.Conn), done: make(chan struct{})}
		client, server := net.Pipe()
		defer func() { _ = client.Close() }()
		go func() {
			_, _ = client.Write([]byte("GET /boot/02-00-00-00-00-01/script.ipxe HTTP/1.1\r\nHost: x\r\n\r\n"))
		}()
		start := time.Now()
		f.connection(t.Context(), server)
		if took := time.Since(start); took > 2*idleTime {
			t.Errorf("held for %s", took)
		}
	})
}

func TestScriptRequest(t *testing.T) {
	const good = "GET /boot/02-00-00-00-00-01/script.ipxe HTTP/1.1\r\nHost: x\r\n"
	for _, tt := range []struct {
		head string
		ok   bool
	}{
		{good, true},
		{good + "Connection: keep-alive\r\nUser-Agent: iPXE/1.21\r\n", true},
		{strings.Replace(good, "-", ":", 5), true},
		{strings.Replace(good, "script.ipxe", "script.ipxe?platform=efi", 1), true},
		{strings.Replace(good, "script.ipxe", "script.ipxe?platform=x", 1), false},
		{strings.Replace(good, "GET", "HEAD", 1), false},
		{strings.Replace(good, "1.1", "1.0", 1), false},
		{strings.Replace(good, "02-", "0g-", 1), false},
		{strings.Replace(good, "-01/", "-1/", 1), false},
		{strings.Replace(good, "Host: x\r\n", "", 1), false},
		{good + "Connection: close\r\n", false},
		{good + "Content-Length: 5\r\n", false},
		{good + "If-None-Match: x\r\n", false},
		{good + " folded\r\n", false},
		{"", false},
	} {
		if m, _, ok := scriptRequest([]byte(tt.head)); ok != tt.ok || ok && m != mac {
			t.Errorf("scriptRequest(%q) = %s, %t; want %t", tt.head, m, ok, tt.ok)
		}
	}
}

// FuzzScriptRequest: what the loop takes for a request for a script net/http
// does, too, and of the same machine.
func FuzzScriptRequest(f *testing.F) {
	f.Add("/boot/02-00-00-00-00-01/script.ipxe?platform=efi", "Host: x\r\nUser-Agent: iPXE\r\n")
	f.Fuzz(func(t *testing.T, target, headers string) {
		head := "GET " + target + " HTTP/1.1\r\n" + headers
		m, platform, ok := scriptRequest([]byte(head))
		if !ok {
			return
		}
		if strings.Contains(headers, "\r\n\r\n") || !strings.HasSuffix(head, "\r\n") {
			return // the loop cuts heads at the first empty line
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\r\n")))
		if err != nil {
			if strings.ContainsFunc(headers, func(r rune) bool { return r < ' ' && r != '\r' && r != '\n' || r >= 0x7f }) || !wellFormed(headers) {
				return // net/http refuses more headers than a script's answer depends on
			}
			t.Fatalf("%q: net/http says %v", head, err)
		}
		parts := strings.Split(r.URL.Path, "/")
		want, err := pool.ParseMAC(parts[2])
		if err != nil || want != m || r.ContentLength != 0 || r.Close || len(r.TransferEncoding) > 0 {
			t.Fatalf("%q: got %s, net/http %s, %v, %+v", head, m, want, err, r)
		}
		if p := r.URL.Query().Get("platform"); p != platform && p+platform != "pcbios" {
			t.Fatalf("%q: platform %q, net/http %q", head, platform, p)
		}
	})
}

// FuzzKit: whatever a client asks for by Range, If-Range, If-None-Match and
// method, it gets what the file holds there, or is told why not.
func FuzzKit(f *testing.F) {
	dir := f.TempDir()
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16+1)
	kit, err := Unpack(fstest.MapFS{Kernel: {Data: big}, NBPUEFI: {Data: []byte("MZ")}}, dir)
	if err != nil {
		f.Fatal(err)
	}
	h := (&Boot{Kit: kit, Directory: directory{pool.BootAgent}, Site: func(netip.Addr) Site { return site }}).Handler()
	for _, r := range []string{"", "bytes=0-", "bytes=5-9", "bytes=-7", "bytes=0-0,10-12", "bytes=99999999-", "bytes=9-5", "lines=1-2", "bytes=0-1048576"} {
		f.Add("GET", "/kit/vmlinuz", r, "", "")
	}
	f.Add("HEAD", "/kit//snponly.efi", "bytes=0-1", `"x"`, `"x", W/"y"`)
	f.Fuzz(func(t *testing.T, method, target, ranges, ifRange, ifNone string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || method != "GET" && method != "HEAD" {
			return
		}
		r := &http.Request{Method: method, URL: u, Host: "x", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, RemoteAddr: "10.77.0.9:1"}
		for name, v := range map[string]string{"Range": ranges, "If-Range": ifRange, "If-None-Match": ifNone} {
			if v != "" {
				r.Header.Set(name, v)
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(t.Context()))
		name := strings.TrimPrefix(plainPath(u.Path), "/kit/")
		want, err := fs.ReadFile(kit, name)
		switch body := w.Body.Bytes(); {
		case w.Code == http.StatusOK && method == "GET" && err == nil && !bytes.Equal(body, want):
			t.Errorf("%s %q: 200 with %d bytes, want %d", method, target, len(body), len(want))
		case w.Code == http.StatusPartialContent && method == "GET" && !strings.HasPrefix(w.Header().Get("Content-Type"), "multipart/"):
			var a, b, n int
			if _, err := fmt.Sscanf(w.Header().Get("Content-Range"), "bytes %d-%d/%d", &a, &b, &n); err != nil || n != len(want) || a > b || b >= n || !bytes.Equal(body, want[a:b+1]) {
				t.Errorf("%s %q, Range %q: Content-Range %q with %d bytes", method, target, ranges, w.Header().Get("Content-Range"), len(body))
			}
		case method == "HEAD" && len(body) > 0 && w.Code < 300: // net/http takes away those of errors
			t.Errorf("HEAD %q: %d bytes of body", target, len(body))
		case w.Code >= 500:
			t.Errorf("%s %q: %d %s", method, target, w.Code, body)
		}
	})
}

func wellFormed(headers string) bool {
	for _, l := range strings.Split(strings.TrimSuffix(headers, "\r\n"), "\r\n") {
		name, _, ok := strings.Cut(l, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t\"(),/;<=>?@[\\]{}") || strings.EqualFold(name, "host") {
			return false
		}
	}
	return true
}

// TestKitOverHTTP: ranges, HEAD, ETag and types, from files that Unpack wrote.
func TestKitOverHTTP(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // 2 MiB
	dir := t.TempDir()
	kit, err := Unpack(fstest.MapFS{Kernel: {Data: big}, NBPUEFI: {Data: []byte("MZ")}}, dir)
	if err != nil {
		t.Fatal(err)
	}
	events := make(chan pool.BootEvent, 16)
	at := serveBoot(t, &Boot{Kit: kit, Directory: directory{pool.BootAgent}, Site: func(netip.Addr) Site { return site }, Seen: func(e pool.BootEvent) { events <- e }})
	type answer struct {
		StatusCode    int
		Status        string
		Header        http.Header
		ContentLength int64
	}
	do := func(method, name string, header ...string) (answer, []byte) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+at+"/kit/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer{resp.StatusCode, resp.Status, resp.Header, resp.ContentLength}, b
	}
	resp, b := do("GET", Kernel)
	tag := resp.Header.Get("ETag")
	if resp.StatusCode != 200 || !bytes.Equal(b, big) || len(tag) != 66 || resp.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("GET: %s, %d bytes, %v", resp.Status, len(b), resp.Header)
	}
	if e := <-events; e.Stage != pool.StageKernel || e.Bytes != int64(len(big)) || e.Failed {
		t.Errorf("event %+v", e)
	}
	if resp, b = do("HEAD", Kernel); resp.ContentLength != int64(len(big)) || len(b) != 0 || resp.Header.Get("Accept-Ranges") != "bytes" {
		t.Errorf("HEAD: %d, %v", resp.ContentLength, resp.Header)
	}
	if resp, _ = do("GET", Kernel, "If-None-Match", tag); resp.StatusCode != http.StatusNotModified {
		t.Errorf("If-None-Match: %s", resp.Status)
	}
	if resp, b = do("GET", Kernel, "Range", "bytes=16-31", "If-Range", tag); resp.StatusCode != http.StatusPartialContent || string(b) != "0123456789abcdef" {
		t.Errorf("range: %s, %q", resp.Status, b)
	}
	if e := <-events; e.Bytes != 16 || e.Failed {
		t.Errorf("event of a range %+v", e)
	}
	if resp, b = do("GET", Kernel, "Range", "bytes=16-31", "If-Range", `"other"`); resp.StatusCode != 200 || len(b) != len(big) {
		t.Errorf("range of another version: %s, %d bytes", resp.Status, len(b))
	}
	if resp, _ = do("GET", Kernel, "Range", "bytes=99999999-"); resp.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("range past the end: %s", resp.Status)
	}
	if resp, _ = do("GET", NBPUEFI); resp.Header.Get("Content-Type") != "application/efi" {
		t.Errorf("type of an EFI program: %s", resp.Header.Get("Content-Type"))
	}
	// A second start finds the files; another kit's are removed.
	if _, err := Unpack(fstest.MapFS{Initrd: {Data: big}}, dir); err != nil {
		t.Fatal(err)
	}
	again, err := Unpack(fstest.MapFS{Initrd: {Data: big}}, dir)
	if err != nil || len(again.big) != 1 {
		t.Fatalf("Unpack = %v, %v", again.big, err)
	}
	if _, err := again.Open(Kernel); err == nil {
		t.Error("the old kit's kernel is there still")
	}
}

// TestSendfile: net/http sees a socket that can do it, through all wrappers.
func TestSendfile(t *testing.T) {
	var w http.ResponseWriter = &counted{}
	if _, ok := w.(io.ReaderFrom); !ok {
		t.Error("counted has no ReadFrom")
	}
	var c net.Conn = &replayed{}
	if _, ok := c.(io.ReaderFrom); !ok {
		t.Error("replayed has no ReadFrom")
	}
}

func BenchmarkScript(b *testing.B) {
	srv := &Boot{Kit: fstest.MapFS{}, Directory: directory{pool.BootAgent}, Site: func(netip.Addr) Site { return site }, Stamp: func(pool.MAC) uint64 { return 1 }}
	srv.keepScript(mac, "efi", netip.Addr{}, 1, []byte("#!ipxe\n"))
	out := make([]byte, 0, 1024)
	head := []byte("GET /boot/02-00-00-00-00-01/script.ipxe?platform=efi HTTP/1.1\r\nHost: 10.77.0.1:8080\r\nUser-Agent: iPXE\r\n")
	for b.Loop() {
		m, platform, ok := scriptRequest(head)
		if !ok {
			b.Fatal("not a script")
		}
		out = appendScript(out[:0], srv.ready(m, platform, netip.Addr{}), "now")
	}
	_ = fmt.Sprint(len(out))
}

// TestUnpackPacked: what the kit carries packed is served whole, from a file,
// and one that was damaged meanwhile is written anew.
func TestUnpackPacked(t *testing.T) {
	big := bytes.Repeat([]byte("arm64 kernel "), 1<<17)
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	from := fstest.MapFS{KernelARM64 + ".pack": {Data: enc.EncodeAll(big, nil)}, InitrdARM64: {Data: []byte("zst")}}
	dir := t.TempDir()
	sum := sha256.Sum256(big)
	for i, damage := range []bool{false, true, false} {
		if i == 2 { // with a manifest it is the same
			from["manifest.json"] = &fstest.MapFile{Data: fmt.Appendf(nil, `{"files":[{"name":%q,"sha256":"%x"}]}`, KernelARM64, sum)}
		}
		if files, err := filepath.Glob(filepath.Join(dir, "*")); damage && (err != nil || len(files) != 1 || os.WriteFile(files[0], big[1:], 0o600) != nil) {
			t.Fatalf("unpacked to %v, %v", files, err)
		}
		kit, err := Unpack(from, dir)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := fs.ReadFile(kit, KernelARM64); err != nil || !bytes.Equal(got, big) || kit.Sum(KernelARM64) != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: %d bytes, %v, sum %s", KernelARM64, len(got), err, kit.Sum(KernelARM64))
		}
		if got, err := fs.ReadFile(kit, InitrdARM64); err != nil || string(got) != "zst" {
			t.Errorf("%s = %q, %v: it was unpacked", InitrdARM64, got, err)
		}
	}
	lies := fstest.MapFS{InitrdARM64: {Data: big}, "manifest.json": {Data: fmt.Appendf(nil, `{"files":[{"name":%q,"sha256":"%064d"}]}`, InitrdARM64, 1)}}
	if _, err := Unpack(lies, t.TempDir()); err == nil || !strings.Contains(err.Error(), "manifest says") {
		t.Errorf("a kit that is not what its manifest says: %v", err)
	}
	if _, err := Unpack(fstest.MapFS{"x.pack": {Data: []byte("no frame")}}, t.TempDir()); err == nil || !strings.Contains(err.Error(), "x: ") {
		t.Errorf("a damaged kit: %v", err)
	}
}
