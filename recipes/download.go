package recipes

import (
	"context"
	"crypto/md5"  //nolint:gosec // what a publisher offers, it is checked by
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"appliance/recipes/groovy"
)

// maxDownload is the size of the largest file that a recipe may fetch.
const maxDownload = 16 << 30

// downloadUtil is ServiceUtils.getDownloadUtil(): get(url, file, skipExisting)
// and get(url, file, skipExisting, hashURL). The kind of hash is the ending of
// hashURL: md5, sha1, sha256, sha384, sha512.
func (f *folder) downloadUtil(t *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
	if m != "get" || len(args) < 3 || len(args) > 4 {
		return nil, groovy.ErrNoMember
	}
	if f.checking() {
		return nil, groovy.Throw("UnsupportedOperationException", "downloads are not available while a recipe is checked")
	}
	to := groovy.Format(args[1])
	if o, ok := args[1].(*fileObject); ok {
		to = o.abs()
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(f.dir, to)
	}
	sum := ""
	if len(args) == 4 {
		sum = groovy.Format(args[3])
	}
	if skip, _ := args[2].(bool); skip {
		if _, err := os.Stat(to); err == nil {
			return nil, nil
		}
	}
	return nil, download(t.Context(), groovy.Format(args[0]), to, sum)
}

// download fetches from into the file to, which appears only once it is whole
// and its hash is the one at hashURL; an empty one is not looked at.
func download(ctx context.Context, from, to, hashURL string) (err error) {
	h, want := hash.Hash(nil), ""
	if hashURL != "" {
		if h, want, err = wanted(ctx, hashURL); err != nil {
			return err
		}
	}
	body, err := fetch(ctx, from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("download %s: %w", from, err)
	}
	part, err := os.CreateTemp(filepath.Dir(to), ".download-*")
	if err != nil {
		return fmt.Errorf("download %s: %w", from, err)
	}
	defer func() { _ = os.Remove(part.Name()) }() // gone when it was renamed
	dest := io.Writer(part)
	if h != nil {
		dest = io.MultiWriter(part, h)
	}
	n, err := io.Copy(dest, io.LimitReader(body, maxDownload+1))
	if err = errors.Join(err, part.Close()); err != nil {
		return fmt.Errorf("download %s: %w", from, err)
	}
	if n > maxDownload {
		return fmt.Errorf("download %s: it has more than %d bytes", from, int64(maxDownload))
	}
	if h != nil && hex.EncodeToString(h.Sum(nil)) != want {
		return fmt.Errorf("download %s: its hash is %x, and %s says %s", from, h.Sum(nil), hashURL, want)
	}
	if err := os.Chmod(part.Name(), 0o644); err != nil {
		return fmt.Errorf("download %s: %w", from, err)
	}
	return os.Rename(part.Name(), to)
}

// wanted reads the hash that a publisher offers: the first word of a small file.
func wanted(ctx context.Context, hashURL string) (hash.Hash, string, error) {
	kinds := map[string]func() hash.Hash{".md5": md5.New, ".sha1": sha1.New, ".sha": sha1.New, ".sha256": sha256.New, ".sha384": sha512.New384, ".sha512": sha512.New}
	u, err := url.Parse(hashURL)
	if err != nil {
		return nil, "", fmt.Errorf("download: hash at %s: %w", hashURL, err)
	}
	kind := kinds[strings.ToLower(path.Ext(u.Path))]
	if kind == nil {
		return nil, "", fmt.Errorf("download: hash at %s: it must end with md5, sha1, sha256, sha384 or sha512", hashURL)
	}
	body, err := fetch(ctx, hashURL)
	if err != nil {
		return nil, "", err
	}
	b, err := io.ReadAll(io.LimitReader(body, 4096))
	if err = errors.Join(err, body.Close()); err != nil {
		return nil, "", fmt.Errorf("download %s: %w", hashURL, err)
	}
	words := strings.Fields(string(b))
	if len(words) == 0 || len(words[0]) != hex.EncodedLen(kind().Size()) {
		return nil, "", fmt.Errorf("download %s: it holds no hash of %d digits", hashURL, hex.EncodedLen(kind().Size()))
	}
	return kind(), strings.ToLower(words[0]), nil
}

func fetch(ctx context.Context, from string) (io.ReadCloser, error) {
	if p, ok := strings.CutPrefix(from, "file:"); ok {
		f, err := os.Open("/" + strings.TrimLeft(p, "/"))
		return f, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, fmt.Errorf("download %s: %w", from, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("download: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close() // only the status counts
		return nil, fmt.Errorf("download %s: status %s", from, resp.Status)
	}
	return resp.Body, nil
}
