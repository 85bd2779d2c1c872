package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"appliance/api/wire"
)

// TestHostGroovy: the node lists of cloud and template descriptors name hosts.
func TestHostGroovy(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	write("upload/key.pem", "KEY")
	template := func(name, nodes string) string {
		return name + " : computeTemplate { imageId \"x\"; machineMemoryMB 1024; remoteDirectory \"/tmp\"; localDirectory \"upload\"; username \"admin\"; keyFile \"key.pem\"; custom ([ \"nodesList\" : [" + nodes + "] ]) }"
	}
	nodes := `[ "id":"n{0}", "host-list":"10.0.0.1,10.0.0.2", "username":"root", "credential":"pw" ], [ "id":"r{0}", "host-range":"10.0.0.8/30" ]`
	one := write("one-template.groovy", "["+template("SMALL", nodes)+"]\n")
	var r wire.HostsRequest
	if err := readHostGroovy(&r, one); err != nil {
		t.Fatal(err)
	}
	if r.User != "admin" || r.Key != "KEY" || len(r.Nodes) != 2 || r.Nodes[0].List != "10.0.0.1,10.0.0.2" || r.Nodes[0].Password != "pw" || r.Nodes[1].Range != "10.0.0.8/30" {
		t.Errorf("%+v", r)
	}
	write("two-template.groovy", "["+template("BIG", nodes)+"]\n")
	err := readHostGroovy(&wire.HostsRequest{}, one)
	if err == nil || !strings.Contains(err.Error(), "by --template: BIG, SMALL") && !strings.Contains(err.Error(), "by --template: SMALL, BIG") {
		t.Errorf("two templates: %v", err)
	}
	r = wire.HostsRequest{Template: "BIG"}
	if err := readHostGroovy(&r, one); err != nil || len(r.Nodes) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := readHostGroovy(&wire.HostsRequest{}, write("nodes.groovy", "")); err == nil || !strings.Contains(err.Error(), "NAME-cloud.groovy") {
		t.Errorf("another file: %v", err)
	}
}
