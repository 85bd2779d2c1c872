package sql

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// server starts a database server that listens on loopback and in a folder of
// its own, and ends it with the test.
func server(t *testing.T, name string, argv ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	log, err := os.Create(filepath.Join(t.TempDir(), name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/"
	cmd.SysProcAttr = nobody(t)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		_ = log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s: %s", name, text)
		}
	})
}

// nobody is whom the servers run as when the tests run as root, which they
// refuse.
func nobody(t *testing.T) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err1 != nil || err2 != nil {
		t.Fatal(u)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// folder is a short path that the server may write: those of sockets are bound.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "sql")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if a := nobody(t); a != nil {
		if err := os.Chown(dir, int(a.Credential.Uid), int(a.Credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// run runs a program of the server's to its end.
func run(t *testing.T, argv ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Dir, cmd.SysProcAttr = "/", nobody(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", argv[0], err, out)
	}
}

// program is a program of a Debian package, which make prepare installs.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, pattern := range []string{"/usr/sbin/" + name, "/usr/bin/" + name, "/usr/lib/postgresql/*/bin/" + name} {
		if list, _ := filepath.Glob(pattern); len(list) > 0 {
			return list[len(list)-1]
		}
	}
	t.Fatalf("%s is not here: make prepare installs mariadb-server and postgresql", name)
	return ""
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func mariadb(t *testing.T) (url, user string) {
	t.Helper()
	dir, port := folder(t), freePort(t)
	run(t, program(t, "mariadb-install-db"), "--no-defaults", "--datadir="+dir+"/data", "--auth-root-authentication-method=normal", "--skip-test-db")
	server(t, "mariadbd", program(t, "mariadbd"), "--no-defaults", "--datadir="+dir+"/data", "--socket="+dir+"/s", "--bind-address=127.0.0.1",
		fmt.Sprintf("--port=%d", port), "--innodb-buffer-pool-size=16M", "--pid-file="+dir+"/pid", "--plugin-dir="+dir)
	return fmt.Sprintf("jdbc:mysql://127.0.0.1:%d/?localSocket=%s/s", port, dir), "root"
}

func postgresql(t *testing.T) (url, user string) {
	t.Helper()
	dir, port := folder(t), freePort(t)
	run(t, program(t, "initdb"), "-D", dir+"/data", "-U", "admin", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync")
	server(t, "postgres", program(t, "postgres"), "-D", dir+"/data", "-k", dir, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-F")
	return fmt.Sprintf("jdbc:postgresql://127.0.0.1:%d/postgres", port), "admin"
}
