package recipes

import (
	"net/url"
	"strings"

	"appliance/recipes/groovy"
)

// newURI is new URI(text), which takes any scheme, or none; what else makes a
// URL makes a URI, too.
func (f *folder) newURI(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	if len(args) != 1 {
		return f.newURL(t, args)
	}
	raw := groovy.Format(args[0])
	if err := uriFault(raw); err != nil {
		return nil, err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, groovy.Throw("URISyntaxException", "%v: %s", err, raw)
	}
	return &urlObject{f: f, u: u, raw: raw, uri: true}, nil
}

// uriFault says where a text is no URI, as java.net.URI does.
func uriFault(s string) error {
	fault := func(what string, at int) error {
		return groovy.Throw("URISyntaxException", "%s at index %d: %s", what, at, s)
	}
	part := "path"
	if end := strings.IndexAny(s, ":/?#"); end == 0 && s[0] == ':' {
		return fault("Expected scheme name", 0)
	} else if end > 0 && s[end] == ':' {
		part = "scheme name"
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		rest := s[i:]
		switch {
		case part == "scheme name" && c == ':':
			if part = "opaque part"; strings.HasPrefix(rest, "://") {
				part = "authority"
				i += 2
			} else if strings.HasPrefix(rest, ":/") {
				part = "path"
			}
		case part == "authority" && c == '/':
			part = "path"
		case (part == "authority" || part == "path") && c == '?':
			part = "query"
		case part != "fragment" && c == '#':
			part = "fragment"
		case c == '%' && (len(rest) < 3 || !hexDigit(rest[1]) || !hexDigit(rest[2])):
			return fault("Malformed escape pair", i)
		case c <= ' ' || c == 0x7f || strings.IndexByte("\"<>\\^`{|}#", c) >= 0,
			part == "scheme name" && strings.IndexByte("+-.", c) < 0 && !letter(c) && (i == 0 || c < '0' || c > '9'):
			return fault("Illegal character in "+part, i)
		}
	}
	return nil
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func hexDigit(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }
