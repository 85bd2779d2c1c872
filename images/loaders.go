package images

import (
	"bytes"

	"appliance/pool"
)

// loaders notes which boot loaders' names are in the directories of an image's
// EFI system partition: they tell its architecture.
type loaders struct{ amd64, arm64 bool }

// see looks through a piece of the image that begins at a sector.
func (l *loaders) see(piece []byte) {
	l.amd64 = l.amd64 || inDirectory(piece, "BOOTX64 EFI")
	l.arm64 = l.arm64 || inDirectory(piece, "BOOTAA64EFI")
}

// inDirectory says whether a FAT directory entry has the name (eight and three
// characters): 32 bytes, at a multiple of that, with a file's attributes.
func inDirectory(piece []byte, name string) bool {
	for at := 0; ; {
		i := bytes.Index(piece[at:], []byte(name))
		if i < 0 {
			return false
		}
		at += i
		if at%32 == 0 && at+32 <= len(piece) && piece[at+11]&0xd8 == 0 {
			return true
		}
		at++
	}
}

// arch is amd64 unless the image boots arm64 machines and no others.
func (l *loaders) arch() pool.Arch {
	if l.arm64 && !l.amd64 {
		return pool.ARM64
	}
	return pool.AMD64
}
