package pool

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// NodeSpec names running hosts, in the forms of those who bring their own
// nodes: one of a list and a range, an ID pattern, and how to log in.
type NodeSpec struct {
	// ID names the hosts. {0} in it becomes a counter from 1; without it the
	// counter is appended when there are several hosts.
	ID string `json:"id" yaml:"id"`
	// List holds addresses or host names, separated by commas.
	List string `json:"hostList,omitempty" yaml:"host-list"`
	// Range is FIRST-LAST or a CIDR prefix.
	Range     string `json:"hostRange,omitempty" yaml:"host-range"`
	NodeLogin `yaml:",inline"`
}

// NodeLogin is how to log in to a host: with Key, or else with Password.
type NodeLogin struct {
	User     string `json:"username,omitempty" yaml:"username"`
	Password string `json:"credential,omitempty" yaml:"credential"`
	Key      string `json:"key,omitempty" yaml:"key"` // private key, PEM
	Port     int    `json:"port,omitempty" yaml:"port"`
}

// Node is one host that a NodeSpec names.
type Node struct {
	ID    string
	Host  string
	Login NodeLogin
}

// MaxNodes bounds what one NodeSpec may name.
const MaxNodes = 4096

const parseNodes = "Failed to parse cloud nodes, "

// errNodes makes the error that who brings their own nodes knows.
func errNodes(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// ExpandNodes returns the hosts that specs name, in order. What a node's own
// login leaves out comes from template. Errors wrap ErrInvalid.
func ExpandNodes(specs []NodeSpec, template NodeLogin) ([]Node, error) {
	if len(specs) == 0 {
		return nil, errNodes("Nodes list not set")
	}
	var out []Node
	seen := map[string]string{}
	for _, s := range specs {
		nodes, err := s.Expand()
		if err != nil {
			return nil, err
		}
		for _, n := range nodes {
			if n.Login, err = s.login(template); err != nil {
				return nil, err
			}
			if old, twice := seen[n.ID]; twice {
				return nil, errNodes("node %s is named twice: %s and %s; use {0} in its ID", n.ID, old, n.Host)
			}
			seen[n.ID] = n.Host
			if out = append(out, n); len(out) > MaxNodes {
				return nil, errNodes("more than %d nodes", MaxNodes)
			}
		}
	}
	return out, nil
}

// Expand returns the hosts that s names, without their logins.
func (s NodeSpec) Expand() ([]Node, error) {
	id := strings.TrimSpace(s.ID)
	if id == "" {
		return nil, errNodes(parseNodes + "empty ID configuration")
	}
	hosts, err := s.hosts()
	if err != nil {
		return nil, err
	}
	out := make([]Node, len(hosts))
	for i, h := range hosts {
		n := strconv.Itoa(i + 1)
		switch {
		case strings.Contains(id, "{0}"):
			n = strings.ReplaceAll(id, "{0}", n)
		case len(hosts) > 1:
			n = id + n
		default:
			n = id
		}
		if err := checkNode(n, h); err != nil {
			return nil, err
		}
		out[i] = Node{ID: n, Host: h}
	}
	return out, nil
}

func (s NodeSpec) hosts() ([]string, error) {
	list, span := strings.TrimSpace(s.List), strings.TrimSpace(s.Range)
	switch {
	case list == "" && span == "":
		return nil, errNodes(parseNodes + "host list or range not set")
	case list != "" && span != "":
		return nil, errNodes(parseNodes+"invalid hosts configuration: %s", "host-list and host-range are both set")
	case list != "":
		return splitHosts(list)
	case strings.Contains(span, "/"):
		return prefixHosts(span)
	}
	return rangeHosts(span)
}

func splitHosts(list string) ([]string, error) {
	var out []string
	for part := range strings.SplitSeq(list, ",") {
		h := strings.TrimSpace(part)
		if h == "" {
			return nil, errNodes(parseNodes+"invalid hosts configuration: %.200s", list)
		}
		if out = append(out, h); len(out) > MaxNodes {
			return nil, errNodes("more than %d nodes", MaxNodes)
		}
	}
	return out, nil
}

// prefixHosts lists the addresses of a CIDR prefix, but for the network's and
// the broadcast address of an IPv4 one that has them (RFC 3021: /31 has not).
func prefixHosts(text string) ([]string, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, errNodes("Invalid IP address: %.100s", text)
	}
	p = p.Masked()
	var out []string
	last := netip.Addr{}
	for a := p.Addr(); a.IsValid() && p.Contains(a); a = a.Next() {
		if out = append(out, a.String()); len(out) > MaxNodes+2 {
			return nil, errNodes("%s has more than %d addresses", p, MaxNodes)
		}
		last = a
	}
	if p.Addr().Is4() && p.Bits() <= 30 && last.IsValid() {
		out = out[1 : len(out)-1]
	}
	if len(out) > MaxNodes {
		return nil, errNodes("%s has more than %d addresses", p, MaxNodes)
	}
	return out, nil
}

func rangeHosts(text string) ([]string, error) {
	from, to, ok := strings.Cut(text, "-")
	if !ok {
		return nil, errNodes(parseNodes + `invalid IP range configuration: missing "-"`)
	}
	var ends [2]netip.Addr
	for i, t := range []string{from, to} {
		a, err := netip.ParseAddr(strings.TrimSpace(t))
		if err != nil || a.Zone() != "" {
			return nil, errNodes("Invalid IP address: %.100s", strings.TrimSpace(t))
		}
		ends[i] = a
	}
	if ends[0].Is4() != ends[1].Is4() || ends[1].Less(ends[0]) {
		return nil, errNodes(parseNodes+"invalid hosts configuration: %s", text)
	}
	var out []string
	for a := ends[0]; a.IsValid() && !ends[1].Less(a); a = a.Next() {
		if out = append(out, a.String()); len(out) > MaxNodes {
			return nil, errNodes("range %s has more than %d addresses", text, MaxNodes)
		}
	}
	return out, nil
}

// login returns how to log in: the node's user with its key, then with its
// credential, then the template's user with its key, then with its password.
func (s NodeSpec) login(template NodeLogin) (NodeLogin, error) {
	port := s.Port
	if port == 0 {
		port = template.Port
	}
	if port < 0 || port > 65535 {
		return NodeLogin{}, errNodes("node %s: port %d", s.ID, port)
	}
	for _, l := range []NodeLogin{
		{User: s.User, Key: s.Key}, {User: s.User, Password: s.Password},
		{User: template.User, Key: template.Key}, {User: template.User, Password: template.Password},
	} {
		if l.User != "" && (l.Key != "" || l.Password != "") {
			l.Port = port
			return l, checkUser(l.User)
		}
	}
	return NodeLogin{}, errNodes("node %s: missing credentials: name a user, and a key file or a password", s.ID)
}

var errNodeText = errors.New("letters, digits, dot, dash and underscore")

func checkNode(id, host string) error {
	if len(id) > 63 || strings.ContainsFunc(id, notWord) || notWordStart(id) {
		return errNodes("node ID %.80q: want %v, 63 at most", id, errNodeText)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	if len(host) > 253 || strings.ContainsFunc(host, notWord) || notWordStart(host) {
		return errNodes("Invalid IP address: %.80s", host)
	}
	return nil
}

func checkUser(user string) error {
	if len(user) > 64 || strings.ContainsFunc(user, notWord) || notWordStart(user) {
		return errNodes("user name %.80q: want %v", user, errNodeText)
	}
	return nil
}

func notWordStart(s string) bool { return s == "" || s[0] == '-' || s[0] == '.' }

func notWord(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r))
}

// Seal returns l's password and key as the text that is kept sealed.
func (l NodeLogin) Seal() Secret {
	b, err := json.Marshal(NodeLogin{Password: l.Password, Key: l.Key})
	if err != nil {
		panic(err) // two strings
	}
	return NewSecret(string(b))
}

// OpenLogin returns the password and key that Seal sealed. Errors wrap
// ErrInvalid and do not quote the text.
func OpenLogin(s Secret) (NodeLogin, error) {
	var l NodeLogin
	if json.Unmarshal([]byte(s.Reveal()), &l) != nil {
		return l, fmt.Errorf("%w: the sealed login cannot be read: add the host again", ErrInvalid)
	}
	return l, nil
}
