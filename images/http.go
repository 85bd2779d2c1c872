package images

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"

	"appliance/pool"
)

// Directory knows the machines.
type Directory interface {
	// Boot decides what the machine boots now; name is for its screen.
	Boot(ctx context.Context, mac pool.MAC, c pool.Client) (a pool.BootAction, name string, err error)
	// BootConfig returns the content of the agent's boot configuration, with
	// a one-time token if the machine was accepted and from is its address.
	BootConfig(ctx context.Context, mac pool.MAC, from netip.Addr) ([]byte, error)
}

// Boot serves the boot files over plain HTTP: scripts, the boot kit, and each
// machine's extra initramfs. It is safe for concurrent use.
type Boot struct {
	Kit       fs.FS
	Directory Directory
	// Site tells a request's machine where the appliance is, by the address it reached us at.
	Site   func(local netip.Addr) Site
	Kernel []string // further kernel arguments
	// Seen gets each boot event; it must not block.
	Seen func(pool.BootEvent)
	Log  *slog.Logger
}

// Handler returns the handler of everything below /boot/ and /kit/.
func (b *Boot) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /kit/{name}", b.kit)
	mux.HandleFunc("GET /boot/{mac}/script.ipxe", b.script)
	mux.HandleFunc("GET /boot/{mac}/extra.cpio", b.extra)
	return mux
}

func (b *Boot) script(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	mac, err := pool.ParseMAC(r.PathValue("mac"))
	if err != nil {
		http.Error(w, "no such machine: the path names no MAC", http.StatusNotFound)
		return
	}
	// The script's reader is iPXE; by its platform it says which firmware it runs on.
	c := pool.Client{IPXE: true, Arch: pool.ArchBIOS}
	if strings.EqualFold(r.URL.Query().Get("platform"), "efi") {
		c.Arch = pool.ArchEFIx64
	}
	text, err := b.render(r, mac, c)
	if err != nil {
		b.fail(w, r, mac, "render boot script", err)
		return
	}
	n := send(w, "text/plain; charset=utf-8", text)
	b.seen(r, mac, pool.StageScript, "iPXE script", n, start, nil)
}

func (b *Boot) render(r *http.Request, mac pool.MAC, c pool.Client) ([]byte, error) {
	a, name, err := b.Directory.Boot(r.Context(), mac, c)
	if err != nil {
		return nil, err
	}
	text, err := Script(a, c, mac, b.site(r), name, b.Kernel)
	if err != nil {
		return nil, err
	}
	if a == pool.BootLocal {
		b.seen(r, mac, pool.StageLocal, "told to start its own disk", 0, time.Now(), nil)
	}
	return []byte(text), nil
}

func (b *Boot) kit(w http.ResponseWriter, r *http.Request) {
	start, name := time.Now(), path.Base(r.PathValue("name"))
	f, err := b.Kit.Open(name)
	if err != nil {
		b.fail(w, r, pool.MAC{}, "open boot kit file "+name, fmt.Errorf("%w: the boot kit has no %s", pool.ErrNotFound, name))
		return
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	rs, ok := f.(io.ReadSeeker)
	if err != nil || !ok || info.IsDir() {
		b.fail(w, r, pool.MAC{}, "open boot kit file "+name, pool.ErrNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, name, info.ModTime(), rs)
	stage := pool.StageKernel
	switch name {
	case Initrd:
		stage = pool.StageInitrd
	case Kernel:
	default:
		stage = pool.StageNBP
	}
	b.seen(r, pool.MAC{}, stage, name, info.Size(), start, r.Context().Err())
}

func (b *Boot) extra(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	mac, err := pool.ParseMAC(r.PathValue("mac"))
	if err != nil {
		http.Error(w, "no such machine: the path names no MAC", http.StatusNotFound)
		return
	}
	config, err := b.Directory.BootConfig(r.Context(), mac, remote(r))
	if err != nil {
		b.fail(w, r, mac, "make boot configuration", err)
		return
	}
	archive := Archive([]File{{Name: "etc", Dir: true}, {Name: "etc/appliance", Dir: true},
		{Name: "etc/appliance/boot.json", Mode: 0o600, Data: config}})
	n := send(w, "application/octet-stream", archive)
	b.seen(r, mac, pool.StageExtra, "boot configuration", n, start, nil)
}

func send(w http.ResponseWriter, kind string, body []byte) int64 {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	n, _ := io.Copy(w, bytes.NewReader(body)) // a client that goes away is seen as silence
	return n
}

func (b *Boot) fail(w http.ResponseWriter, r *http.Request, mac pool.MAC, what string, err error) {
	status, text := http.StatusInternalServerError, "internal error"
	switch {
	case errors.Is(err, pool.ErrNotFound):
		status, text = http.StatusNotFound, "not found"
	case errors.Is(err, pool.ErrUnavailable):
		status, text = http.StatusServiceUnavailable, "not available now"
	}
	if b.Log != nil {
		b.Log.Warn("boot request refused", "path", r.URL.Path, "ip", remote(r), "mac", mac.String(), "err", fmt.Errorf("%s: %w", what, err))
	}
	b.seen(r, mac, pool.StageError, what, 0, time.Now(), err)
	http.Error(w, text, status)
}

func (b *Boot) seen(r *http.Request, mac pool.MAC, stage pool.BootStage, detail string, n int64, start time.Time, err error) {
	if b.Seen == nil {
		return
	}
	e := pool.BootEvent{At: time.Now(), MAC: mac, Stage: stage, Detail: detail, Address: remote(r), Bytes: n, Took: time.Since(start)}
	if err != nil {
		e.Failed, e.Detail = true, detail+": "+err.Error()
	}
	b.Seen(e)
}

func (b *Boot) site(r *http.Request) Site {
	var local netip.Addr
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(interface{ String() string }); ok {
		if ap, err := netip.ParseAddrPort(a.String()); err == nil {
			local = ap.Addr().Unmap()
		}
	}
	return b.Site(local)
}

func remote(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}
