package ant

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// conditions are the elements that say yes or no.
const conditions = "and or xor not isset istrue isfalse equals contains available os socket http"

// condition says what the one condition in n says.
func (b *builder) condition(t *groovy.Thread, n *node) (bool, error) {
	in := "<" + n.name + ">"
	if n.name == "waitfor" {
		in = n.name
	}
	switch len(n.kids) {
	case 0:
		return false, fault("You must nest a condition into %s", in)
	case 1:
		return b.says(t, n.kids[0])
	}
	return false, fault("You must not nest more than one condition into %s", in)
}

func (b *builder) says(t *groovy.Thread, n *node) (bool, error) {
	switch a := n.attrs; n.name {
	case "not":
		ok, err := b.condition(t, n)
		return !ok, err
	case "and", "or", "xor":
		return b.several(t, n)
	case "isset":
		_, ok := b.props.Get(a["property"])
		return ok, nil
	case "istrue":
		return n.yes("value", false), nil
	case "isfalse":
		return !n.yes("value", false), nil
	case "equals":
		x, y := a["arg1"], a["arg2"]
		if n.yes("trim", false) {
			x, y = strings.TrimSpace(x), strings.TrimSpace(y)
		}
		return x == y || !n.yes("casesensitive", true) && strings.EqualFold(x, y), nil
	case "contains":
		x, y := a["string"], a["substring"]
		if !n.yes("casesensitive", true) {
			x, y = strings.ToLower(x), strings.ToLower(y)
		}
		return strings.Contains(x, y), nil
	case "available":
		return b.there(n)
	case "os":
		return (&node{attrs: map[string]string{"osfamily": a["family"], "os": strings.ReplaceAll(a["name"], "linux", "Linux")}}).forHere()
	case "socket":
		return dials(t.Context(), net.JoinHostPort(a["server"], a["port"])), nil
	case "http":
		begin, err := n.number("errorsbeginat", 400)
		return err == nil && answers(t.Context(), a["url"], int(begin)), err
	}
	return false, fault("the condition %s is not supported", n.name)
}

// several is and, or and xor.
func (b *builder) several(t *groovy.Thread, n *node) (bool, error) {
	result := n.name == "and"
	for _, k := range n.kids {
		ok, err := b.says(t, k)
		if err != nil {
			return false, err
		}
		switch n.name {
		case "xor":
			result = result != ok
		default:
			if ok != result { // it decides
				return ok, nil
			}
		}
	}
	return result, nil
}

func dials(ctx context.Context, address string) bool {
	c, err := (&net.Dialer{Timeout: 30 * time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = c.Close() // that it could be opened is all
	return true
}

func answers(ctx context.Context, url string, begin int) bool {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close() // the code is all
	return resp.StatusCode < begin
}

func conditionTask(t *groovy.Thread, b *builder, n *node) error {
	id, err := n.need("property")
	if err != nil {
		return err
	}
	ok, err := b.condition(t, n)
	otherwise, has := n.attrs["else"]
	switch {
	case err != nil:
		return err
	case ok:
		return b.define(t, id, first(n.attrs["value"], "true"))
	case has:
		return b.define(t, id, otherwise)
	}
	return nil
}
