package images

import (
	"bytes"
	"io/fs"
	"time"
)

// TFTP returns what the TFTP server serves: the boot kit and autoexec.ipxe.
func TFTP(kit fs.FS, s Site) fs.FS { return overlay{kit, []byte(AutoexecScript(s))} }

type overlay struct {
	fs.FS
	autoexec []byte
}

// Open implements fs.FS.
func (o overlay) Open(name string) (fs.File, error) {
	if name == Autoexec {
		return &memory{bytes.NewReader(o.autoexec)}, nil
	}
	return o.FS.Open(name)
}

// memory is a read-only file that also seeks, as TFTP's tsize wants.
type memory struct{ *bytes.Reader }

func (m *memory) Close() error               { return nil }
func (m *memory) Stat() (fs.FileInfo, error) { return info{m.Reader.Size()}, nil }

type info struct{ size int64 }

func (i info) Name() string     { return Autoexec }
func (i info) Size() int64      { return i.size }
func (info) Mode() fs.FileMode  { return 0o444 }
func (info) ModTime() time.Time { return time.Time{} }
func (info) IsDir() bool        { return false }
func (info) Sys() any           { return nil }
