package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"appliance/api/wire"
	"appliance/pool"
)

// status is an error that is answered with a status of its own.
type status struct {
	code  int
	err   error
	retry string // seconds
}

func (e *status) Error() string { return e.err.Error() }
func (e *status) Unwrap() error { return e.err }

func refuse(code int, format string, args ...any) error {
	return &status{code: code, err: fmt.Errorf(format, args...)}
}

// problem is a problem document on its way through huma.
type problem struct{ wire.Problem }

func (p *problem) Error() string                { return p.Detail }
func (p *problem) GetStatus() int               { return p.Status }
func (p *problem) ContentType(string) string    { return "application/problem+json" }
func (p *problem) MarshalJSON() ([]byte, error) { return json.Marshal(p.Problem) }

// describe turns an error into a problem document (RFC 9457); what is nobody
// else's business is logged. It is the only place where errors meet statuses.
func (s *Server) describe(r *http.Request, err error) *problem {
	code, detail := http.StatusInternalServerError, err.Error()
	var st *status
	var he *echo.HTTPError
	var hp *problem
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &hp):
		return hp
	case errors.As(err, &st):
		code = st.code
	case errors.As(err, &he):
		code, detail = he.Code, fmt.Sprint(he.Message)
	case errors.As(err, &tooBig):
		code, detail = http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %s", pool.Bytes(uint64(tooBig.Limit)))
	case errors.Is(err, pool.ErrInvalid):
		code = http.StatusBadRequest
	case errors.Is(err, pool.ErrNotFound):
		code = http.StatusNotFound
	case errors.Is(err, pool.ErrConflict):
		code = http.StatusConflict
	case errors.Is(err, pool.ErrUnavailable):
		code = http.StatusServiceUnavailable
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		code, detail = http.StatusServiceUnavailable, "the request ended early"
	}
	if code == http.StatusInternalServerError {
		s.log().ErrorContext(r.Context(), "answer request", "method", r.Method, "path", r.URL.Path, "err", err)
		detail = "internal error"
	}
	return &problem{wire.Problem{Title: http.StatusText(code), Status: code, Detail: detail}}
}

// fail answers what a plain Echo handler returned.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return // a stream that broke: all that is left is to end it
	}
	p := s.describe(c.Request(), err)
	var st *status
	if errors.As(err, &st) && st.retry != "" {
		c.Response().Header().Set("Retry-After", st.retry)
	}
	c.Response().Header().Set("Content-Type", p.ContentType(""))
	c.Response().Header().Set("Cache-Control", "no-store")
	if p.Status == http.StatusUnauthorized {
		c.Response().Header().Set("WWW-Authenticate", `Bearer realm="appliance"`)
	}
	if c.Request().Method == http.MethodHead {
		c.Response().WriteHeader(p.Status)
		return
	}
	c.Response().WriteHeader(p.Status)
	if err := json.NewEncoder(c.Response()).Encode(p); err != nil {
		s.log().DebugContext(c.Request().Context(), "send problem", "err", err)
	}
}

// plain turns the problems that huma makes itself (validation) into ours: one
// form for all, and what the caller sent is not sent back.
func plain(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := wire.Problem{Title: m.Title, Status: m.Status, Detail: m.Detail}
	for _, d := range m.Errors {
		if d == nil {
			continue
		}
		text := d.Message
		if d.Location != "" {
			text = d.Location + ": " + text
		}
		p.Errors = append(p.Errors, text)
	}
	return p, nil
}

// recovered answers 500 where a handler panicked; the stack is logged.
func (s *Server) recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.log().Error("handler panicked", "path", c.Request().URL.Path, "err", fmt.Sprint(p), "stack", string(debug.Stack()))
				err = errors.New("handler panicked")
			}
		}()
		return next(c)
	}
}
