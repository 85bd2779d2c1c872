package ant

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"appliance/recipes/groovy"
)

// run evaluates a script with AntBuilder in dir and returns its output.
func run(t *testing.T, dir, src string) (string, error) {
	t.Helper()
	s, err := groovy.Parse("ant.groovy", src)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	h := Host{Dir: dir, Exec: func(ctx context.Context, c Command, w io.Writer) (int, error) {
		cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr, cmd.Stdin = c.Dir, append(os.Environ(), c.Env...), w, w, strings.NewReader(c.Stdin)
		if c.Err != nil {
			cmd.Stderr = c.Err
		}
		err := cmd.Run()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode(), nil
		}
		return 0, err
	}}
	in := &groovy.Interp{Out: &out, Classes: map[string]*groovy.Class{"AntBuilder": Class(h)}}
	_, err = in.Run(t.Context(), s)
	return out.String(), err
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestInstall is an install script as recipes have them.
func TestInstall(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/app.txt" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "port=@port@\nhost=HOST\r\n") // a test server's answer
	}))
	defer web.Close()
	dir := t.TempDir()
	out, err := run(t, dir, `
def url = "`+web.URL+`/app.txt"
def builder = new AntBuilder()
builder.sequential {
	mkdir(dir: "app/conf")
	get(src: url, dest: "app/app.txt", skipexisting: true)
	copy(file: "app/app.txt", tofile: "app/conf/app.conf") { filterset { filter(token: "port", value: 8080) } }
	replace(file: "app/conf/app.conf", token: "HOST", value: "10.0.0.1")
	fixcrlf(srcDir: "app/conf", eol: "lf", includes: "*.conf")
	echo(message: "#!/bin/sh\necho \$GREETING \$1; cat; exit 3\n", file: "app/run.sh")
	chmod(dir: "app", perm: "+x", includes: "*.sh")
	echo "installed"
	exec(executable: "./run.sh", dir: "app", osfamily: "unix", resultproperty: "code", inputstring: "in") {
		env(key: "GREETING", value: "hello")
		arg(value: "a b")
	}
	exec(executable: "never", osfamily: "windows")
	exec(executable: "sh", outputproperty: "who") { arg line: "-c 'echo me'" }
	zip(destfile: "app.zip", basedir: "app", includes: "**/*.conf")
	unzip(src: "app.zip", dest: "out", overwrite: true)
	tar(destfile: "app.tgz", compression: "gzip") { fileset(dir: "app", excludes: "conf/**") }
	untar(src: "app.tgz", dest: "out2", compression: "gzip")
	move(file: "out2/run.sh", tofile: "out2/go.sh")
	touch(file: "out2/here")
	delete(dir: "app")
	delete { fileset(dir: "out2", includes: "*.txt") }
}
println builder.project.properties.code + builder.project.properties["who"]
`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"     [echo] installed\n", "     [exec] hello a b\n     [exec] in\n", "     [exec] Result: 3\n", "3me\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("output %q lacks %q", out, want)
		}
	}
	if got := read(t, dir, "out/conf/app.conf"); got != "port=8080\nhost=10.0.0.1\n" {
		t.Errorf("app.conf = %q", got)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(left) != 3 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestFaults(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ src, want string }{
		{`new AntBuilder().exec(executable: "sh", failonerror: true) { arg(line: "-c 'exit 2'") }`, "exec returned: 2"},
		{`new AntBuilder().exec(executable: "no-such-program")`, "Cannot run program \"no-such-program\""},
		{`new AntBuilder().exec(exectable: "x")`, "exec doesn't support the \"exectable\" attribute"},
		{`new AntBuilder().delete(dirs: "x")`, "delete doesn't support the \"dirs\" attribute"},
		{`new AntBuilder().delete(dir: "x", includesfile: "list")`, "delete doesn't support the \"includesfile\" attribute"},
		{`new AntBuilder().delete { fileset(dir: ".") { date(datetime: "x", when: "before") } }`, "fileset doesn't support the nested \"date\" element"},
		{`new AntBuilder().delete { fileset(dir: ".", includesfile: "A") }`, "fileset doesn't support the \"includesfile\" attribute"},
		{`new AntBuilder().delete { filelist(dir: ".", files: "a") }`, "delete doesn't support the nested \"filelist\" element"},
		{`new AntBuilder().tar(destfile: "a.tar", update: true)`, "tar supports the \"update\" attribute as no only, not \"true\""},
		{`new AntBuilder().zip(destfile: "a.zip") { zipfileset(dir: ".", src: "p") }`, "zipfileset doesn't support the \"src\" attribute"},
		{`new AntBuilder().tar(destfile: "a.tar", compression: "bzip2")`, "tar supports the \"compression\" attribute as gzip or none only, not \"bzip2\""},
		{`new AntBuilder().exec(executable: "sh") { redirector(output: "x") }`, "exec doesn't support the nested \"redirector\" element"},
		{`new AntBuilder().copy(file: "a", todir: "b") { mapper(type: "flatten") }`, "copy doesn't support the nested \"mapper\" element"},
		{`new AntBuilder().nosuch(a: 1)`, "No signature of method: groovy.util.AntBuilder.nosuch()"},
		{`new AntBuilder().copy(file: "none", todir: ".")`, "Could not find file"},
		{`new AntBuilder().mkdir()`, "the attribute dir is missing"},
		{`new AntBuilder().delete(dir: "/")`, "is refused"},
		{`new AntBuilder().fail("stop here")`, "stop here"},
		{`new AntBuilder().exec(executable: "sleep", timeout: 50, failonerror: true) { arg value: 30 }`, "Timeout: killed the sub-process"},
		{`new AntBuilder().get(src: "http://127.0.0.1:1/x", dest: "x")`, "Error getting http://127.0.0.1:1/x"},
	} {
		_, err := run(t, dir, tt.src)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.src, err, tt.want)
		}
	}
	if out, err := run(t, dir, `try { new AntBuilder().fail("x") } catch (Exception e) { println e.message }`); err != nil || out != "x\n" {
		t.Errorf("a fault is an exception: %q, %v", out, err)
	}
}

// What Ant has and is so anyway is taken.
func TestHarmless(t *testing.T) {
	dir := t.TempDir()
	if _, err := run(t, dir, `
def ant = new AntBuilder()
ant.mkdir(dir: "a/b/c", description: "folders")
ant.echo(file: "a/b/x", message: "x", encoding: "UTF-8")
ant.zip(destfile: "a.zip", update: false, whenempty: "skip", compress: true) { fileset(dir: "a", casesensitive: "yes", defaultexcludes: "no") }
ant.mkdir(dir: "d/e")
ant.echo(file: "d/e/x", message: "x")
ant.delete(includeEmptyDirs: true, verbose: true) { fileset(dir: "d") }
ant.delete(includeEmptyDirs: true) { fileset(dir: "a", includes: "b/c") }
`); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"d": false, "a/b/c": false, "a/b/x": true} {
		if exists(filepath.Join(dir, name)) != want {
			t.Errorf("%s is there: %t", name, !want)
		}
	}
}

// An updated archive keeps what it holds.
func TestZipUpdate(t *testing.T) {
	dir := t.TempDir()
	if _, err := run(t, dir, `
def ant = new AntBuilder()
ant.echo(file: "a.sql", message: "first"); ant.echo(file: "b.sql", message: "second")
ant.zip(destFile: "x.zip", basedir: ".", includes: "a.sql", update: true)
ant.echo(file: "a.sql", message: "third")
ant.zip(destFile: "x.zip", basedir: ".", includes: "b.sql", update: true)
ant.unzip(src: "x.zip", dest: "both")
ant.zip(destFile: "x.zip", basedir: ".", includes: "a.sql", update: true)
ant.unzip(src: "x.zip", dest: "new")
`); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"both/a.sql": "first", "both/b.sql": "second", "new/a.sql": "third", "new/b.sql": "second"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || strings.TrimSpace(string(b)) != want {
			t.Errorf("%s = %q, %v, want %s", name, b, err, want)
		}
	}
}

// Each task that does something has its shape, and each element in a shape.
func TestShapes(t *testing.T) {
	all := shapes()
	for _, id := range Tasks() {
		if _, ok := all[id]; !ok && !container(id) && id != "taskdef" && id != "typedef" {
			t.Errorf("%s has no shape", id)
		}
	}
	for id, s := range all {
		for _, k := range strings.Fields(s.kids) {
			if _, ok := all[k]; !ok && k != "*" {
				t.Errorf("%s in %s has no shape", k, id)
			}
		}
	}
}

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{
		{"*.sh", "a.sh", true}, {"*.sh", "b/a.sh", false}, {"**/*.sh", "a.sh", true}, {"**/*.sh", "b/c/a.sh", true},
		{"conf/", "conf/a/b", true}, {"a?c", "abc", true}, {"a?c", "a/c", false}, {"**", "x/y", true}, {"b/**", "b/x", true}, {"b/**", "c/x", false}, {"b/**", "b", true}, {"**/foo/**", "x/foo", true}, {"f**b/*", "fab/x", true}, {"**/a/**/b", "a/a/c/b", true}, {"*", "", false}, {"**", "", true},
	} {
		if got := newGlob(tt.pattern).match(parts(tt.path)); got != tt.want {
			t.Errorf("glob %s matches %s: %v", tt.pattern, tt.path, got)
		}
	}
}
