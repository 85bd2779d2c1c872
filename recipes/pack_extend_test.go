package recipes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// A service that extends one without properties of its own has the base's file
// in its folder, with the application's values after it: the base's scripts
// read that file themselves.
func TestPackKeepsPropertiesOfBase(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	fsys := fstest.MapFS{
		"db/db-service.groovy":           file("service {\n name \"db\"\n lifecycle { start \"start.sh\" }\n}\n"),
		"db/db-service.properties":       file("port = 3306\nreplication { patience = 10 }\n"),
		"db/start.sh":                    file("#!/bin/sh\n"),
		"shop/shop-application.groovy":   file("application {\n name \"shop\"\n service { name \"db\" }\n service { name \"own\" }\n}\n"),
		"shop/application.properties":    file("text = \"hello\"\n"),
		"shop/db/db-service.groovy":      file("service {\n extend \"../../db\"\n}\n"),
		"shop/own/db-service.groovy":     file("service {\n extend \"../../db\"\n name \"own\"\n}\n"),
		"shop/own/db-service.properties": file("port = 3307\n"),
	}
	app, err := Load(fsys, Options{Dir: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{"db": {"port = 3306", "replication { patience = 10 }", "text = \"hello\""}, "own": {"port = 3307", "text = \"hello\""}} {
		var r *Recipe
		for _, s := range app.Services {
			if s.Name == name {
				r = s
			}
		}
		archive, digest, err := r.Pack()
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := Unpack(archive, digest, dir); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "db-service.properties"))
		if err != nil {
			t.Fatal(err)
		}
		at := -1
		for _, w := range want {
			i := strings.Index(string(b), w)
			if i <= at {
				t.Errorf("%s: the properties file lacks %q, or has it too early:\n%s", name, w, b)
			}
			at = i
		}
		again, err := LoadDir(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, other, err := again.Pack(); err != nil || other != digest {
			t.Errorf("%s packed again: %s, %v, want %s", name, other, err, digest)
		}
	}
}
