package images

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
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
	// Kit holds the files. If it has a method Sum(name) string, that is their ETag.
	Kit       fs.FS
	Directory Directory
	// Stamp names the state that Directory decides by: while it is the same
	// and not 0, so is a machine's script. Nil: each script is rendered anew.
	Stamp func(pool.MAC) uint64
	// IsARM says that a machine is known to be arm64; nil: none is.
	IsARM func(pool.MAC) bool
	// Gate lets big downloads in by turns; its zero value does.
	Gate Gate
	// Site tells a request's machine where the appliance is, by the address it reached us at.
	Site   func(local netip.Addr) Site
	Kernel []string // further kernel arguments
	// Seen gets each boot event; it must not block.
	Seen func(pool.BootEvent)
	Log  *slog.Logger
	// ErrorLog is net/http's; nil is the standard logger.
	ErrorLog *log.Logger

	scripts readyScripts
}

// Handler returns the handler of everything below /boot/ and /kit/.
func (b *Boot) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /kit/{name...}", b.kit)
	mux.HandleFunc("GET /boot/{mac}/script.ipxe", b.script)
	mux.HandleFunc("GET /boot/{mac}/extra.cpio", b.extra)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// shim asks for /kit//grubx64.efi, some firmware for /kit/\x, and no
		// firmware follows a redirect to the plain form.
		if p := plainPath(r.URL.Path); p != r.URL.Path {
			r.URL.Path, r.URL.RawPath = p, ""
		}
		mux.ServeHTTP(w, r)
	})
}

// plainPath turns backslashes into slashes and doubled slashes into one.
func plainPath(p string) string {
	if !strings.Contains(p, "//") && !strings.Contains(p, `\`) {
		return p
	}
	p = strings.ReplaceAll(p, `\`, "/")
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	return p
}

func (b *Boot) script(w http.ResponseWriter, r *http.Request) {
	mac, err := pool.ParseMAC(r.PathValue("mac"))
	if err != nil {
		http.Error(w, "no such machine: the path names no MAC", http.StatusNotFound)
		return
	}
	platform := platform(clientOf(r.URL.Query().Get("platform")))
	start, text := time.Now(), b.ready(mac, platform, local(r))
	if text == nil {
		if text, err = b.render(r.Context(), mac, platform, local(r), remote(r)); err != nil {
			b.fail(w, r, mac, "render boot script", err)
			return
		}
	}
	n := send(w, r, "text/plain; charset=utf-8", text)
	b.seen(r, mac, pool.StageScript, "iPXE script", n, start, nil)
}

// render writes a machine's script, and keeps it ready for the next time.
func (b *Boot) render(ctx context.Context, mac pool.MAC, platform string, local, remote netip.Addr) ([]byte, error) {
	c := clientOf(platform) // the script's reader is iPXE
	var stamp uint64
	if b.Stamp != nil {
		stamp = b.Stamp(mac)
	}
	a, name, err := b.Directory.Boot(ctx, mac, c)
	if err != nil {
		return nil, err
	}
	text, err := Script(a, c, mac, b.Site(local), name, b.Kernel)
	if err != nil {
		return nil, err
	}
	switch a {
	case pool.BootAgent:
		b.keepScript(mac, platform, local, stamp, []byte(text))
	case pool.BootLocal: // an event each time
		b.saw(pool.BootEvent{At: time.Now(), MAC: mac, Stage: pool.StageLocal, Detail: "told to start its own disk", Address: remote})
	case pool.BootIgnore:
	}
	return []byte(text), nil
}

func (b *Boot) kit(w http.ResponseWriter, r *http.Request) {
	start, name := time.Now(), r.PathValue("name")
	f, err := b.Kit.Open(name)
	if err != nil && Optional(name) {
		http.NotFound(w, r)
		return
	}
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
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	if sums, ok := b.Kit.(interface{ Sum(string) string }); ok && sums.Sum(name) != "" {
		h.Set("ETag", `"`+sums.Sum(name)+`"`)
	}
	if r.Method == http.MethodGet && info.Size() >= bigFile {
		leave, err := b.Gate.Enter(r.Context())
		if err != nil {
			return // the client has gone
		}
		defer leave()
	}
	out := &counted{ResponseWriter: w}
	http.ServeContent(out, r, name, info.ModTime(), rs)
	if r.Method != http.MethodGet || out.status >= 300 {
		return // it asked for the size, or has it already
	}
	var broken error
	if want, _ := strconv.ParseInt(h.Get("Content-Length"), 10, 64); out.n < want {
		broken = fmt.Errorf("broken off after %d of %d bytes", out.n, want)
	}
	b.seen(r, pool.MAC{}, kitStage(name), name, out.n, start, broken)
}

// Optional says whether a boot program goes on without the file: shim looks
// for newer revocation lists and further certificates, GRUB for its
// configuration in several places, iPXE for a script beside itself.
func Optional(name string) bool {
	base := path.Base(name)
	return base == Autoexec || strings.HasPrefix(base, "revocations") || strings.HasPrefix(base, "shim_certificate") ||
		strings.Contains(name, "grub/") || base == "grub.cfg" && !strings.HasPrefix(name, "boot/")
}

// kitStage is the stage of a boot that a file of the kit belongs to.
func kitStage(name string) pool.BootStage {
	switch name = path.Base(name); {
	case strings.HasPrefix(name, "initrd"):
		return pool.StageInitrd
	case strings.HasPrefix(name, "vmlinuz"):
		return pool.StageKernel
	}
	return pool.StageNBP
}

// contentType is what firmware wants to hear: UEFI HTTP Boot tells programs
// from disk images by it (UEFI 2.10, 24.7.3.1).
func contentType(name string) string {
	switch path.Ext(name) {
	case ".efi":
		return "application/efi"
	case ".iso":
		return "application/vnd.efi-iso"
	case ".img":
		return "application/vnd.efi-img"
	case ".json":
		return "application/json"
	case ".ipxe", ".cfg":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

// counted counts what a client was sent, and stays out of sendfile's way.
type counted struct {
	http.ResponseWriter
	n      int64
	status int
}

func (c *counted) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n += int64(n)
	return n, err
}

// ReadFrom implements io.ReaderFrom, by which net/http reaches sendfile.
func (c *counted) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(c.ResponseWriter, r)
	c.n += n
	return n, err
}

func (b *Boot) extra(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	mac, err := pool.ParseMAC(r.PathValue("mac"))
	if err != nil {
		http.Error(w, "no such machine: the path names no MAC", http.StatusNotFound)
		return
	}
	if r.Method == http.MethodHead { // a token is made for who takes it
		w.Header().Set("Content-Type", "application/octet-stream")
		return
	}
	archive, err := b.extraArchive(r.Context(), mac, remote(r))
	if err != nil {
		b.fail(w, r, mac, "make boot configuration", err)
		return
	}
	n := send(w, r, "application/octet-stream", archive)
	b.seen(r, mac, pool.StageExtra, "boot configuration", n, start, nil)
}

func send(w http.ResponseWriter, r *http.Request, kind string, body []byte) int64 {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return 0
	}
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
	e := pool.BootEvent{At: time.Now(), MAC: mac, Stage: stage, Detail: detail, Address: remote(r), Bytes: n, Took: time.Since(start)}
	if err != nil {
		e.Failed, e.Detail, e.Code = true, detail+": "+err.Error(), failCode(stage, err)
	}
	b.saw(e)
}

// failCode names for the rules what went wrong.
func failCode(stage pool.BootStage, err error) pool.BootCode {
	switch {
	case stage != pool.StageError:
		return pool.CodeBroken
	case errors.Is(err, pool.ErrNotFound):
		return pool.CodeMissing
	}
	return pool.CodeRefused
}

func (b *Boot) saw(e pool.BootEvent) {
	if b.Seen != nil {
		b.Seen(e)
	}
}

// local is the address that the request reached us at.
func local(r *http.Request) (local netip.Addr) {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(interface{ String() string }); ok {
		if ap, err := netip.ParseAddrPort(a.String()); err == nil {
			local = ap.Addr().Unmap()
		}
	}
	return local
}

func remote(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}
