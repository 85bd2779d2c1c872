package xml

import (
	"strings"

	"appliance/recipes/groovy"
)

// qname is a groovy.xml.QName.
type qname struct{ uri, local, prefix string }

func newQName(_ *groovy.Thread, a []groovy.Value) (groovy.Value, error) {
	var s [3]string
	for i, v := range a[:min(len(a), 3)] {
		s[i] = groovy.Format(v)
	}
	if len(a) == 1 {
		return &qname{local: s[0]}, nil
	}
	return &qname{s[0], s[1], s[2]}, nil
}

// Type names the class.
func (*qname) Type() string { return "groovy.xml.QName" }

// String is {uri}local.
func (q *qname) String() string {
	if q.uri == "" {
		return q.local
	}
	return "{" + q.uri + "}" + q.local
}

// Key is what equal names share.
func (q *qname) Key() string { return q.String() }

// Equals compares with a name, or with uri:local.
func (q *qname) Equals(v groovy.Value) bool {
	if o, ok := v.(*qname); ok {
		return q.uri == o.uri && q.local == o.local
	}
	s, ok := v.(string)
	i := strings.LastIndexByte(s, ':')
	return ok && i >= 0 && i < len(s)-1 && s[:i] == q.uri && s[i+1:] == q.local
}

// written is the name with its prefix.
func (q *qname) written() string {
	if q.prefix == "" {
		return q.local
	}
	return q.prefix + ":" + q.local
}

// matches compares with a name, where * stands for all, or with a text:
// prefix:local, uri:local, or without a prefix local.
func (q *qname) matches(v groovy.Value) bool {
	if o, ok := v.(*qname); ok {
		return (q.uri == o.uri || q.uri == "*" || o.uri == "*") && (q.local == o.local || q.local == "*" || o.local == "*")
	}
	s, ok := v.(string)
	i := strings.LastIndexByte(s, ':')
	switch {
	case !ok || s == "":
		return false
	case i < 0:
		return q.prefix == "" && s == q.local
	}
	return i < len(s)-1 && (s[:i] == q.prefix || s[:i] == q.uri) && (q.local == s[i+1:] || q.local == "*")
}

// Get reads a part.
func (q *qname) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "localPart":
		return q.local, nil
	case "namespaceURI":
		return q.uri, nil
	case "prefix":
		return q.prefix, nil
	case "qualifiedName":
		return q.written(), nil
	}
	return nil, groovy.ErrNoMember
}

// Set refuses.
func (*qname) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call compares.
func (q *qname) Call(_ *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	if id == "matches" && len(a) == 1 {
		return q.matches(a[0]), nil
	}
	return nil, groovy.ErrNoMember
}

// namespace is a groovy.xml.Namespace: its properties are names in it.
type namespace struct{ uri, prefix string }

func newNamespace(_ *groovy.Thread, a []groovy.Value) (groovy.Value, error) {
	n := &namespace{}
	if len(a) > 0 {
		n.uri = strings.TrimSpace(groovy.Format(a[0]))
	}
	if len(a) > 1 {
		n.prefix = strings.TrimSpace(groovy.Format(a[1]))
	}
	return n, nil
}

// Type names the class.
func (*namespace) Type() string { return "groovy.xml.Namespace" }

// Get makes a name.
func (n *namespace) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "uri":
		return n.uri, nil
	case "prefix":
		return n.prefix, nil
	}
	return &qname{n.uri, id, n.prefix}, nil
}

// Set refuses.
func (n *namespace) Set(_ *groovy.Thread, id string, _ groovy.Value) error {
	return groovy.Throw("MissingPropertyException", "No such property: %s for class: %s", id, n.Type())
}

// Call makes a name by get.
func (n *namespace) Call(t *groovy.Thread, id string, a []groovy.Value) (groovy.Value, error) {
	if (id == "get" || id == "getAt") && len(a) == 1 {
		return n.Get(t, groovy.Format(a[0]))
	}
	if id == "getUri" || id == "getPrefix" {
		return n.Get(t, strings.ToLower(id[3:]))
	}
	return nil, unknown(n, id)
}
