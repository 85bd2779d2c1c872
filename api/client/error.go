package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"appliance/api/wire"
	"appliance/pool"
)

// ErrDenied says that the appliance does not let the caller do this, or that
// it is not the appliance it should be.
var ErrDenied = errors.New("denied")

// Error is a problem document that the appliance answered with.
type Error struct {
	wire.Problem
}

// Error returns the problem's detail, with what was wrong in which field.
func (e *Error) Error() string {
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	if len(e.Errors) > 0 {
		text += ": " + strings.Join(e.Errors, "; ")
	}
	return text
}

// Unwrap returns the kind of error.
func (e *Error) Unwrap() error {
	switch e.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		return pool.ErrInvalid
	case http.StatusNotFound, http.StatusGone:
		return pool.ErrNotFound
	case http.StatusConflict:
		return pool.ErrConflict
	case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusGatewayTimeout:
		return pool.ErrUnavailable
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrDenied
	}
	return nil
}

// problem reads the error that an answer carries, and closes the answer.
func problem(res *http.Response) error {
	defer func() { _ = res.Body.Close() }()
	b, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20)) // what came of it is what there is to tell
	e := &Error{}
	if err := json.Unmarshal(b, &e.Problem); err != nil || e.Title == "" && e.Detail == "" {
		e.Detail = fmt.Sprintf("answered %s", res.Status)
	}
	e.Status = res.StatusCode
	return e
}
