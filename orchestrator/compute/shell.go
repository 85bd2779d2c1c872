package compute

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"appliance/pool"
)

// shell runs scripts on a host.
type shell interface {
	// run runs a script with sh, input as its standard input, and returns what
	// it printed: maxOutput bytes at most. The error holds what it complained of.
	run(ctx context.Context, script string, input []byte) ([]byte, error)
	hostKey() string
	close()
}

const maxOutput = 1 << 20

// bounded keeps the first bytes that are written to it, and drops the others.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if room := maxOutput - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// localShell runs scripts on the appliance's own host.
type localShell struct{}

func (*localShell) hostKey() string { return "" }
func (*localShell) close()          {}

func (*localShell) run(ctx context.Context, script string, input []byte) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	var out, bad bounded
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &bad
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return nil, complaint(ctx, err, bad.String())
	}
	return out.Bytes(), nil
}

func complaint(ctx context.Context, err error, said string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	said = strings.TrimSpace(strings.ToValidUTF8(said, "?"))
	if len(said) > 1000 {
		said = said[len(said)-1000:]
	}
	return fmt.Errorf("%w: %s", err, strings.ReplaceAll(said, "\n", "; "))
}

// sshShell runs scripts over one SSH connection.
type sshShell struct {
	client *ssh.Client
	key    string // the host's
	sudo   bool
	stop   func() bool
}

func (s *sshShell) hostKey() string { return s.key }

func (s *sshShell) close() {
	s.stop()
	_ = s.client.Close() // it is over either way
}

// dialer opens a connection.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// openSSH connects, checks the host's key against the pinned one (or takes
// the first it sees), logs in, and finds out how to be root.
func openSSH(ctx context.Context, dial dialer, l pool.Login, secret pool.NodeLogin) (*sshShell, error) {
	port := l.Port
	if port == 0 {
		port = 22
	}
	address := net.JoinHostPort(l.Host, strconv.Itoa(port))
	conf, err := sshConfig(l, secret)
	if err != nil {
		return nil, err
	}
	s := &sshShell{}
	var changed *pool.Cause
	conf.HostKeyCallback = func(_ string, _ net.Addr, key ssh.PublicKey) error {
		s.key = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
		if l.HostKey == "" || l.HostKey == s.key {
			return nil
		}
		changed = cause(CodeHostKey, "Another host than before answers at "+address+": its host key has changed. Nothing was sent to it.",
			"pinned "+l.Fingerprint()+", shown "+ssh.FingerprintSHA256(key),
			"Find out why. If the host was installed anew, remove it and add it again: that pins the new key.")
		return changed
	}
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return nil, unreachable(ctx, address, err)
	}
	s.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second)) // of the handshake
	c, chans, reqs, err := ssh.NewClientConn(conn, address, conf)
	switch {
	case changed != nil:
		s.stop()
		return nil, errors.Join(changed, conn.Close())
	case err != nil && strings.Contains(err.Error(), "unable to authenticate"):
		s.stop()
		return nil, errors.Join(cause(CodeAuth, address+" refuses user "+l.User+".", err.Error(),
			"Give the right user with its key or password: remove the host and add it again."), conn.Close())
	case err != nil:
		s.stop()
		return nil, errors.Join(unreachable(ctx, address, err), conn.Close())
	}
	_ = conn.SetDeadline(time.Time{})
	s.client = ssh.NewClient(c, chans, reqs)
	if err := s.becomeRoot(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func unreachable(ctx context.Context, address string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return cause("host.unreachable", "No SSH server answers at "+address+".", err.Error(),
		"Check the host's address, its sshd and the firewalls between, then retry.")
}

// sshConfig says how to log in: with the key, else with the password.
func sshConfig(l pool.Login, secret pool.NodeLogin) (*ssh.ClientConfig, error) {
	conf := &ssh.ClientConfig{User: l.User, Timeout: dialTime, ClientVersion: "SSH-2.0-appliance"}
	switch {
	case secret.Key != "":
		key, err := ssh.ParsePrivateKey([]byte(secret.Key))
		if err != nil {
			return nil, cause(CodeAuth, "The private key of user "+l.User+" cannot be read.", err.Error(),
				"Give a key without a passphrase, in OpenSSH's or PEM format: remove the host and add it again.")
		}
		conf.Auth = []ssh.AuthMethod{ssh.PublicKeys(key)}
	case secret.Password != "":
		conf.Auth = []ssh.AuthMethod{ssh.Password(secret.Password), ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
			answers := make([]string, len(questions))
			for i := range answers {
				answers[i] = secret.Password
			}
			return answers, nil
		})}
	}
	if l.HostKey != "" {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(l.HostKey))
		if err != nil {
			return nil, fmt.Errorf("%w: pinned host key of %s: %v", pool.ErrInvalid, l.Host, err)
		}
		conf.HostKeyAlgorithms = []string{key.Type()} // ask for the one that is pinned
		if key.Type() == ssh.KeyAlgoRSA {
			conf.HostKeyAlgorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
	}
	return conf, nil
}

// becomeRoot finds out whether scripts run as root, by sudo where it asks for
// no password. Who cannot become root works as who they are.
func (s *sshShell) becomeRoot(ctx context.Context) error {
	id, err := s.run(ctx, "id -u", nil)
	if err != nil {
		return cause(CodeKind, "The host runs no commands over SSH.", err.Error(), "The appliance needs a Linux host with a POSIX shell and an account that may run it.")
	}
	if strings.TrimSpace(string(id)) == "0" {
		return nil
	}
	s.sudo = true
	if id, err := s.run(ctx, "id -u", nil); err != nil || strings.TrimSpace(string(id)) != "0" {
		s.sudo = false
	}
	return ctx.Err()
}

func (s *sshShell) run(ctx context.Context, script string, input []byte) ([]byte, error) {
	session, err := s.client.NewSession()
	if err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	defer func() { _ = session.Close() }() // EOF when it has ended
	stop := context.AfterFunc(ctx, func() { _ = session.Close() })
	defer stop()
	var out, bad bounded
	session.Stdin, session.Stdout, session.Stderr = io.Reader(bytes.NewReader(input)), &out, &bad
	line := "sh -c " + quote(script)
	if s.sudo {
		line = "sudo -n " + line
	}
	if err := session.Run(line); err != nil {
		return nil, complaint(ctx, err, bad.String())
	}
	return out.Bytes(), nil
}
