package pool

import "time"

// FrameSize is the length of disk that one frame of an image covers.
const FrameSize = 4 << 20

// Image is a disk image in the library: independent zstd frames, each of
// FrameSize bytes of disk (the last may be shorter), zero frames left out.
type Image struct {
	Name     string     `json:"name"`
	Size     int64      `json:"size"` // of the disk, bytes
	Arch     Arch       `json:"arch"`
	Firmware []Firmware `json:"firmware,omitempty"` // what it boots by; empty means both
	// Digest is the SHA-256 of the manifest's frames, "sha256:HEX": it names the content.
	Digest    string    `json:"digest"`
	Stored    int64     `json:"stored"` // bytes in the library
	Frames    []Frame   `json:"frames,omitempty"`
	Packages  bool      `json:"packages,omitempty"` // its package list is known, so a mirror can be filled for it
	CreatedAt time.Time `json:"createdAt"`
}

// Frame is one compressed piece of an image.
type Frame struct {
	Index  int64  `json:"i"` // covers [Index*FrameSize, …)
	Offset int64  `json:"o"` // in the stored file
	Length int64  `json:"n"` // compressed
	SHA256 string `json:"h"` // of the uncompressed bytes, hex
}
