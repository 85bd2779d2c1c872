package agent

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"appliance/api/wire"
	"appliance/pool"
)

// rawGPT is a disk image with a protective MBR, a GPT and one partition with
// an ext4 superblock labelled root; data lies in some of its frames.
func rawGPT(size int) []byte {
	b := make([]byte, size)
	le := binary.LittleEndian
	b[446+4] = 0xee
	le.PutUint32(b[446+8:], 1)
	le.PutUint32(b[446+12:], uint32(size/512-1))
	b[510], b[511] = 0x55, 0xaa
	copy(b[100:], "boot code")
	entries := b[1024 : 1024+128*128]
	entries[0] = 0xaf
	le.PutUint64(entries[32:], 2048)
	le.PutUint64(entries[40:], uint64(size/512-2048-1))
	h := b[512:1024]
	copy(h, gptMagic)
	le.PutUint32(h[8:], 0x10000)
	le.PutUint32(h[12:], 92)
	le.PutUint64(h[24:], 1)
	le.PutUint64(h[32:], uint64(size/512-1))
	le.PutUint64(h[40:], 34)
	le.PutUint64(h[48:], uint64(size/512-34))
	le.PutUint64(h[72:], 2)
	le.PutUint32(h[80:], 128)
	le.PutUint32(h[84:], 128)
	le.PutUint32(h[88:], crc32.ChecksumIEEE(entries))
	le.PutUint32(h[16:], headerCRC(h, 92))
	ext := b[2048*512+1024:]
	ext[56], ext[57] = 0x53, 0xef
	le.PutUint32(ext[96:], 0x40)
	copy(ext[120:], "root")
	_, _ = rand.Read(b[9<<20 : 11<<20])
	copy(b[size-2<<20:], "the last of it")
	return b
}

// machine is an agent in RAM over file-backed disks.
type machine struct {
	dir   string
	disk  string
	mnt   string
	bmc   *fakeBMC
	agent *Agent
	left  chan pool.TaskKind
}

func newMachine(t *testing.T, f *fakeAppliance, size int) *machine {
	m := &machine{dir: t.TempDir(), bmc: &fakeBMC{users: map[byte][]string{}}, left: make(chan pool.TaskKind, 4)}
	m.disk, m.mnt = filepath.Join(m.dir, "disk"), filepath.Join(m.dir, "mnt")
	ones(t, m.disk, size)
	tree(t, m.dir, map[string]string{
		"sys/block/sda/size": "163840", "sys/block/sda/device/vendor": "ATA", "sys/block/sda/device/model": "QEMU DISK",
		"sys/block/sda/device/vpd_pg80": "\x00\x80\x00\x08  D-1   ", "sys/block/sda/queue/rotational": "1",
		"mnt/etc/apt/sources.list.d/debian.sources": "Types: deb\n", "mnt/etc/apt/sources.list": "deb http://elsewhere/ x main\n",
		"mnt/etc/ssl/certs/ca-certificates.crt": "OTHERS", "mnt/etc/ssh/ssh_host_rsa_key": "everybody's", "mnt/usr/local/bin/x": "",
	})
	if err := os.Symlink("../../outside", filepath.Join(m.mnt, "etc/resolv.conf")); err != nil {
		t.Fatal(err)
	}
	in := &Inspector{Root: m.dir, Look: func(pool.Disk) ([]string, error) {
		b, err := os.ReadFile(m.disk)
		if err != nil {
			return nil, err
		}
		return Content(bytes.NewReader(b), int64(len(b)))
	}}
	c, err := NewClient(f.srv.URL, f.pem)
	if err != nil {
		t.Fatal(err)
	}
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	tasks := &RAM{Inspector: in, Client: c, MAC: pool.MAC{2, 0, 0, 0, 0, 1}, Binary: os.Args[0],
		Open: func(pool.Disk) (Disk, error) { return OpenFileDisk(m.disk) },
		Mount: func(context.Context, string) (string, func() error, error) {
			return m.mnt, func() error { return nil }, nil
		},
		BMC: func() (bmcDevice, error) { return m.bmc, nil }}
	m.agent = &Agent{Mode: pool.InRAM, Version: "test", BootID: "boot-1", MAC: tasks.MAC, Token: "once", Key: key, Client: c,
		Tasks: tasks, Journal: &Memory{}, Facts: in.Facts,
		Leave: func(_ context.Context, k pool.TaskKind) error { m.left <- k; return nil }}
	return m
}

// start runs the agent until the test ends.
func (m *machine) start(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = m.agent.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

func tree(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if to, ok := strings.CutPrefix(text, "-> "); ok {
			if err := os.Symlink(to, p); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWaitThenWork(t *testing.T) {
	f := newFakeAppliance(t)
	f.welcome.State = wire.StateWait
	m := newMachine(t, f, 24<<20)
	m.start(t)
	for f.helloCount() < 3 {
		time.Sleep(10 * time.Millisecond)
	}
	f.mu.Lock()
	if f.hellos[0].Facts == nil || f.hellos[0].Token != "once" || f.hellos[2].Facts != nil {
		t.Errorf("facts travel at first and when they changed; token %q", f.hellos[0].Token)
	}
	f.welcome.State, f.accept = wire.StateWork, true
	f.mu.Unlock()
	want[pool.Facts](t, f.run("k1", pool.TaskFacts, nil))
	// A repeated key is answered from the journal: the outcome is the same, even if the task is another now.
	again := f.run("k1", pool.TaskWipe, pool.WipeParams{Serials: []string{"D-1"}})
	if want[pool.Facts](t, again).Disks[0].Serial != "D-1" {
		t.Errorf("repeated key: %+v", again)
	}
	b, err := os.ReadFile(m.disk)
	if err != nil || len(bytes.Trim(b, "\xff")) != 0 {
		t.Errorf("something was written to the disk (%v)", err)
	}
	if o := f.run("k2", pool.TaskReboot, nil); o.State != wire.OutcomeDone || <-m.left != pool.TaskReboot {
		t.Errorf("reboot: %+v", o)
	}
}

// TestDiesBeforeItLeaves: an agent that has told that it reboots, and dies
// first, is followed by one that reboots, once.
func TestDiesBeforeItLeaves(t *testing.T) {
	f := newFakeAppliance(t)
	f.accept = true
	m := newMachine(t, f, 1<<20)
	journal := &Files{Dir: t.TempDir(), BootID: "boot-1"}
	m.agent.Journal = journal
	live := func(boot string, until func()) {
		ctx, die := context.WithCancel(t.Context())
		done := make(chan struct{})
		a := &Agent{Mode: m.agent.Mode, Version: "test", BootID: boot, MAC: m.agent.MAC, Token: "once", Key: m.agent.Key, Client: m.agent.Client,
			Tasks: m.agent.Tasks, Journal: journal, Facts: m.agent.Facts}
		a.Leave = func(ctx context.Context, k pool.TaskKind) error {
			m.left <- k
			<-ctx.Done()
			return nil
		}
		go func() { defer close(done); _ = a.Run(ctx) }()
		until()
		die()
		<-done
	}
	left := func() {
		select {
		case <-m.left:
		case <-time.After(time.Minute):
			t.Error("it does not reboot")
		}
	}
	live("boot-1", func() {
		if o := f.run("k1", pool.TaskReboot, nil); o.State != wire.OutcomeDone {
			t.Errorf("reboot: %+v", o)
		}
		left() // and then it is killed before that has an effect
	})
	live("boot-1", func() { f.outcome("k1"); left() }) // it may not have been told
	live("boot-2", func() { f.outcome("k1"); want[pool.Facts](t, f.run("k2", pool.TaskFacts, nil)) })
	if open, err := journal.Open(); err != nil || len(open) != 0 || len(m.left) != 0 {
		t.Errorf("in the next boot: open %+v, %v; it reboots %d times", open, err, len(m.left))
	}
}

// TestRefusedOutcome: what the appliance refuses to read ends the step as a
// failure; what it cannot take now comes again.
func TestRefusedOutcome(t *testing.T) {
	f := newFakeAppliance(t)
	f.accept = true
	var busy atomic.Bool
	f.verdict = func(o wire.Outcome) int {
		switch {
		case len(o.Result) > 0:
			return http.StatusBadRequest
		case busy.CompareAndSwap(false, true):
			return http.StatusConflict
		}
		return 0
	}
	m := newMachine(t, f, 1<<20)
	m.start(t)
	o := f.run("k1", pool.TaskFacts, nil)
	if o.State != wire.OutcomeFailed || o.Cause == nil || o.Cause.Code != "result.refused" {
		t.Errorf("outcome = %+v, want a failure that says that the result was refused", o)
	}
}

// TestOutcomeOfARevokedAgent: an agent whose certificate counts no more does
// what it is told then, and does not insist on its outcome.
func TestOutcomeOfARevokedAgent(t *testing.T) {
	f := newFakeAppliance(t)
	f.accept = true
	f.verdict = func(wire.Outcome) int {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.welcome.State = wire.StateLocal
		return http.StatusForbidden
	}
	m := newMachine(t, f, 1<<20)
	m.start(t)
	f.todo <- f.assignment("k1", pool.TaskFacts, nil)
	if k := <-m.left; k != pool.TaskReboot {
		t.Errorf("it leaves by %s, want a reboot", k)
	}
}

func TestLocalAndProtocol(t *testing.T) {
	f := newFakeAppliance(t)
	f.welcome.State = wire.StateLocal
	m := newMachine(t, f, 1<<20)
	m.start(t)
	if k := <-m.left; k != pool.TaskReboot {
		t.Errorf("local: %s, want a reboot", k)
	}
	err := sameProtocol(wire.Welcome{Protocol: "2.0", Version: "9"})
	if !errors.Is(err, pool.ErrConflict) || !strings.Contains(err.Error(), `"2.0"`) || !strings.Contains(err.Error(), `"1.0"`) {
		t.Errorf("another major: %v", err)
	}
	if err := sameProtocol(wire.Welcome{Protocol: "1.7"}); err != nil {
		t.Errorf("another minor: %v", err)
	}
}

func TestTrustsOnlyItsCA(t *testing.T) {
	f, other := newFakeAppliance(t), newFakeAppliance(t)
	c, err := NewClient(f.srv.URL, other.pem)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), "POST", wire.PathHello, wire.Hello{}, nil); err == nil || f.helloCount() != 0 {
		t.Errorf("an appliance of another CA was believed: %v", err)
	}
	if _, err := NewClient("http://10.0.0.1", f.pem); !errors.Is(err, pool.ErrInvalid) {
		t.Errorf("plain HTTP: %v", err)
	}
}

func TestWipe(t *testing.T) {
	f := newFakeAppliance(t)
	f.accept = true
	const size = 80 << 20
	m := newMachine(t, f, size)
	b := rawGPT(24 << 20)
	file, err := os.OpenFile(m.disk, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt(b, 0); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	m.start(t)
	if o := f.run("w0", pool.TaskWipe, pool.WipeParams{Serials: []string{"D-1", "nobody"}}); o.State != wire.OutcomeFailed || o.Cause.Code != "agent.not-found" {
		t.Errorf("wipe of a disk that is not there: %+v", o.Cause)
	}
	if b, err := os.ReadFile(m.disk); err != nil || b[size-1] != 0xff {
		t.Errorf("a wipe that was refused wrote (%v)", err)
	}
	res := want[pool.WipeResult](t, f.run("w1", pool.TaskWipe, pool.WipeParams{Serials: []string{"D-1"}}))
	if len(res.Wiped) != 1 || res.Wiped[0].Method != "zero" || len(res.Facts.Disks[0].Content) != 0 {
		t.Errorf("result: %+v", res)
	}
	if b, err = os.ReadFile(m.disk); err != nil || len(bytes.Trim(b, "\x00")) != 0 {
		t.Errorf("the disk is not all zeros (%v)", err)
	}
}

// lazyDisk discards, but its blocks keep what they had.
type lazyDisk struct{ Disk }

func (d lazyDisk) Discard() error { return nil }

// goodDisk discards, and its blocks read as zeros.
type goodDisk struct{ Disk }

func (d goodDisk) Discard() error { return writeZeros(d.Disk, 0, d.Size()) }

// brokenDisk says that it zeroes by itself, and does nothing; nor does it keep what is written.
type brokenDisk struct{ Disk }

func (d brokenDisk) Offload() bool                          { return true }
func (d brokenDisk) Zero(int64, int64) error                { return nil }
func (d brokenDisk) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }

func TestWipeBelievesOnlyWhatItReads(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wrap   func(Disk) Disk
		method string
		code   string
	}{
		{"discard that zeroes", func(d Disk) Disk { return goodDisk{d} }, "discard+zero-ends", ""},
		{"discard that does not", func(d Disk) Disk { return lazyDisk{d} }, "zero", ""},
		{"disk that lies", func(d Disk) Disk { return brokenDisk{d} }, "", "wipe.verify"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "disk")
			ones(t, path, 80<<20)
			d, err := OpenFileDisk(path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = d.Close() }()
			method, err := wipeDisk(t.Context(), tt.wrap(d), func(int64) {})
			if tt.code != "" {
				if err == nil || causeOf(err).Code != tt.code {
					t.Errorf("wipeDisk = %v, want %s", err, tt.code)
				}
				return
			}
			if err != nil || method != tt.method {
				t.Errorf("wipeDisk = %q, %v; want %q", method, err, tt.method)
			}
		})
	}
}

func TestImage(t *testing.T) {
	f := newFakeAppliance(t)
	f.accept = true
	raw := rawGPT(24 << 20)
	f.setImage(raw)
	spoiled := 0
	f.spoil = func(int64) bool { spoiled++; return spoiled == 2 } // one answer, once
	f.breakAt = len(f.frames) / 2
	const size = 80 << 20
	m := newMachine(t, f, size)
	m.start(t)
	signer, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := ssh.NewPublicKey(signer)
	if err != nil {
		t.Fatal(err)
	}
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub)))
	params := pool.ImageParams{Image: "debian", Digest: f.image.Digest, Machine: "m-1", Hostname: "node-1", SSHKeys: []string{key}, Epoch: 3,
		Disk: pool.DiskHint{Serial: "D-1"}, Files: []pool.Identified{{Name: "/../etc/motd", Text: "hello"}}}
	res := want[pool.ImageResult](t, f.run("i1", pool.TaskImage, params))
	if res.Serial != "D-1" || res.Device != "/dev/sda1" || f.fetches < 2 {
		t.Errorf("result %+v after %d fetches", res, f.fetches)
	}
	checkDisk(t, m.disk, raw, size)
	checkSystem(t, m, f, key)
}

// checkDisk compares every byte: the image, its table grown to the disk's
// end, zeros where the image has none.
func checkDisk(t *testing.T, path string, raw []byte, size int64) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g, err := ReadGPT(bytes.NewReader(got), size, 512)
	if err != nil {
		t.Fatal(err)
	}
	if last := g.Used()[0].Last; last != uint64(size/512-2048-1) {
		t.Errorf("the last partition ends at sector %d of %d", last, size/512)
	}
	if string(got[size-512:][:8]) != gptMagic || !bytes.Equal(got[1024:][:128*128], got[size-33*512:][:128*128]) {
		t.Error("the backup table is not at the end of the disk")
	}
	if n := binary.LittleEndian.Uint32(got[446+12:]); n != uint32(size/512-1) {
		t.Errorf("protective MBR covers %d sectors", n)
	}
	if !bytes.Equal(got[:446], raw[:446]) || !bytes.Equal(got[34*512:len(raw)], raw[34*512:]) {
		t.Error("the image's bytes are not on the disk")
	}
	tail := got[len(raw) : size-33*512]
	from := max(0, int(size)-wipeEnd-len(raw))
	if len(bytes.Trim(tail[from:], "\x00")) != 0 {
		t.Error("the end of the disk is not zeroed")
	}
}

func checkSystem(t *testing.T, m *machine, f *fakeAppliance, sshKey string) {
	t.Helper()
	for name, want := range map[string]string{
		"etc/hostname": "node-1\n", "root/.ssh/authorized_keys": sshKey + "\n", "etc/motd": "hello",
		"etc/apt/sources.list.d/appliance.list":         "deb [trusted=yes] " + f.srv.URL + "/packages/ /\n",
		"usr/local/share/ca-certificates/appliance.crt": f.pem,
		"etc/ssl/certs/ca-certificates.crt":             "OTHERS\n" + f.pem,
		"etc/resolv.conf":                               resolvConf(nil),
		"usr/sbin/policy-rc.d":                          "#!/bin/sh\n# Packages start nothing: the appliance's recipes do.\nexit 101\n",
	} {
		b, err := os.ReadFile(filepath.Join(m.mnt, name))
		if err != nil || string(b) != want {
			t.Errorf("%s holds %q (%v), want %q", name, b, err, want)
		}
	}
	for _, gone := range []string{"etc/apt/sources.list", "etc/apt/sources.list.d/debian.sources", "etc/ssh/ssh_host_rsa_key", "../outside"} {
		if _, err := os.Lstat(filepath.Join(m.mnt, gone)); err == nil {
			t.Errorf("%s is there", gone)
		}
	}
	own, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(m.mnt, InstalledPath)
	if b, err := os.ReadFile(bin); err != nil || !bytes.Equal(b, own) {
		t.Errorf("the installed agent is not this one: %v", err)
	}
	for name, mode := range map[string]os.FileMode{"etc/appliance/key.pem": 0o600, "etc/appliance/identity.json": 0o600, "usr/sbin/policy-rc.d": 0o755,
		"usr/local/bin/appliance-agent": 0o755, "etc/ssh/ssh_host_ed25519_key": 0o600} {
		if st, err := os.Stat(filepath.Join(m.mnt, name)); err != nil || st.Mode() != mode {
			t.Errorf("%s: %v %v, want %v", name, st.Mode(), err, mode)
		}
	}
	if _, _, _, err := (Home{Config: filepath.Join(m.mnt, "etc/appliance")}).open(); err != nil {
		t.Errorf("the installed agent does not find its identity: %v", err)
	}
}

func TestImageRefusals(t *testing.T) {
	f := newFakeAppliance(t)
	f.accept = true
	f.setImage(rawGPT(24 << 20))
	f.spoil = func(int64) bool { return true }
	m := newMachine(t, f, 80<<20)
	m.start(t)
	good := pool.ImageParams{Image: "debian", Digest: f.image.Digest, Machine: "m-1", Hostname: "node-1"}
	for i, tt := range []struct {
		edit func(*pool.ImageParams)
		code string
		text string
	}{
		{func(p *pool.ImageParams) { p.Hostname = "a\nb" }, "agent.invalid", "hostname"},
		{func(p *pool.ImageParams) { p.SSHKeys = []string{"ssh-ed25519 AAAA\nssh-rsa BBBB"} }, "agent.invalid", "SSH key"},
		{func(p *pool.ImageParams) { p.Digest = "sha256:00" }, "image.changed", "planned with"},
		{func(p *pool.ImageParams) { p.Disk.Serial = "other" }, "agent.invalid", "no disk matches"},
		{func(*pool.ImageParams) {}, "image.damaged", "Frame "},
	} {
		p := good
		tt.edit(&p)
		o := f.run(string(rune('a'+i)), pool.TaskImage, p)
		if o.State != wire.OutcomeFailed || o.Cause.Code != tt.code || !strings.Contains(o.Cause.Message, tt.text) {
			t.Errorf("case %d: %s %+v, want %s", i, o.State, o.Cause, tt.code)
		}
		if b, err := os.ReadFile(m.disk); tt.code != "image.damaged" && (err != nil || len(bytes.Trim(b, "\xff")) != 0) {
			t.Fatalf("case %d: a refused image wrote to the disk (%v)", i, err)
		}
	}
}

func TestCancel(t *testing.T) {
	f := newFakeAppliance(t)
	f.accept = true
	f.setImage(rawGPT(24 << 20))
	f.gone["slow"] = true
	m := newMachine(t, f, 80<<20)
	slow := &slowTask{begun: make(chan struct{})}
	m.agent.Tasks = slow
	m.start(t)
	f.todo <- f.assignment("slow", pool.TaskFacts, nil)
	<-slow.begun
	f.todo <- f.assignment("next", pool.TaskPowerOff, nil)
	f.outcome("next") // none came for the cancelled one
	if !errors.Is(slow.cause, errGone) {
		t.Errorf("the task ended by %v, want the appliance's 410", slow.cause)
	}
}

type slowTask struct {
	begun chan struct{}
	cause error
}

func (s *slowTask) Perform(ctx context.Context, _ wire.Assignment, progress func(pool.Progress)) (any, error) {
	close(s.begun)
	progress(pool.Progress{Detail: "slow"})
	<-ctx.Done()
	s.cause = context.Cause(ctx)
	return nil, ctx.Err()
}
