package pool_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"appliance/pool"
)

// TestBYONVectors are the conformance vectors of Cloudify's bring-your-own
// nodes (testbyon-cloud.groovy): 13 nodes, their names, hosts and logins.
// The two lab host names of the original stand as names.
func TestBYONVectors(t *testing.T) {
	lab := fmt.Sprintf("pc-lab%d", 100) // a GString in the original
	own := pool.NodeLogin{User: "user1", Password: "password1"}
	specs := []pool.NodeSpec{
		{ID: "byon-test01", List: "0.0.0.1", NodeLogin: own},
		{ID: "byon-test02", List: "0.0.0.2"},
		{ID: "byon-test1{0}", List: "lab-one, lab-two,0.0.0.5"},
		{ID: "byon-test2{0}", List: "0.0.0.6,0.0.0.7,0.0.0.8"},
		{ID: "byon-test3{0}", Range: "0.0.0.9-0.0.0.11"},
		{ID: "byon-test4{0}", Range: "0.0.0.12/31"},
		{ID: "byon-pc-lab{0}", List: lab},
	}
	template := pool.NodeLogin{User: "tgrid", Password: "tgrid"}
	want := []string{"byon-test01 0.0.0.1", "byon-test02 0.0.0.2",
		"byon-test11 lab-one", "byon-test12 lab-two", "byon-test13 0.0.0.5",
		"byon-test21 0.0.0.6", "byon-test22 0.0.0.7", "byon-test23 0.0.0.8",
		"byon-test31 0.0.0.9", "byon-test32 0.0.0.10", "byon-test33 0.0.0.11",
		"byon-test41 0.0.0.12", "byon-test42 0.0.0.13", "byon-pc-lab1 pc-lab100"}
	nodes, err := pool.ExpandNodes(specs, template)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, n := range nodes {
		got = append(got, n.ID+" "+n.Host)
		login := template
		if i == 0 {
			login = own
		}
		if n.Login != login {
			t.Errorf("%s: login = %+v, want %+v", n.ID, n.Login, login)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("nodes:\n got %q\nwant %q", got, want)
	}
}

func TestExpandNodes(t *testing.T) {
	login := pool.NodeLogin{User: "root", Password: "x"}
	names := func(s pool.NodeSpec) string {
		nodes, err := s.Expand()
		if err != nil {
			if !errors.Is(err, pool.ErrInvalid) {
				t.Errorf("%+v: %v is not invalid", s, err)
			}
			return strings.TrimPrefix(err.Error(), "invalid: ")
		}
		var out []string
		for _, n := range nodes {
			out = append(out, n.ID+"="+n.Host)
		}
		return strings.Join(out, " ")
	}
	for _, tt := range []struct {
		spec pool.NodeSpec
		want string
	}{
		{pool.NodeSpec{ID: "a", List: "h1,h2"}, "a1=h1 a2=h2"},
		{pool.NodeSpec{ID: "a", List: "h1"}, "a=h1"},
		{pool.NodeSpec{ID: "a{0}-{0}", List: "h1"}, "a1-1=h1"},
		{pool.NodeSpec{ID: "n", Range: "10.0.0.0/30"}, "n1=10.0.0.1 n2=10.0.0.2"},
		{pool.NodeSpec{ID: "n", Range: "10.0.0.7/32"}, "n=10.0.0.7"},
		{pool.NodeSpec{ID: "n", Range: "10.0.0.9 - 10.0.0.9"}, "n=10.0.0.9"},
		{pool.NodeSpec{ID: "n", Range: "fd00::1-fd00::2"}, "n1=fd00::1 n2=fd00::2"},
		{pool.NodeSpec{ID: "n", Range: "255.255.255.255/32"}, "n=255.255.255.255"},
		{pool.NodeSpec{List: "h"}, "Failed to parse cloud nodes, empty ID configuration"},
		{pool.NodeSpec{ID: "a"}, "Failed to parse cloud nodes, host list or range not set"},
		{pool.NodeSpec{ID: "a", List: "h1,,h2"}, "Failed to parse cloud nodes, invalid hosts configuration: h1,,h2"},
		{pool.NodeSpec{ID: "a", List: "h", Range: "10.0.0.1-10.0.0.2"}, "Failed to parse cloud nodes, invalid hosts configuration: host-list and host-range are both set"},
		{pool.NodeSpec{ID: "a", Range: "10.0.0.9-10.0.0.1"}, "Failed to parse cloud nodes, invalid hosts configuration: 10.0.0.9-10.0.0.1"},
		{pool.NodeSpec{ID: "a", Range: "10.0.0.1-fd00::1"}, "Failed to parse cloud nodes, invalid hosts configuration: 10.0.0.1-fd00::1"},
		{pool.NodeSpec{ID: "a", Range: "10.0.0.1"}, `Failed to parse cloud nodes, invalid IP range configuration: missing "-"`},
		{pool.NodeSpec{ID: "a", Range: "10.0.0.1-10.0.0.x"}, "Invalid IP address: 10.0.0.x"},
		{pool.NodeSpec{ID: "a", Range: "10.0.0.1/99"}, "Invalid IP address: 10.0.0.1/99"},
		{pool.NodeSpec{ID: "a", Range: "10.0.0.0/8"}, "10.0.0.0/8 has more than 4096 addresses"},
		{pool.NodeSpec{ID: "a", Range: "::/0"}, "::/0 has more than 4096 addresses"},
		{pool.NodeSpec{ID: "a", List: "h;reboot"}, "Invalid IP address: h;reboot"},
		{pool.NodeSpec{ID: "a", List: "-oProxyCommand=x"}, "Invalid IP address: -oProxyCommand=x"},
		{pool.NodeSpec{ID: "../a", List: "h"}, `node ID "../a": want letters, digits, dot, dash and underscore, 63 at most`},
	} {
		if got := names(tt.spec); got != tt.want {
			t.Errorf("%+v: %s\nwant %s", tt.spec, got, tt.want)
		}
	}
	if _, err := pool.ExpandNodes(nil, login); err == nil || !strings.Contains(err.Error(), "Nodes list not set") {
		t.Errorf("no nodes: %v", err)
	}
	if _, err := pool.ExpandNodes([]pool.NodeSpec{{ID: "a", List: "h"}, {ID: "a", List: "i"}}, login); err == nil || !strings.Contains(err.Error(), "named twice") {
		t.Errorf("a name twice: %v", err)
	}
}

// TestNodeCredentials: the node's key, its credential, the template's key,
// its password; a user without either is no login.
func TestNodeCredentials(t *testing.T) {
	for _, tt := range []struct {
		name           string
		node, template pool.NodeLogin
		want           string
	}{
		{"node's key", pool.NodeLogin{User: "n", Key: "NK", Password: "NP"}, pool.NodeLogin{User: "t", Key: "TK", Password: "TP"}, "n NK  22"},
		{"node's credential", pool.NodeLogin{User: "n", Password: "NP"}, pool.NodeLogin{User: "t", Key: "TK"}, "n  NP 22"},
		{"template's key", pool.NodeLogin{User: "n"}, pool.NodeLogin{User: "t", Key: "TK", Password: "TP"}, "t TK  22"},
		{"a credential without a user", pool.NodeLogin{Password: "NP"}, pool.NodeLogin{User: "t", Key: "TK"}, "t TK  22"},
		{"template's password", pool.NodeLogin{}, pool.NodeLogin{User: "t", Password: "TP"}, "t  TP 22"},
		{"node's port", pool.NodeLogin{User: "n", Key: "NK", Port: 2222}, pool.NodeLogin{}, "n NK  2222"},
		{"none", pool.NodeLogin{User: "n"}, pool.NodeLogin{User: "t"}, "missing credentials"},
		{"bad user", pool.NodeLogin{User: "n;id", Password: "x"}, pool.NodeLogin{}, "user name"},
	} {
		tt.template.Port = 22
		nodes, err := pool.ExpandNodes([]pool.NodeSpec{{ID: "a", List: "h", NodeLogin: tt.node}}, tt.template)
		got := fmt.Sprint(err)
		if err == nil {
			l := nodes[0].Login
			got = fmt.Sprintf("%s %s %s %d", l.User, l.Key, l.Password, l.Port)
		}
		if got != tt.want && !(err != nil && strings.Contains(got, tt.want)) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if strings.Contains(fmt.Sprint(err), "NP") {
			t.Errorf("%s: the error holds a secret: %v", tt.name, err)
		}
	}
}

func FuzzExpandNodes(f *testing.F) {
	for _, s := range [][3]string{{"a{0}", "h1,h2", ""}, {"a", "", "0.0.0.9-0.0.0.11"}, {"a", "", "0.0.0.12/31"}, {"a", "", "::/120"}, {"", "", ""}} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, id, list, span string) {
		nodes, err := pool.NodeSpec{ID: id, List: list, Range: span}.Expand()
		if err != nil {
			if !errors.Is(err, pool.ErrInvalid) {
				t.Fatalf("%v is not invalid", err)
			}
			return
		}
		if len(nodes) == 0 || len(nodes) > pool.MaxNodes {
			t.Fatalf("%d nodes", len(nodes))
		}
		for _, n := range nodes {
			if strings.ContainsAny(n.ID+n.Host, " \t\r\n;'\"$`/\\") || strings.HasPrefix(n.Host, "-") || n.ID == "" || n.Host == "" {
				t.Fatalf("node %q at %q", n.ID, n.Host)
			}
		}
	})
}
