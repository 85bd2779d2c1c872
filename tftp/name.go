package tftp

import (
	"errors"
	"io/fs"
	"strings"
)

// errName is all that a client learns about a name that is refused.
var errName = errors.New("file name is not allowed")

// cleanName turns the name in a request into one for an fs.FS: no leading or
// doubled slash, slashes for backslashes, and without the bytes that some
// firmware adds when DHCP's option 67 lacked a final zero. Whatever is not a
// valid path then (fs.ValidPath: no "..", no ".") is refused, and so are
// control characters and names over 255 bytes.
func cleanName(raw string) (string, error) {
	end := len(raw)
	for end > 0 && (raw[end-1] == 0xff || raw[end-1] <= ' ') {
		end--
	}
	s := raw[:end]
	if len(s) == 0 || len(s) > 255 {
		return "", errName
	}
	s = strings.ReplaceAll(s, `\`, "/")
	for strings.Contains(s, "//") {
		s = strings.ReplaceAll(s, "//", "/")
	}
	s = strings.TrimPrefix(s, "/")
	drive := len(s) > 1 && s[1] == ':' // C:; elsewhere a colon is part of a MAC
	if s == "." || !fs.ValidPath(s) || drive {
		return "", errName
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return "", errName
		}
	}
	return s, nil
}
