package tftp

import (
	"io/fs"
	"strings"
	"testing"
)

func FuzzCleanName(f *testing.F) {
	for _, s := range []string{
		"ipxe.efi", "/ipxe.efi", `\boot\x`, "..", "../x", "/..", "a/../b", "//a//b", "a\xff", "C:\\x", "\x00", ".", "a/.", "a\nb",
		"....//x", `..\/..`, "/", strings.Repeat("a/", 200), "é/ü",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		s, err := cleanName(raw)
		if err != nil {
			if err != errName || s != "" {
				t.Errorf("cleanName(%q) = %q, %v", raw, s, err)
			}
			return
		}
		if !fs.ValidPath(s) || strings.HasPrefix(s, "/") || strings.Contains(s, `\`) || strings.ContainsAny(s, "\x00\r\n") {
			t.Errorf("cleanName(%q) = %q", raw, s)
		}
		for _, part := range strings.Split(s, "/") {
			if part == ".." || part == "." || part == "" {
				t.Errorf("cleanName(%q) = %q", raw, s)
			}
		}
		if again, err := cleanName(s); err != nil || again != s {
			t.Errorf("cleanName(%q) = %q, and again %q, %v", raw, s, again, err)
		}
	})
}

func FuzzRequest(f *testing.F) {
	for _, s := range []string{"\x00\x01f\x00octet\x00", "\x00\x01f\x00octet\x00tsize\x000\x00blksize\x00", "\x00\x02f\x00octet\x00", "\x00\x01f\x00mail\x00", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		rrq, code, why := request(p)
		if rrq != nil && code != 0 || (code != 0) != (why != "") {
			t.Fatalf("request(%q) = %q, %d, %q", p, rrq, code, why)
		}
		if rrq == nil {
			return
		}
		again, code, _ := request(rrq)
		if code != 0 || string(again) != string(rrq) {
			t.Errorf("request(%q) = %q, and again %q", p, rrq, again)
		}
	})
}
