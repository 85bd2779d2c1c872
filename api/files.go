package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"appliance/pool"
)

// files serves the package repository and the console.
func (s *Server) files(e *echo.Echo) {
	methods := []string{http.MethodGet, http.MethodHead}
	e.Match(methods, "/packages/*", s.packages)
	console := &consoleFiles{files: s.Console}
	e.Match(methods, "/*", console.serve)
	unknown := func(c echo.Context) error {
		return fmt.Errorf("%w: %s %s", pool.ErrNotFound, c.Request().Method, c.Request().URL.Path)
	}
	for _, below := range []string{"/api", "/api/*", "/agent", "/agent/*"} {
		e.Any(below, unknown)
	}
}

// packages serves the repository: any client that trusts the CA may read it.
func (s *Server) packages(c echo.Context) (err error) {
	name := strings.TrimPrefix(c.Request().URL.Path, "/packages/")
	f, info, err := openFile(s.Packages, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	seek, ok := f.(io.ReadSeeker)
	if !ok {
		return fmt.Errorf("package file %s cannot seek", name)
	}
	if mime.TypeByExtension(path.Ext(name)) == "" {
		c.Response().Header().Set("Content-Type", "application/octet-stream")
	}
	c.Response().Committed = true
	http.ServeContent(c.Response().Writer, c.Request(), path.Base(name), info.ModTime(), seek)
	return nil
}

// openFile opens a regular file. What is no path of an fs.FS (.., empty
// parts), and what is hidden (the mirror's own state), is not found.
func openFile(files fs.FS, name string) (fs.File, fs.FileInfo, error) {
	missing := fmt.Errorf("%w: file %s", pool.ErrNotFound, name)
	if files == nil || !fs.ValidPath(name) || strings.HasPrefix(name, ".") || strings.Contains(name, "/.") || strings.ContainsAny(name, "\\\x00") {
		return nil, nil, missing
	}
	f, err := files.Open(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, fs.ErrPermission) {
			return nil, nil, missing
		}
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = missing
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// consoleFiles serves the console, each file compressed once. It changes only
// with the binary, so what was read is kept.
type consoleFiles struct {
	files fs.FS
	mu    sync.Mutex
	kept  map[string]*asset
}

type asset struct {
	kind, tag    string
	plain, small []byte // small is nil where compression does not pay
}

const noConsole = "<!doctype html><title>appliance</title><p>This appliance was built without its console. The API is at /api/v1, its description at /openapi.yaml.\n"

// serve answers with a file, or with index.html for an address that only the
// console knows. A missing file with an extension stays missing: a page in
// place of a script would hide the fault.
func (k *consoleFiles) serve(c echo.Context) error {
	name := strings.TrimPrefix(c.Request().URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	a, err := k.asset(name)
	if errors.Is(err, pool.ErrNotFound) && path.Ext(name) == "" && fs.ValidPath(name) {
		name = "index.html"
		if a, err = k.asset(name); errors.Is(err, pool.ErrNotFound) {
			return c.HTML(http.StatusOK, noConsole)
		}
	}
	if err != nil {
		if name == "index.html" && errors.Is(err, pool.ErrNotFound) {
			return c.HTML(http.StatusOK, noConsole)
		}
		return err
	}
	h := c.Response().Header()
	h.Set("ETag", a.tag)
	h.Set("Content-Type", a.kind)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") { // their names carry a hash
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := a.plain
	if a.small != nil && strings.Contains(c.Request().Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = a.small
	}
	c.Response().Committed = true
	http.ServeContent(c.Response().Writer, c.Request(), "", time.Time{}, bytes.NewReader(body))
	return nil
}

func (k *consoleFiles) asset(name string) (_ *asset, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if a := k.kept[name]; a != nil {
		return a, nil
	}
	f, _, err := openFile(k.files, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read console file %s: %w", name, err)
	}
	sum := sha256.Sum256(b)
	a := &asset{kind: mime.TypeByExtension(path.Ext(name)), tag: `W/"` + hex.EncodeToString(sum[:8]) + `"`, plain: b}
	if a.kind == "" {
		a.kind = http.DetectContentType(b)
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if z.Len() < len(b)*9/10 {
		a.small = z.Bytes()
	}
	if k.kept == nil {
		k.kept = map[string]*asset{}
	}
	k.kept[name] = a
	return a, nil
}
