package pool

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// NewID returns prefix, a dash and 16 letters and digits: 32 bits of time in
// seconds, so that IDs sort by age, and 48 random ones.
func NewID(prefix string) string {
	var b [10]byte
	binary.BigEndian.PutUint32(b[:4], uint32(time.Now().Unix()))
	_, _ = rand.Read(b[4:]) // never fails (crypto/rand)
	return prefix + "-" + strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// NewToken returns 160 random bits as text: a bearer of rights, never an ID.
func NewToken() string { return strings.ToLower(rand.Text() + rand.Text()[:6]) }
