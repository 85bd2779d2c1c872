package images

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"appliance/pool"
)

// TestBigFile: a file that is sent by a thread of its own arrives whole, in
// part and in turns; and a client that takes nothing does not keep the server
// from ending.
func TestBigFile(t *testing.T) {
	dir, data := t.TempDir(), make([]byte, 24<<20+5)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data) // never fails
	if err := os.WriteFile(filepath.Join(dir, "big.img"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	var stuck net.Conn
	t.Cleanup(func() { _ = stuck.Close() }) // once the server has ended
	b := &Boot{Kit: os.DirFS(dir), Directory: directory{pool.BootAgent}, Site: func(netip.Addr) Site { return site }}
	at := serveBoot(t, b)
	get := func(span string, want []byte) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at+"/kit/big.img", nil)
		if err != nil {
			t.Fatal(err)
		}
		if span != "" {
			r.Header.Set("Range", "bytes="+span)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }() // it was read to its end
		got, err := io.ReadAll(answer.Body)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("bytes %q: got %d bytes, %v, want %d", span, len(got), err, len(want))
		}
	}
	get("", data)
	get("", data) // on the same connection
	get("1000-19000000", data[1000:19000001])
	get("24000000-", data[24000000:])
	var err error
	if stuck, err = net.Dial("tcp4", at); err != nil { //nolint:noctx // loopback
		t.Fatal(err)
	}
	if _, err := io.WriteString(stuck, "GET /kit/big.img HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stuck, make([]byte, 1<<16)); err != nil { // it is at it, and gets no further
		t.Fatal(err)
	}
}
