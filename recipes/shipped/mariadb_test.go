package shipped_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"appliance/recipes"
	"appliance/recipes/shipped"
)

// mariadbFake answers as the mariadb client and what the scripts need beside
// it: it records the SQL that comes by standard input, and what it is asked.
const mariadbFake = `#!/bin/bash
case $(basename "$0") in
mariadb)
    sql=$(cat)
    printf '%s\n' "$sql" >> "$MARIADB_LOG/sql"
    case $sql in *"SHOW SLAVE STATUS"*) printf 'Slave_SQL_Running_State: Slave has read all relay log; waiting\n' ;; esac ;;
mariadb-dump) echo "$*" >> "$MARIADB_LOG/dump"; echo "-- dump" ;;
esac
`

// TestMariaDB: the recipe's scripts, which are Groovy in the original's manner,
// make a primary; its secrets go by a file and by no argument.
func TestMariaDB(t *testing.T) {
	bin, log := write(t, map[string]string{"mariadb": mariadbFake, "mariadb-dump": mariadbFake, "systemctl": "#!/bin/sh\n", "apt-get": "#!/bin/sh\n"}), t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("MARIADB_LOG", log)
	r, err := recipes.Load(shipped.FS(), recipes.Options{Dir: "mariadb", Overrides: "jdbcPort = 3307"})
	if err != nil {
		t.Fatal(err)
	}
	if r.NumInstances != 2 || r.Port != 3307 || !r.Stateful || !slices.Equal(r.Packages, []string{"mariadb-server"}) {
		t.Errorf("mariadb = %d instances, port %d, stateful %v, packages %v", r.NumInstances, r.Port, r.Stateful, r.Packages)
	}
	var out strings.Builder
	trial := recipes.Trial{Recipe: r, Dir: t.TempDir(), Out: &out}
	if err := trial.Event(t.Context(), "postStart"); err != nil {
		t.Fatalf("postStart: %v\n%s", err, out.String())
	}
	b, err := os.ReadFile(filepath.Join(log, "sql"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SET GLOBAL read_only = OFF", "CREATE DATABASE IF NOT EXISTS `appdb`", "CREATE USER IF NOT EXISTS 'replica'@'%' IDENTIFIED BY '", "GRANT ALL PRIVILEGES ON `appdb`.* TO 'app'@'%'"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the primary's SQL lacks %q:\n%s", want, b)
		}
	}
	if !strings.Contains(out.String(), "instance 1 is the primary") {
		t.Errorf("postStart said %q", out.String())
	}
	if _, after, ok := strings.Cut(string(b), "IDENTIFIED BY '"); ok {
		password, _, _ := strings.Cut(after, "'")
		if len(password) < 40 || strings.Contains(out.String(), password) {
			t.Errorf("a password of %d characters; it is in the output: %t", len(password), strings.Contains(out.String(), password))
		}
	}
	for name, want := range map[string]string{"role": "", "promote": "instance 1 is the primary now"} {
		out.Reset()
		trial := recipes.Trial{Recipe: r, Dir: t.TempDir(), Out: &out}
		if _, err := trial.Command(t.Context(), name); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v, %q", name, err, out.String())
		}
	}
}
