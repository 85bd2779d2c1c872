package pool

import "errors"

// The four kinds of errors. Every package wraps one of them when the caller
// may want to tell them apart; the API answers 400, 404, 409 and 503, and the
// client turns these back into the same values.
var (
	ErrInvalid     = errors.New("invalid")
	ErrNotFound    = errors.New("not found")
	ErrConflict    = errors.New("conflict")
	ErrUnavailable = errors.New("unavailable")
)
