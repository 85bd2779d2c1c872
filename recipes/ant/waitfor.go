package ant

import (
	"os"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// span is a time in two attributes.
func (n *node) span(id string, deflt int64) (time.Duration, error) {
	v, err := n.number(id, deflt)
	if err != nil {
		return 0, err
	}
	units := map[string]time.Duration{"": time.Millisecond, "millisecond": time.Millisecond, "second": time.Second, "minute": time.Minute,
		"hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour}
	unit, ok := units[strings.ToLower(n.attrs[id+"unit"])]
	if !ok {
		return 0, fault("%s is not a legal value for this attribute", n.attrs[id+"unit"])
	}
	return time.Duration(v) * unit, nil
}

// waitFor asks a condition until it holds or maxwait is over, which is no error.
func waitFor(t *groovy.Thread, b *builder, n *node) error {
	limit, err := n.span("maxwait", 180_000)
	if err != nil {
		return err
	}
	every, err := n.span("checkevery", 500)
	if err != nil {
		return err
	}
	for end := time.Now().Add(limit); ; {
		ok, err := b.condition(t, n)
		if err != nil || ok {
			return err
		}
		if !time.Now().Before(end) {
			break
		}
		if err := pause(t, max(every, time.Millisecond)); err != nil {
			return err
		}
	}
	if p := n.attrs["timeoutproperty"]; p != "" {
		return b.define(t, p, first(n.attrs["timeoutvalue"], "true"))
	}
	return nil
}

// tempFile names a file that is not there yet, and makes it with createfile.
func tempFile(t *groovy.Thread, b *builder, n *node) error {
	id, err := n.need("property")
	if err != nil {
		return err
	}
	dir := os.TempDir()
	if d := n.attrs["destdir"]; d != "" {
		dir = b.path(d)
	}
	f, err := os.CreateTemp(dir, n.attrs["prefix"]+"*"+n.attrs["suffix"])
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if !n.yes("createfile", false) {
		if err := os.Remove(f.Name()); err != nil {
			return err
		}
	}
	return b.define(t, id, f.Name())
}
