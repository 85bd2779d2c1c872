package ant

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"appliance/recipes/groovy"
)

// checksum writes or compares the digest of a file.
func checksum(t *groovy.Thread, b *builder, n *node) error {
	f, err := n.need("file")
	if err != nil {
		return err
	}
	path, algorithm := b.path(f), first(n.attrs["algorithm"], "MD5")
	var h hash.Hash
	switch strings.ToUpper(strings.ReplaceAll(algorithm, "-", "")) {
	case "MD5":
		h = md5.New()
	case "SHA", "SHA1":
		h = sha1.New()
	case "SHA256":
		h = sha256.New()
	case "SHA384":
		h = sha512.New384()
	case "SHA512":
		h = sha512.New()
	default:
		return fault("checksum: algorithm %s is not supported", algorithm)
	}
	in, err := os.Open(path)
	if err != nil {
		return fault("Could not find file %s to generate checksum for.", path)
	}
	defer func() { _ = in.Close() }() // read only
	if _, err := io.Copy(h, in); err != nil {
		return err
	}
	sum := hex.EncodeToString(h.Sum(nil))
	beside := filepath.Clean(path) + first(n.attrs["fileext"], "."+algorithm)
	verify, property := n.attrs["verifyproperty"], n.attrs["property"]
	switch {
	case verify != "" && property != "":
		return b.define(t, verify, strconv.FormatBool(sum == property))
	case verify != "":
		text, err := readText(beside)
		word := strings.Fields(text)
		return b.define(t, verify, strconv.FormatBool(err == nil && len(word) > 0 && sum == word[0]))
	case property != "":
		return b.define(t, property, sum)
	}
	return writeFile(beside, sum+"\n", false)
}
