package recipes

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDownload: a file is there whole, with the hash its publisher gives, or
// not at all.
func TestDownload(t *testing.T) {
	const text = "an artifact"
	files := map[string]string{"/a": text, "/a.sha256": fmt.Sprintf("%x  a\n", sha256.Sum256([]byte(text))), "/bad.sha256": strings.Repeat("0", 64),
		"/short.sha256": "abc", "/odd.crc": "1"}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(body))
	}))
	defer srv.Close()
	dir := t.TempDir()
	for i, tt := range []struct{ from, hash, want string }{
		{"/a", "", ""}, {"/a", "/a.sha256", ""}, {"/a", "/bad.sha256", "its hash is"}, {"/a", "/short.sha256", "holds no hash of 64 digits"},
		{"/a", "/odd.crc", "must end with md5"}, {"/none", "", "status 404"}, {"/a", "/none.md5", "status 404"},
	} {
		to := filepath.Join(dir, fmt.Sprint(i), "file")
		hash := ""
		if tt.hash != "" {
			hash = srv.URL + tt.hash
		}
		err := download(t.Context(), srv.URL+tt.from, to, hash)
		b, _ := os.ReadFile(to)
		if tt.want == "" && (err != nil || string(b) != text) {
			t.Errorf("%s, %s: %v, %q", tt.from, tt.hash, err, b)
		}
		if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || len(b) > 0) {
			t.Errorf("%s, %s: %v, %q; want %q and no file", tt.from, tt.hash, err, b, tt.want)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, fmt.Sprint(i), ".download-*")); len(left) > 0 {
			t.Errorf("left over: %v", left)
		}
	}
	run, _ := deploy(t, loaded(t, service(`lifecycle {
	install {
		ServiceUtils.getDownloadUtil().get("`+srv.URL+`/a", "sub/a", true, "`+srv.URL+`/a.sha256")
		ServiceUtils.downloadUtil.get("`+srv.URL+`/none", "sub/a", true)
		println new File("sub/a").text
	}
	start "true"
}`)))
	var out strings.Builder
	if _, err := run.Run(t.Context(), "install", nil, &out); err != nil || out.String() != text+"\n" {
		t.Errorf("install = %v, %q", err, out.String())
	}
}
