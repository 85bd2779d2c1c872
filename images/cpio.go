package images

import (
	"bytes"
	"fmt"
)

// File is one entry of an initramfs archive. Names are relative.
type File struct {
	Name string
	Mode uint32 // permission bits; 0755 for a directory
	Dir  bool
	Data []byte
}

// Archive writes files as a cpio archive of the "newc" format that the kernel
// unpacks (Documentation/driver-api/early-userspace/buffer-format.rst). Same
// files, same bytes. Parents must come before their children.
func Archive(files []File) []byte {
	var b bytes.Buffer
	for i, f := range files {
		mode := 0o100000 | f.Mode&0o7777
		if f.Dir {
			mode = 0o040755
		}
		entry(&b, i+1, f.Name, mode, f.Data)
	}
	entry(&b, 0, "TRAILER!!!", 0, nil)
	pad(&b, 512)
	return b.Bytes()
}

func entry(b *bytes.Buffer, inode int, name string, mode uint32, data []byte) {
	// magic, ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor,
	// rdevmajor, rdevminor, namesize, check
	fmt.Fprintf(b, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
	b.WriteString(name)
	b.WriteByte(0)
	pad(b, 4)
	b.Write(data)
	pad(b, 4)
}

func pad(b *bytes.Buffer, to int) {
	for b.Len()%to != 0 {
		b.WriteByte(0)
	}
}
