package groovy

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Pos is a place in a source text; Line and Col count from 1.
type Pos struct{ Line, Col int }

// Error is a syntax error or an uncaught exception, with its place.
type Error struct {
	File   string
	Pos    Pos
	Msg    string
	Source string     // the source line, of a long one the part around Pos
	Cut    int        // characters of the line that are before Source
	Thrown *Throwable // the exception, nil for a syntax error and for limits
	Trace  []Call     // the calls that were running, innermost first
	err    error      // cause that ended the evaluation (context, limit, exit)
}

// Call is a function of a script that was running, and the place in it.
type Call struct {
	Func string // empty for the script's own statements
	File string
	Line int
}

// inClosure is the name of a closure in a backtrace.
const inClosure = "a closure"

// maxTrace bounds the calls that an error names.
const maxTrace = 12

// Error is "file:line:col: message", the source line with a caret under the
// column when the source is known, and the calls when there was one.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s:%d:%d: %s", e.File, e.Pos.Line, e.Pos.Col, e.Msg)
	if e.Source != "" {
		s += "\n\t" + e.Source + "\n\t" + caretIndent(e.Source, e.Pos.Col-e.Cut) + "^"
	}
	if !e.crosses() {
		return s
	}
	for i, c := range e.Trace {
		if i == maxTrace {
			return s + fmt.Sprintf("\n\t... and %d more calls", len(e.Trace)-i)
		}
		if c.Func == "" {
			c.Func = "the script"
		}
		s += fmt.Sprintf("\n\tin %s (%s:%d)", c.Func, c.File, c.Line)
	}
	return s
}

// crosses says whether the calls tell more than the place: a function with a
// name, another file, or a closure that is not called where it is written.
func (e *Error) crosses() bool {
	for i, c := range e.Trace {
		if c.Func != "" && c.Func != inClosure && len(e.Trace) > 1 || c.File != e.File || i > 0 && c.Line > e.Trace[i-1].Line {
			return true
		}
	}
	return false
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

// ThrowAt is Throw for what a parser found at a place of the text it read.
func ThrowAt(class string, at Pos, format string, args ...any) error {
	return &raised{thrown: &Throwable{Class: class, Message: fmt.Sprintf(format, args...), at: at}}
}

// raised is an exception on its way before it has a place.
type raised struct{ thrown *Throwable }

func (r *raised) Error() string { return r.thrown.String() }

// thrown is the class of the exception that err is; "" when it is none.
func thrown(err error) string {
	var e *raised
	if errors.As(err, &e) {
		return e.thrown.Class
	}
	return ""
}

// Throwable is an exception value.
type Throwable struct {
	Class      string
	Message    string
	Cause      Value
	cause      error     // host error behind it
	object     *instance // of a class of the script
	hasMessage bool      // the message is given, though it may be empty
	offset     int       // of a ParseException: where the text is wrong
	at         Pos       // in the text that a parser read; zero: not of a parser
}

// String is what Java's Throwable.toString gives.
func (t *Throwable) String() string {
	if t.at.Line > 0 {
		return fmt.Sprintf("%s; lineNumber: %d; columnNumber: %d; %s", qualified(t.Class), t.at.Line, t.at.Col, t.Message)
	}
	if t.Message == "" && !t.hasMessage {
		return qualified(t.Class)
	}
	return qualified(t.Class) + ": " + t.Message
}

// exceptionPackages are the packages of the exceptions that are not in
// java.lang.
func exceptionPackages() map[string]string {
	return map[string]string{
		"IOException": "java.io", "FileNotFoundException": "java.io", "UncheckedIOException": "java.io", "EOFException": "java.io", "UnsupportedEncodingException": "java.io",
		"UnsupportedCharsetException": "java.nio.charset", "NoSuchFileException": "java.nio.file", "FileAlreadyExistsException": "java.nio.file",
		"DirectoryNotEmptyException": "java.nio.file", "AccessDeniedException": "java.nio.file", "FileSystemException": "java.nio.file",
		"GeneralSecurityException": "java.security", "NoSuchAlgorithmException": "java.security",
		"BindException": "java.net", "NoRouteToHostException": "java.net",
		"MissingPropertyException": "groovy.lang", "MissingMethodException": "groovy.lang", "GroovyRuntimeException": "groovy.lang",
		"ReadOnlyPropertyException": "groovy.lang", "MissingFieldException": "groovy.lang", "GroovyCastException": "org.codehaus.groovy.runtime.typehandling",
		"PowerAssertionError":                    "org.codehaus.groovy.runtime.powerassert",
		"MultipleCompilationErrorsException":     "org.codehaus.groovy.control",
		"DSLException":                           "org.cloudifysource.dsl",
		"TimeoutException":                       "java.util.concurrent",
		"ExecutionException":                     "java.util.concurrent",
		"NoSuchElementException":                 "java.util",
		"ConcurrentModificationException":        "java.util",
		"EmptyStackException":                    "java.util",
		"MissingResourceException":               "java.util",
		"InputMismatchException":                 "java.util",
		"IllegalFormatException":                 "java.util",
		"IllegalFormatConversionException":       "java.util",
		"UnknownFormatConversionException":       "java.util",
		"MissingFormatArgumentException":         "java.util",
		"FormatFlagsConversionMismatchException": "java.util",
		"IllegalFormatFlagsException":            "java.util",
		"IllegalFormatPrecisionException":        "java.util",
		"IllegalFormatWidthException":            "java.util",
		"IllegalFormatCodePointException":        "java.util",
		"IllegalFormatArgumentIndexException":    "java.util",
		"DuplicateFormatFlagsException":          "java.util",
		"MissingFormatWidthException":            "java.util",
		"PatternSyntaxException":                 "java.util.regex",
		"UnknownHostException":                   "java.net",
		"SocketException":                        "java.net",
		"ConnectException":                       "java.net",
		"SocketTimeoutException":                 "java.net",
		"MalformedURLException":                  "java.net",
		"URISyntaxException":                     "java.net",
		"SQLException":                           "java.sql",
		"ParseException":                         "java.text",
		"JsonException":                          "groovy.json",
		"BuildException":                         "org.apache.tools.ant",
		"SAXException":                           "org.xml.sax",
		"SAXParseException":                      "org.xml.sax",
	}
}

func qualified(class string) string {
	if strings.Contains(class, ".") {
		return class
	}
	if p, ok := tables().exceptions[class]; ok {
		return p + "." + class
	}
	if parent(class) == "RuntimeException" && !javaLang(class) {
		return class
	}
	return "java.lang." + class
}

// javaLang says which unchecked exceptions java.lang has.
func javaLang(class string) bool {
	return hasWord("RuntimeException IllegalArgumentException IllegalStateException IllegalThreadStateException NullPointerException ArithmeticException ClassCastException UnsupportedOperationException IndexOutOfBoundsException NegativeArraySizeException ArrayStoreException SecurityException CloneNotSupportedException ClassNotFoundException InstantiationException", class)
}

// parent names the direct superclass of the exceptions scripts catch; an
// unknown exception extends RuntimeException.
func parent(class string) string {
	switch class {
	case "Throwable":
		return ""
	case "Exception", "Error":
		return "Throwable"
	case "RuntimeException", "IOException", "InterruptedException", "TimeoutException", "ExecutionException", "SQLException", "ParseException", "SAXException",
		"ClassNotFoundException", "InstantiationException", "CloneNotSupportedException", "URISyntaxException", "GeneralSecurityException", "NoSuchFieldException", "NoSuchMethodException":
		return "Exception"
	case "AssertionError", "StackOverflowError", "OutOfMemoryError", "NoClassDefFoundError", "ExceptionInInitializerError", "LinkageError":
		return "Error"
	case "PowerAssertionError":
		return "AssertionError"
	case "FileNotFoundException", "UnknownHostException", "SocketException", "MalformedURLException", "EOFException", "SocketTimeoutException", "UnsupportedEncodingException", "FileSystemException":
		return "IOException"
	case "NoSuchAlgorithmException":
		return "GeneralSecurityException"
	case "NoSuchFileException", "FileAlreadyExistsException", "DirectoryNotEmptyException", "AccessDeniedException":
		return "FileSystemException"
	case "SAXParseException":
		return "SAXException"
	case "ConnectException", "BindException", "NoRouteToHostException":
		return "SocketException"
	case "IllegalFormatConversionException", "UnknownFormatConversionException", "MissingFormatArgumentException", "FormatFlagsConversionMismatchException", "IllegalFormatFlagsException",
		"IllegalFormatPrecisionException", "IllegalFormatWidthException", "IllegalFormatCodePointException", "IllegalFormatArgumentIndexException", "DuplicateFormatFlagsException", "MissingFormatWidthException":
		return "IllegalFormatException"
	case "NumberFormatException", "PatternSyntaxException", "IllegalFormatException", "UnsupportedCharsetException", "IllegalThreadStateException":
		return "IllegalArgumentException"
	case "MissingPropertyException", "MissingMethodException", "ReadOnlyPropertyException":
		return "GroovyRuntimeException"
	case "MissingFieldException":
		return "MissingPropertyException"
	case "GroovyCastException":
		return "ClassCastException"
	case "ArrayIndexOutOfBoundsException", "StringIndexOutOfBoundsException":
		return "IndexOutOfBoundsException"
	case "InputMismatchException":
		return "NoSuchElementException"
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

// maxLine is how many bytes of a source line an error shows.
const maxLine = 160

// quote gives e the source line of its place, without control characters; of
// a long line the part around the place.
func (e *Error) quote(src string) *Error {
	for n := e.Pos.Line; n > 1; n-- {
		i := strings.IndexByte(src, '\n')
		if i < 0 {
			return e
		}
		src = src[i+1:]
	}
	line, _, _ := strings.Cut(src, "\n")
	line = strings.TrimSuffix(line, "\r")
	if len(line) > maxLine {
		line = e.window(line)
	}
	e.Source = strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, line)
	return e
}

// window cuts a long line to the part around the place.
func (e *Error) window(line string) string {
	from, to, col := 0, len(line), 1
	for i := range line {
		if col == e.Pos.Col-maxLine/2 {
			from, e.Cut = i, col-1
		}
		if i >= from+maxLine && col > e.Pos.Col {
			to = i
			break
		}
		col++
	}
	part := line[from:to]
	if from > 0 {
		_, n := utf8.DecodeRuneInString(part)
		part = "…" + part[n:]
	}
	if to < len(line) {
		part += "…"
	}
	return part
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
