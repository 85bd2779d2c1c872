package recipes

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"hash"
	"hash/crc32"
	"strings"

	"appliance/recipes/groovy"
)

// digest is a java.security.MessageDigest.
type digest struct {
	name string
	hash.Hash
}

// digests are the algorithms that MessageDigest knows.
func digests(name string) hash.Hash {
	switch strings.ToUpper(name) {
	case "MD5":
		return md5.New()
	case "SHA", "SHA1", "SHA-1":
		return sha1.New()
	case "SHA-224":
		return sha256.New224()
	case "SHA-256":
		return sha256.New()
	case "SHA-384":
		return sha512.New384()
	case "SHA-512":
		return sha512.New()
	}
	return nil
}

// messageDigest are the static methods of MessageDigest.
func messageDigest(_ *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
	switch {
	case m == "getInstance" && len(args) > 0:
		name := groovy.Format(args[0])
		if h := digests(name); h != nil {
			return &digest{name, h}, nil
		}
		return nil, groovy.Throw("NoSuchAlgorithmException", "%s MessageDigest not available", name)
	case m == "isEqual" && len(args) == 2:
		a, _ := groovy.Bytes(args[0])
		b, _ := groovy.Bytes(args[1])
		return subtle.ConstantTimeCompare(a, b) == 1, nil
	}
	return nil, groovy.ErrNoMember
}

// Type names the class.
func (*digest) Type() string { return "java.security.MessageDigest" }

// Get reads a property.
func (d *digest) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "algorithm":
		return d.name, nil
	case "digestLength":
		return int64(d.Size()), nil
	}
	return nil, groovy.ErrNoMember
}

// Set refuses.
func (*digest) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call calls a method.
func (d *digest) Call(_ *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "update":
		return nil, hashed(d, args)
	case "digest":
		if len(args) > 1 {
			return nil, groovy.ErrNoMember
		}
		if len(args) == 1 {
			if err := hashed(d, args); err != nil {
				return nil, err
			}
		}
		sum := d.Sum(nil)
		d.Reset()
		return groovy.NewBytes(sum), nil
	case "reset":
		d.Reset()
		return nil, nil
	}
	return nil, groovy.ErrNoMember
}

// hashed adds a byte, an array, or a part of one.
func hashed(h hash.Hash, args []groovy.Value) error {
	if len(args) != 1 && len(args) != 3 {
		return groovy.ErrNoMember
	}
	if n, ok := args[0].(int64); ok && len(args) == 1 {
		_, err := h.Write([]byte{byte(n)})
		return err
	}
	b, ok := groovy.Bytes(args[0])
	if !ok {
		return groovy.ErrNoMember
	}
	if len(args) == 3 {
		from, _ := groovy.Int(args[1])
		n, _ := groovy.Int(args[2])
		if from < 0 || n < 0 || from+n > int64(len(b)) {
			return groovy.Throw("IllegalArgumentException", "Input buffer too short")
		}
		b = b[from : from+n]
	}
	_, err := h.Write(b)
	return err
}

// checksum is a java.util.zip.CRC32.
type checksum struct{ hash.Hash32 }

func newCRC32(*groovy.Thread, []groovy.Value) (groovy.Value, error) {
	return &checksum{crc32.NewIEEE()}, nil
}

// Type names the class.
func (*checksum) Type() string { return "java.util.zip.CRC32" }

// Get reads a property.
func (c *checksum) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	if id == "value" {
		return groovy.Long(c.Sum32()), nil
	}
	return nil, groovy.ErrNoMember
}

// Set refuses.
func (*checksum) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call calls a method.
func (c *checksum) Call(_ *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "update":
		return nil, hashed(c.Hash32, args)
	case "reset":
		c.Reset()
		return nil, nil
	}
	return nil, groovy.ErrNoMember
}
