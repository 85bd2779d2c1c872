package groovy

import (
	"errors"
	"fmt"
	"strings"
)

// Pos is a place in a source text; Line and Col count from 1.
type Pos struct{ Line, Col int }

// Error is a syntax error or an uncaught exception, with its place.
type Error struct {
	File   string
	Pos    Pos
	Msg    string
	Source string     // the source line, for the caret
	Thrown *Throwable // the exception, nil for a syntax error and for limits
	err    error      // cause that ended the evaluation (context, limit, exit)
}

// Error is "file:line:col: message", and the source line with a caret under
// the column when the source is known.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s:%d:%d: %s", e.File, e.Pos.Line, e.Pos.Col, e.Msg)
	if e.Source == "" {
		return s
	}
	return s + "\n\t" + e.Source + "\n\t" + caretIndent(e.Source, e.Pos.Col) + "^"
}

// Unwrap gives the cause: ErrLimit, an *Exit, the error of a context or of
// the host.
func (e *Error) Unwrap() error { return e.err }

// ErrLimit is wrapped by the error that ends an evaluation which used too
// many steps, nested too deep or allocated too much. A script cannot catch it.
var ErrLimit = errors.New("limit exceeded")

// ErrNoMember is returned by an Object for a name that it does not have.
var ErrNoMember = errors.New("no such member")

// Exit ends an evaluation with a code, as System.exit does. A script cannot
// catch it.
type Exit struct{ Code int }

func (e *Exit) Error() string { return fmt.Sprintf("exit with code %d", e.Code) }

// Throw returns an error that a script can catch as the named Java exception.
func Throw(class, format string, args ...any) error {
	return &raised{thrown: &Throwable{Class: class, Message: fmt.Sprintf(format, args...)}}
}

// raised is an exception on its way before it has a place.
type raised struct{ thrown *Throwable }

func (r *raised) Error() string { return r.thrown.String() }

// Throwable is an exception value.
type Throwable struct {
	Class   string
	Message string
	Cause   Value
	cause   error // host error behind it
}

// String is what Java's Throwable.toString gives.
func (t *Throwable) String() string {
	if t.Message == "" {
		return qualified(t.Class)
	}
	return qualified(t.Class) + ": " + t.Message
}

func qualified(class string) string {
	switch class {
	case "IOException", "FileNotFoundException", "UncheckedIOException":
		return "java.io." + class
	case "MissingPropertyException", "MissingMethodException":
		return "groovy.lang." + class
	case "DSLException":
		return "org.cloudifysource.dsl." + class
	case "TimeoutException":
		return "java.util.concurrent." + class
	}
	if strings.Contains(class, ".") || parent(class) == "RuntimeException" && !strings.HasSuffix(class, "Exception") {
		return class
	}
	return "java.lang." + class
}

// parents names the direct superclass of the exceptions scripts catch; an
// unknown exception extends RuntimeException.
func parent(class string) string {
	switch class {
	case "Throwable":
		return ""
	case "Exception", "Error":
		return "Throwable"
	case "RuntimeException", "IOException", "InterruptedException", "TimeoutException", "ExecutionException", "SQLException":
		return "Exception"
	case "AssertionError", "PowerAssertionError", "StackOverflowError", "OutOfMemoryError":
		return "Error"
	case "FileNotFoundException", "UnknownHostException", "SocketException", "ConnectException", "MalformedURLException":
		return "IOException"
	case "NumberFormatException":
		return "IllegalArgumentException"
	case "MissingPropertyException", "MissingMethodException", "GroovyCastException":
		return "GroovyRuntimeException"
	case "ArrayIndexOutOfBoundsException", "StringIndexOutOfBoundsException":
		return "IndexOutOfBoundsException"
	}
	return "RuntimeException"
}

func isException(class, want string) bool {
	for ; class != ""; class = parent(class) {
		if class == want {
			return true
		}
	}
	return false
}

// sourceLine returns line n of src without control characters, cut at 200 bytes.
func sourceLine(src string, n int) string {
	for ; n > 1; n-- {
		i := strings.IndexByte(src, '\n')
		if i < 0 {
			return ""
		}
		src = src[i+1:]
	}
	line, _, _ := strings.Cut(src, "\n")
	if len(line) > 200 {
		line = line[:200]
	}
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.TrimSuffix(line, "\r"))
}

// caretIndent returns white space as wide as the first col-1 characters of
// line; tabs stay tabs so that the caret lines up.
func caretIndent(line string, col int) string {
	var b strings.Builder
	n := 1
	for _, r := range line {
		if n >= col {
			break
		}
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
		n++
	}
	for ; n < col; n++ {
		b.WriteByte(' ')
	}
	return b.String()
}
