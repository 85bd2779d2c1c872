package shipped_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"appliance/recipes"
	"appliance/recipes/shipped"
)

// Every shipped recipe loads without a warning and packs the same twice.
func TestShipped(t *testing.T) {
	if len(shipped.Names()) == 0 {
		t.Fatal("no recipe is shipped")
	}
	for _, name := range shipped.Names() {
		sub, err := fs.Sub(shipped.FS(), name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := recipes.Load(sub, recipes.Options{})
		if err != nil {
			t.Errorf("load %s: %v", name, err)
			continue
		}
		if r.Name != name || r.Description == "" || len(r.Warnings) > 0 || !slices.Contains(r.Files, "README.md") {
			t.Errorf("recipe %s: name %q, description %q, warnings %q, files %q", name, r.Name, r.Description, r.Warnings, r.Files)
		}
		_, one, err1 := recipes.Pack(sub)
		_, two, err2 := r.Pack()
		if err1 != nil || err2 != nil || one != two {
			t.Errorf("pack %s: %s (%v) and %s (%v)", name, one, err1, two, err2)
		}
	}
}

// TestMySQLUnitNeverEnabled: from before the package is there until its unit is
// disabled, a start of the machine does not start it.
func TestMySQLUnitNeverEnabled(t *testing.T) {
	b, err := fs.ReadFile(shipped.FS(), "mysql/mysql_install.sh")
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, line := range []string{"systemctl mask mariadb", "install --no-install-recommends mariadb-server",
		"systemctl unmask mariadb", "systemctl disable mariadb", "systemctl stop mariadb"} {
		i := strings.Index(string(b)[at:], line)
		if i < 0 {
			t.Fatalf("mysql_install.sh: no %q after byte %d", line, at)
		}
		at += i + len(line)
	}
}

func TestMySQL(t *testing.T) {
	r, err := recipes.Load(shipped.FS(), recipes.Options{Dir: "mysql", Overrides: "jdbcPort = 3307"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Port != 3307 || r.Type != "DATABASE" || r.Template != "SMALL_LINUX" || !r.Stateful || !slices.Equal(r.Packages, []string{"mariadb-server"}) {
		t.Errorf("mysql = port %d, type %s, template %s, stateful %v, packages %v", r.Port, r.Type, r.Template, r.Stateful, r.Packages)
	}
}
