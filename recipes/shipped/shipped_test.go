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
		r, err := recipes.Load(shipped.FS(), recipes.Options{Dir: name})
		if err != nil {
			t.Errorf("load %s: %v", name, err)
			continue
		}
		if r.Name != name || r.Description == "" && !r.IsApplication() || len(r.Warnings) > 0 || !slices.Contains(r.Files, "README.md") {
			t.Errorf("recipe %s: name %q, description %q, warnings %q, files %q", name, r.Name, r.Description, r.Warnings, r.Files)
		}
		_, one, err1 := r.Pack()
		_, two, err2 := r.Pack()
		if err1 != nil || err2 != nil || one != two {
			t.Errorf("pack %s: %s (%v) and %s (%v)", name, one, err1, two, err2)
		}
	}
}

// TestWebshop: each service of the application loads from its own archive as
// it is in the application, and packs the same again; so does the whole.
func TestWebshop(t *testing.T) {
	app, err := recipes.Load(shipped.FS(), recipes.Options{Dir: "webshop"})
	if err != nil {
		t.Fatal(err)
	}
	whole := again(t, app)
	if len(whole.Services) != 2 {
		t.Fatalf("the packed application has %d services", len(whole.Services))
	}
	for i, s := range app.Services {
		got := again(t, s)
		if got.Name != s.Name || got.Application != "webshop" || !slices.Equal(got.DependsOn, s.DependsOn) {
			t.Errorf("service %s from its archive: %s of %q after %v", s.Name, got.Name, got.Application, got.DependsOn)
		}
		_, one, _ := s.Pack()
		_, two, err := whole.Services[i].Pack()
		if err != nil || one != two {
			t.Errorf("pack %s from the folder and from the packed application: %s, %s (%v)", s.Name, one, two, err)
		}
	}
	front := again(t, app.Services[1])
	if front.Properties["pageText"] != "Welcome to the shop." || front.Properties["backendService"] != "mysql" ||
		front.Port != 80 || front.Stateful || len(front.CustomCommands) != 3 {
		t.Errorf("nginx from its archive: port %d, stateful %t, %v", front.Port, front.Stateful, front.Properties)
	}
	if db := again(t, app.Services[0]); db.Properties["dbName"] != "shop" || db.Port != 3306 {
		t.Errorf("mysql from its archive: port %d, %v", db.Port, db.Properties)
	}
}

// again packs a recipe and loads it from its archive alone.
func again(t *testing.T, r *recipes.Recipe) *recipes.Recipe {
	t.Helper()
	archive, digest, err := r.Pack()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := recipes.Unpack(archive, digest, dir); err != nil {
		t.Fatal(err)
	}
	got, err := recipes.LoadDir(dir, recipes.Options{})
	if err != nil {
		t.Fatalf("load %s from its archive: %v", r.Name, err)
	}
	if len(got.Warnings) > 0 {
		t.Errorf("%s from its archive: %q", r.Name, got.Warnings)
	}
	if _, other, err := got.Pack(); err != nil || other != digest {
		t.Errorf("%s packed again: %s, %v, want %s", r.Name, other, err, digest)
	}
	return got
}

// TestNginxUnitNeverEnabled: as that of mysql.
func TestNginxUnitNeverEnabled(t *testing.T) {
	b, err := fs.ReadFile(shipped.FS(), "nginx/nginx_install.sh")
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, line := range []string{"systemctl mask nginx", "install --no-install-recommends nginx",
		"systemctl unmask nginx", "systemctl disable nginx", "systemctl stop nginx"} {
		i := strings.Index(string(b)[at:], line)
		if i < 0 {
			t.Fatalf("nginx_install.sh: no %q after byte %d", line, at)
		}
		at += i + len(line)
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
