package rack_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// foreignText is what the system on a foreign disk says when it starts.
const foreignText = "THE SYSTEM OF THIS DISK RUNS"

// probeText is in the data of the services of a bad day.
const probeText = "DATA-OF-A-SERVICE-THAT-IS-DEAR-TO-SOMEBODY"

const foreignSize = 6 << 30

// saysSo is a boot sector that prints foreignText and halts.
func saysSo() []byte {
	const org = 0x7c00
	code := []byte{
		0xfa,       //       cli
		0x31, 0xc0, //       xor ax, ax
		0x8e, 0xd8, //       mov ds, ax
		0x8e, 0xd0, //       mov ss, ax
		0xbc, 0, 0x7c, //    mov sp, 7c00h
		0xbe, 0, 0, //       mov si, text
		0xac,       // loop: lodsb
		0x84, 0xc0, //       test al, al
		0x74, 0x09, //       jz end
		0xb4, 0x0e, //       mov ah, 0eh: teletype
		0xbb, 7, 0, //       mov bx, 7
		0xcd, 0x10, //       int 10h
		0xeb, 0xf2, //       jmp loop
		0xf4,       // end:  hlt
		0xeb, 0xfd, //       jmp end
	}
	binary.LittleEndian.PutUint16(code[11:], uint16(org+len(code)))
	return append(code, "\r\n"+foreignText+", and goes on.\r\n\x00"...) // SeaBIOS keeps the end of a line to itself
}

// foreignDisk makes a disk with a boot loader, a partition table of one Linux
// partition, the superblock of an ext4 file system, and data at the start, in
// the middle and at the end.
func foreignDisk(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	sector := make([]byte, 512)
	copy(sector, saysSo())
	entry := sector[446:]
	entry[0], entry[4] = 0x80, 0x83 // active, Linux
	binary.LittleEndian.PutUint32(entry[8:], 2048)
	binary.LittleEndian.PutUint32(entry[12:], foreignSize/512-4096)
	sector[510], sector[511] = 0x55, 0xaa
	super := make([]byte, 1024) // ext4 disk layout, "The Super Block"
	binary.LittleEndian.PutUint32(super[0x18:], 2)
	binary.LittleEndian.PutUint16(super[0x38:], 0xef53)
	binary.LittleEndian.PutUint32(super[0x60:], 0x2c2) // extents, 64bit and others: ext4
	copy(super[0x78:], "precious")
	noise := make([]byte, 1<<20)
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < len(noise); i += 8 { //nolint:gosec // data, not a key
		binary.LittleEndian.PutUint64(noise[i:], r.Uint64())
	}
	err = f.Truncate(foreignSize)
	for _, w := range []struct {
		at int64
		b  []byte
	}{{0, sector}, {1 << 20, noise[:1024]}, {1<<20 + 1024, super}, {1<<20 + 4096, noise}, {foreignSize / 2, noise}, {foreignSize - 1<<20, noise}} {
		if err == nil {
			_, err = f.WriteAt(w.b, w.at)
		}
	}
	return errors.Join(err, f.Close())
}

// sum stands for all bytes of a disk: of what is not zero, where and what.
type sum struct {
	hash  [32]byte
	bytes int64 // in blocks that are not zero
	first int64
}

func (s sum) String() string { return fmt.Sprintf("%d bytes, SHA-256 %x", s.bytes, s.hash[:8]) }

// sumDisk reads a sparse disk.
func sumDisk(path string) (s sum, err error) {
	h, buf, zero := sha256.New(), make([]byte, 4096), make([]byte, 4096)
	s.first = -1
	err = eachExtent(path, func(at int64, r io.Reader) error {
		for ; ; at += int64(len(buf)) {
			n, err := io.ReadFull(r, buf)
			if n > 0 && !bytes.Equal(buf[:n], zero[:n]) {
				if s.first < 0 {
					s.first = at
				}
				s.bytes += int64(n)
				_ = binary.Write(h, binary.LittleEndian, at) // a hash takes everything
				_, _ = h.Write(buf[:n])
			}
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
	h.Sum(s.hash[:0])
	return s, err
}

// eachExtent calls read for each part of a sparse file that is not a hole.
func eachExtent(path string, read func(at int64, r io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	for at := int64(0); ; {
		from, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("find data of %s: %w", path, err)
		}
		to, err := unix.Seek(int(f.Fd()), from, unix.SEEK_HOLE)
		if err != nil {
			return fmt.Errorf("find hole of %s: %w", path, err)
		}
		if err := read(from, io.NewSectionReader(f, from, to-from)); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		at = to
	}
}

// TestSumDisk: the measure of the bad day sees one changed byte anywhere, and
// does not see whether zeros are stored.
func TestSumDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	if err := foreignDisk(path); err != nil {
		t.Fatal(err)
	}
	look := func() sum {
		t.Helper()
		s, err := sumDisk(path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	put := func(at int64, b byte) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteAt([]byte{b}, at)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	before := look()
	if before.first != 0 || before.bytes < 3<<20 {
		t.Errorf("a foreign disk: %v from %d on", before, before.first)
	}
	put(1<<30, 0)
	if got := look(); got != before {
		t.Errorf("after a zero was stored: %v, want %v", got, before)
	}
	for _, at := range []int64{3, 1 << 30, foreignSize - 1} {
		put(at, 0xa5)
		if got := look(); got == before {
			t.Errorf("a byte at %d was changed, and the sum is the same", at)
		}
	}
}

// recipe writes the recipe of the bad day: its install takes a while and
// counts how often it ran, outside the recipe's own folder.
func (d *day) recipe() error {
	dir := filepath.Join(d.dir, "probe")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"probe-service.groovy": `service {
    name "probe"
    type "UNDEFINED"
    numInstances 1
    compute { template "SMALL_LINUX" }
    lifecycle {
        install "probe_install.sh"
        start "probe_start.sh"
        startDetectionTimeoutSecs 60
        startDetection { new File("/run/probe").exists() }
        postStart {
            context.attributes.thisService.installs = new File("/var/lib/probe/installs").text.trim()
        }
        stopDetection { !new File("/run/probe").exists() }
        stop "probe_stop.sh"
    }
}
`,
		"probe_install.sh": `#!/bin/sh
set -e
mkdir -p /var/lib/probe
echo run >> /var/lib/probe/runs
i=0
while [ $i -lt 100000 ]; do echo "` + probeText + ` $i"; i=$((i+1)); done > /var/lib/probe/data
sync
echo counted
sleep 12
wc -l < /var/lib/probe/runs | tr -d ' ' > /var/lib/probe/installs
`,
		"probe_start.sh": "#!/bin/sh\n: > /run/probe\n",
		"probe_stop.sh":  "#!/bin/sh\nrm -f /run/probe\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// holds says whether a disk holds text anywhere.
func holds(path, text string) (bool, error) {
	found, last := false, []byte(nil)
	err := eachExtent(path, func(_ int64, r io.Reader) error {
		buf := make([]byte, 1<<20)
		for {
			n, err := io.ReadFull(r, buf)
			last = append(last, buf[:n]...)
			found = found || bytes.Contains(last, []byte(text))
			last = append(last[:0], last[max(0, len(last)-len(text)):]...)
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
	return found, err
}
