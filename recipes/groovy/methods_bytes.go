package groovy

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// bytesMethod makes a method of byte[] that other lists do not have.
func bytesMethod(fn func([]byte) string) method {
	return on(0, 0, func(t *Thread, l *List, _ []Value) (Value, error) {
		b, ok := Bytes(l)
		if !ok {
			return nil, ErrNoMember
		}
		return fn(b), t.grow(len(b), 2)
	})
}

func bytesMethods() methods {
	return methods{
		"encodeHex":    bytesMethod(hex.EncodeToString),
		"encodeBase64": bytesMethod(base64.StdEncoding.EncodeToString),
	}
}

// textBytes are the methods by which a text becomes bytes.
func textBytes(m methods) {
	m["getBytes"] = str(0, 1, func(t *Thread, s string, a []Value) (Value, error) {
		if len(a) == 0 {
			return t.byteArray([]byte(s))
		}
		cs, err := CharsetOf(a[0])
		if err != nil {
			return nil, err
		}
		if err := t.Alloc(4 * len(s)); err != nil {
			return nil, err
		}
		return t.byteArray(cs.Encode(s))
	})
	m["decodeHex"] = str(0, 0, func(t *Thread, s string, _ []Value) (Value, error) {
		if len(s)%2 != 0 {
			return nil, Throw("NumberFormatException", "odd number of characters in hex string")
		}
		b, err := hex.DecodeString(s)
		if err != nil {
			return nil, Throw("NumberFormatException", "For input string: \"%s\" under radix 16", s)
		}
		return t.byteArray(b)
	})
	m["decodeBase64"] = str(0, 0, func(t *Thread, s string, _ []Value) (Value, error) {
		plain := strings.TrimRight(strings.Join(strings.Fields(s), ""), "=")
		b, err := base64.RawStdEncoding.DecodeString(plain)
		if err != nil {
			return nil, Throw("RuntimeException", "bad character in base64 value")
		}
		return t.byteArray(b)
	})
}

func (t *Thread) byteArray(b []byte) (Value, error) {
	if err := t.grow(len(b), 20); err != nil {
		return nil, err
	}
	return NewBytes(b), nil
}
