package groovy

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
)

// place gives an error its place in the code of f, unless it has one.
func (t *Thread) place(f *frame, err error, pos Pos) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok {
		return e
	}
	var u *unit
	if f != nil {
		u = f.unit
	}
	e := t.placeIn(u, err, pos).(*Error)
	if f != nil && f.fn != nil {
		e.Trace = append(e.Trace, Call{f.name(), e.File, pos.Line})
	}
	return e
}

// passing notes that an error leaves a call in the code of f.
func (t *Thread) passing(f *frame, err error, pos Pos) error {
	if err == nil {
		return nil
	}
	e, ok := err.(*Error)
	if !ok {
		return t.place(f, err, pos)
	}
	if len(e.Trace) < 1000 && (e.Thrown != nil || errors.Is(e.err, ErrLimit)) && f.fn != nil && f.unit != nil {
		c := Call{f.name(), f.unit.script.File, pos.Line}
		if n := len(e.Trace); n == 0 || e.Trace[n-1] != c {
			e.Trace = append(e.Trace, c)
		}
	}
	return e
}

// name is how a backtrace calls the function of the frame.
func (f *frame) name() string {
	switch {
	case f.clo != nil:
		return inClosure
	case f.class != nil && f.fn.id == "<init>":
		return "new " + f.class.decl.id
	case f.class != nil && f.fn.id != "":
		return f.class.decl.id + "." + f.fn.id
	case f.class != nil:
		return "class " + f.class.decl.id
	}
	return f.fn.id
}

// Located gives err the place being evaluated, unless it has one already.
func (t *Thread) Located(err error) *Error {
	located, _ := t.place(t.frame, err, t.pos).(*Error)
	return located
}

// placeIn gives an error its place, unless it has one.
func (t *Thread) placeIn(u *unit, err error, pos Pos) error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok {
		return e
	}
	e := &Error{Pos: pos, Msg: err.Error(), err: err}
	if u != nil {
		e.File = u.script.File
		e = e.quote(u.script.src)
	}
	var r *raised
	var exit *Exit
	var inner *Error
	switch {
	case errors.As(err, &r):
		e.Thrown, e.Msg = r.thrown, r.thrown.String()
		if c := r.thrown.Class; c == "MissingPropertyException" || c == "MissingMethodException" || c == "DSLException" {
			e.Msg = r.thrown.Message
		}
		e.err = r.thrown.cause
	case errors.Is(err, ErrLimit), errors.As(err, &exit), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case errors.As(err, &inner):
		e.Thrown = inner.Thrown
	case errors.Is(err, fs.ErrNotExist):
		e.Thrown = &Throwable{Class: "FileNotFoundException", Message: err.Error(), cause: err, hasMessage: true}
	case isPathError(err):
		e.Thrown = &Throwable{Class: "IOException", Message: err.Error(), cause: err, hasMessage: true}
	default:
		e.Thrown = &Throwable{Class: "RuntimeException", Message: err.Error(), cause: err, hasMessage: true}
	}
	return e
}

// didYouMean suggests the name closest to id; empty when none is close.
func didYouMean(id string, known []string) string {
	best, least := "", 1+len(id)/4
	slices.Sort(known)
	for _, k := range known {
		if k == id || len(k) < 2 {
			continue
		}
		if d := editDistance(strings.ToLower(id), strings.ToLower(k)); d <= least && (best == "" || d < least) {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// editDistance is the Levenshtein distance of short names.
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost = min(prev, row[j], row[j+1]) + 1
			}
			prev, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
