package tftp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// source is the content of a transfer.
type source struct {
	at   io.ReaderAt
	size int64
	file fs.File
}

// A file that cannot be read at any place, or is converted to netascii, is
// held in memory, once for each who asks. maxText bounds the latter: a whole
// rack, or one who pretends to be, may ask for a kernel as text.
const (
	maxHeld = 64 << 20
	maxText = 256 << 10
)

// newSource makes file readable at any place. It owns file from then on, also
// when it fails.
func newSource(file fs.File, size int64, netascii bool) (*source, error) {
	at, ok := file.(io.ReaderAt)
	if ok && !netascii {
		return &source{at: at, size: size, file: file}, nil
	}
	limit := maxHeld
	if netascii {
		limit = maxText
	}
	b, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRead, err)
	}
	if len(b) > limit {
		return nil, fmt.Errorf("%w: over %d bytes, and not seekable or asked for as netascii", ErrRead, limit)
	}
	if netascii {
		b = toNetascii(b)
	}
	return &source{at: bytes.NewReader(b), size: int64(len(b))}, nil
}

func (s *source) close() {
	if s.file != nil {
		_ = s.file.Close() // it was only read
	}
}

// toNetascii writes line ends as CR LF and a bare CR as CR NUL (RFC 764).
func toNetascii(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/32)
	for i, c := range b {
		switch {
		case c == '\n' && (i == 0 || b[i-1] != '\r'):
			out = append(out, '\r', '\n')
		case c == '\r' && (i+1 == len(b) || b[i+1] != '\n'):
			out = append(out, '\r', 0)
		default:
			out = append(out, c)
		}
	}
	return out
}
