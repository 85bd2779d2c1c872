package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"appliance/pool"
)

// whole reads a request's body before the handler runs.
func whole(limit int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := readBody(c, limit); err != nil {
				return err
			}
			return next(c)
		}
	}
}

// readBody reads a request's body, at most limit bytes, and puts the copy in
// its place. The read deadline ends with it: one that stays armed would end
// a handler's context as soon as it passes, because net/http reads in the
// background.
func readBody(c echo.Context, limit int64) error {
	r := c.Request()
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	if r.ContentLength > limit {
		return &http.MaxBytesError{Limit: limit}
	}
	ctl := http.NewResponseController(c.Response().Writer)
	_ = ctl.SetReadDeadline(time.Now().Add(bodyTime))
	b, err := io.ReadAll(http.MaxBytesReader(c.Response().Writer, r.Body, limit))
	if err != nil { // the deadline stands: net/http, too, waits for the rest of a body
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return err
		}
		return fmt.Errorf("%w: read body: %v", pool.ErrInvalid, err)
	}
	_ = ctl.SetReadDeadline(time.Time{})
	r.Body = io.NopCloser(bytes.NewReader(b))
	r.ContentLength = int64(len(b))
	return nil
}

// slow lets a body arrive at its own pace, as long as it does.
type slow struct {
	r   io.Reader
	ctl *http.ResponseController
}

func (s slow) Read(p []byte) (int, error) {
	_ = s.ctl.SetReadDeadline(time.Now().Add(bodyTime))
	return s.r.Read(p)
}

// decode reads one JSON value from r into v. Unknown fields pass: a newer
// agent of the same major may say more. Errors wrap pool.ErrInvalid.
func decode(r io.Reader, v any) error {
	d := json.NewDecoder(r)
	if err := d.Decode(v); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return err
		}
		return fmt.Errorf("%w: body: %v", pool.ErrInvalid, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: body: more than one JSON value", pool.ErrInvalid)
	}
	return nil
}
