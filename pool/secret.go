package pool

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"log/slog"
)

// Secret holds a password, key or token and cannot print itself: fmt, slog
// and JSON all show "(secret)". Only Reveal gives the text, so every place
// that uses one can be found by that name. Compare with Equal, not with ==.
type Secret struct {
	// text is behind a pointer because fmt calls no method of a value in an
	// unexported field: it would print a string, but it prints an address.
	text *string
}

const hidden = "(secret)"

// NewSecret wraps text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the text itself.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Equal says whether both are the same text, in constant time.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// IsZero says whether there is no secret.
func (s Secret) IsZero() bool { return s.text == nil }

// Format implements fmt.Formatter, for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// String implements fmt.Stringer.
func (s Secret) String() string { return hidden }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON writes "(secret)".
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }

// UnmarshalJSON refuses: a secret travels in a field made for it.
func (s *Secret) UnmarshalJSON([]byte) error {
	return fmt.Errorf("%w: a secret cannot be read from JSON", ErrInvalid)
}
