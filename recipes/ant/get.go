package ant

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// get downloads a file; it is in place only when it is whole.
func get(t *groovy.Thread, b *builder, n *node) error {
	src, err := n.need("src")
	if err != nil {
		return err
	}
	dest, err := n.need("dest")
	if err != nil {
		return err
	}
	to := b.path(dest)
	if isDir(to) {
		to = filepath.Join(to, filepath.Base(strings.Split(src, "?")[0]))
	}
	if n.yes("skipexisting", false) && exists(to) {
		return b.log(t, n, "Destination already exists (skipping): "+to)
	}
	if err := errors.Join(b.log(t, n, "Getting: "+src), b.log(t, n, "To: "+to)); err != nil {
		return err
	}
	tries, err := n.number("retries", 3)
	if err != nil {
		return err
	}
	seconds, err := n.number("maxtime", 0)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if seconds > 0 {
		ctx, stop = context.WithTimeout(ctx, time.Duration(seconds)*time.Second)
		defer stop()
	}
	for try := int64(1); ; try++ {
		if err = download(ctx, src, to, n.yes("usetimestamp", false)); err == nil {
			return nil
		}
		if cause := t.Context().Err(); cause != nil {
			return cause
		}
		if try >= tries || ctx.Err() != nil {
			break
		}
		if err := pause(t, 100*time.Millisecond); err != nil {
			return err
		}
	}
	why := fmt.Sprintf("Error getting %s to %s: %v", src, to, err)
	if n.yes("ignoreerrors", false) {
		return b.log(t, n, why)
	}
	return fault("%s", why)
}

// download saves what src is as to; with stamped only what is newer, and with its time.
func download(ctx context.Context, src, to string, stamped bool) error {
	if p, ok := strings.CutPrefix(src, "file:"); ok {
		return copyFile("/"+strings.TrimLeft(p, "/"), to, stamped)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, src, nil)
	if err != nil {
		return err
	}
	if info, err := os.Stat(to); err == nil && stamped {
		req.Header.Set("If-Modified-Since", info.ModTime().UTC().Format(http.TimeFormat))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // read to its end or given up
	if resp.StatusCode == http.StatusNotModified && stamped {
		return nil
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", resp.Status)
	}
	part := to + ".part"
	if err := saveEntry(part, resp.Body, 0o644); err != nil {
		_ = os.Remove(part) // best effort: the download failed
		return err
	}
	if at, err := http.ParseTime(resp.Header.Get("Last-Modified")); err == nil && stamped {
		if err := os.Chtimes(part, at, at); err != nil {
			return err
		}
	}
	return os.Rename(part, to)
}
