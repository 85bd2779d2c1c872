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
