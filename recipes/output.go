package recipes

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// sink is where streams and writers write: several may share it. What is
// written is there at once.
type sink struct {
	w        io.WriteCloser // nil: the script's output
	closed   bool
	shut     func()        // called once when it is closed; nil: nothing
	inMemory *bytes.Buffer // w is it
}

func (s *sink) close() error {
	if s.closed || s.w == nil {
		return nil
	}
	s.closed = true
	if s.shut != nil {
		s.shut()
	}
	return s.w.Close()
}

// write writes b. A process that does not read holds the script up until the
// evaluation ends.
func (s *sink) write(t *groovy.Thread, b []byte) error {
	if err := s.send(t, b); errors.Is(err, os.ErrClosed) {
		return groovy.Throw("IOException", "Stream Closed")
	} else if err != nil {
		return err
	}
	return nil
}

func (s *sink) send(t *groovy.Thread, b []byte) error {
	if s.w == nil {
		return t.Print(string(b))
	}
	if s.closed && s.inMemory == nil {
		return os.ErrClosed
	}
	if s.inMemory != nil {
		if s.inMemory.Len()+len(b) > 2*maxRead {
			return groovy.Throw("OutOfMemoryError", "a stream of more than %d bytes", 2*maxRead)
		}
		if err := t.Alloc(2 * len(b)); err != nil {
			return err
		}
	}
	if f, ok := s.w.(interface{ SetWriteDeadline(t time.Time) error }); ok {
		stop := context.AfterFunc(t.Context(), func() { _ = f.SetWriteDeadline(time.Unix(1, 0)) }) // of a pipe or a connection
		defer stop()
	}
	if _, err := s.w.Write(b); err != nil {
		if t.Context().Err() != nil || errors.Is(err, os.ErrClosed) {
			return errors.Join(t.Context().Err(), err)
		}
		return groovy.Throw("IOException", "%s", reason(err))
	}
	return nil
}

// writer is a java.io.OutputStream, or a Writer of one.
type writer struct {
	*sink
	class string
	cs    *groovy.Charset // of a Writer; nil: an OutputStream
}

// outputTo is the OutputStream that writes to w.
func outputTo(w io.WriteCloser) *writer {
	return &writer{&sink{w: w}, "java.io.BufferedOutputStream", nil}
}

// console is System.out.
func console() groovy.Value { return &writer{&sink{}, "java.io.PrintStream", nil} }

// Type names the class.
func (w *writer) Type() string { return w.class }

// Get knows no properties.
func (*writer) Get(*groovy.Thread, string) (groovy.Value, error) { return nil, groovy.ErrNoMember }

// Set writes bytes.
func (w *writer) Set(t *groovy.Thread, id string, v groovy.Value) error {
	if id != "bytes" || w.cs != nil {
		return groovy.ErrNoMember
	}
	_, err := w.Call(t, "setBytes", []groovy.Value{v})
	return err
}

// prints says that the class has print itself: PrintWriter and PrintStream.
func (w *writer) prints() bool { return strings.HasPrefix(w.class, "java.io.Print") }

// text writes a text in the writer's charset.
func (w *writer) text(t *groovy.Thread, s string) error {
	cs := w.cs
	if cs == nil {
		cs = groovy.UTF8()
	} else {
		w.cs = cs.Rest()
	}
	switch err := w.write(t, cs.Encode(s)); {
	case w.prints() && w.closed: // says nothing
		return nil
	case w.closed && w.inMemory == nil && w.cs != nil:
		return groovy.Throw("IOException", "Stream closed")
	default:
		return err
	}
}

// Call calls a method.
func (w *writer) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "flush":
		return nil, nil
	case "close":
		return nil, w.close()
	case "checkError":
		return false, nil
	case "newLine":
		return nil, w.text(t, "\n")
	case "withWriter", "withOutputStream", "withStream", "withPrintWriter", "withCloseable":
		return w.with(t, id, args)
	case "newWriter", "newPrintWriter":
		return w.writer(id, args)
	case "write":
		return nil, w.put(t, args)
	case "setBytes":
		if b, ok := groovy.Bytes(last(args)); ok {
			return nil, errors.Join(w.write(t, b), w.close())
		}
	case "append", "leftShift":
		if text, ok := part3(id, args); ok && w.prints() {
			return w, w.text(t, text)
		}
		if len(args) == 3 && w.cs != nil {
			return w, w.put(t, []groovy.Value{part(args)})
		}
		if len(args) == 1 && (id == "leftShift" || w.cs != nil || w.prints()) {
			return w.after(args[0]), w.add(t, args[0])
		}
	case "writeLine", "print", "println", "printf", "format":
		return w.print(t, id, args)
	}
	return nil, groovy.ErrNoMember
}

// after is what << returns: of a stream that was given text, a Writer.
func (w *writer) after(v groovy.Value) *writer {
	_, isBytes := groovy.Bytes(v)
	if _, isInput := v.(*input); isInput || isBytes || w.cs != nil || w.prints() {
		return w
	}
	return &writer{w.sink, "java.io.OutputStreamWriter", groovy.UTF8()}
}

// part3 is part, where it is a text.
func part3(id string, args []groovy.Value) (string, bool) {
	if id != "append" || len(args) != 3 {
		return "", false
	}
	s, ok := part(args).(string)
	return s, ok
}

// part is what append(text, from, to) appends.
func part(args []groovy.Value) groovy.Value {
	s := []rune(groovy.Format(args[0]))
	from, _ := groovy.Int(args[1])
	to, _ := groovy.Int(args[2])
	if from < 0 || to < from || to > int64(len(s)) {
		return nil
	}
	return string(s[from:to])
}

// writer is a Writer of the stream.
func (w *writer) writer(id string, args []groovy.Value) (*writer, error) {
	cs, _, err := charset(args)
	if err != nil || w.cs != nil && id == "newWriter" {
		return w, err
	}
	if w.cs != nil {
		cs = w.cs
	}
	class := "java.io.BufferedWriter"
	if strings.Contains(strings.ToLower(id), "print") {
		class = "groovy.io.GroovyPrintWriter"
		if id == "PrintWriter" {
			class = "java.io.PrintWriter"
		}
	}
	return &writer{w.sink, class, cs}, nil
}

// with gives a closure the stream, or a Writer of it, and closes it after that,
// also when the closure throws.
func (w *writer) with(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	c, ok := last(args).(*groovy.Closure)
	if !ok {
		return nil, groovy.ErrNoMember
	}
	out := w
	if strings.HasSuffix(id, "Writer") && (w.cs == nil || id == "withPrintWriter") {
		var err error
		if out, err = w.writer(id, args); err != nil {
			return nil, err
		}
	}
	v, err := t.Call(c, out)
	return v, errors.Join(err, w.close())
}

// put is write: numbers are bytes, or characters; arrays may have a part told.
func (w *writer) put(t *groovy.Thread, args []groovy.Value) error {
	if len(args) != 1 && len(args) != 3 {
		return groovy.ErrNoMember
	}
	if n, ok := args[0].(int64); ok && len(args) == 1 {
		if w.cs == nil {
			return w.write(t, []byte{byte(n)})
		}
		return w.text(t, string(rune(n)))
	}
	from, n := int64(0), int64(-1)
	if len(args) == 3 {
		from, _ = groovy.Int(args[1])
		n, _ = groovy.Int(args[2])
	}
	cut := func(size int) (int64, int64, error) {
		if n < 0 && len(args) == 1 {
			n = int64(size)
		}
		if from < 0 || n < 0 || from+n > int64(size) {
			return 0, 0, groovy.Throw("IndexOutOfBoundsException", "%d at %d of %d", n, from, size)
		}
		return from, from + n, nil
	}
	switch v := args[0].(type) {
	case *groovy.List:
		b, ok := groovy.Bytes(v)
		if ok != (w.cs == nil) || !ok && groovy.TypeName(v) != "char[]" {
			return groovy.ErrNoMember
		}
		from, to, err := cut(len(v.Elems))
		if err != nil {
			return err
		}
		if ok {
			return w.write(t, b[from:to])
		}
		var s strings.Builder
		for _, c := range v.Elems[from:to] {
			s.WriteString(groovy.Format(c))
		}
		return w.text(t, s.String())
	case string:
		if w.cs == nil {
			return groovy.ErrNoMember // as Java's
		}
		r := []rune(v)
		from, to, err := cut(len(r))
		if err != nil {
			return err
		}
		return w.text(t, string(r[from:to]))
	case nil:
		return groovy.Throw("NullPointerException", "write(null)")
	}
	if w.cs == nil {
		return groovy.ErrNoMember
	}
	s, err := show(t, args[0])
	if err != nil {
		return err
	}
	return w.text(t, s)
}

// show is the text of a value, by its own toString.
func show(t *groovy.Thread, v groovy.Value) (string, error) {
	if v == nil {
		return "null", nil
	}
	s, err := t.CallMethod(v, "toString", nil)
	return groovy.Format(s), err
}

// add is <<: the bytes of an array go to a stream as they are, streams and
// readers are copied, all else is text.
func (w *writer) add(t *groovy.Thread, v groovy.Value) error {
	if b, ok := groovy.Bytes(v); ok && w.cs == nil {
		return w.write(t, b)
	}
	if in, ok := v.(*input); ok {
		return w.copy(t, in)
	}
	s, err := show(t, v)
	if err != nil {
		return err
	}
	return w.text(t, s)
}

// copy writes what is left of in. Bytes stay as they are, unless a charset says
// otherwise.
func (w *writer) copy(t *groovy.Thread, in *input) error {
	if err := in.ready(t); err != nil {
		return err
	}
	if w.cs != nil || in.cs != nil && !in.cs.Unicode() {
		v, err := in.Call(t, "getText", nil)
		if err != nil {
			return err
		}
		return w.text(t, groovy.Format(v))
	}
	for {
		b, err := in.take(t.Context(), func(b []byte) int { return len(b) })
		if errors.Is(err, io.EOF) {
			return in.spent()
		}
		if err != nil {
			return err
		}
		if err := w.write(t, b); err != nil {
			return err
		}
	}
}

// print are print, println and printf. An OutputStream has none: Groovy's own
// print to the script's output.
func (w *writer) print(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	s := ""
	var err error
	switch {
	case id == "printf" || id == "format":
		class, _ := t.Class("String")
		var v groovy.Value
		v, err = t.CallMethod(class, "format", args)
		s = groovy.Format(v)
	case len(args) > 1 || len(args) == 0 && id != "println":
		return nil, groovy.ErrNoMember
	case len(args) == 1:
		s, err = show(t, args[0])
	}
	if err != nil {
		return nil, err
	}
	if id == "println" || id == "writeLine" {
		s += "\n"
	}
	if w.cs == nil && !w.prints() {
		return nil, t.Print(s)
	}
	return nil, w.text(t, s)
}

// byteArray is a java.io.ByteArrayOutputStream.
type byteArray struct{ writer }

type noClose struct{ io.Writer }

// Close does nothing.
func (noClose) Close() error { return nil }

func newByteArray() *byteArray {
	b := &bytes.Buffer{}
	return &byteArray{writer{&sink{w: noClose{b}, inMemory: b}, "java.io.ByteArrayOutputStream", nil}}
}

func (b *byteArray) String() string { return groovy.UTF8().Decode(b.inMemory.Bytes()) }

// Call calls a method.
func (b *byteArray) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "toByteArray":
		return groovy.NewBytes(b.inMemory.Bytes()), t.Alloc(16 * b.inMemory.Len())
	case "size":
		return int64(b.inMemory.Len()), nil
	case "reset":
		b.inMemory.Reset()
		return nil, nil
	case "toString":
		cs, _, err := charset(args)
		if err != nil {
			return nil, err
		}
		return cs.Decode(b.inMemory.Bytes()), t.Alloc(2 * b.inMemory.Len())
	case "writeTo":
		if w, ok := outputOf(last(args)); ok {
			return nil, w.write(t, b.inMemory.Bytes())
		}
	}
	v, err := b.writer.Call(t, id, args)
	if v == &b.writer {
		v = b
	}
	return v, err
}

// outputOf is the stream or writer that a value is.
func outputOf(v groovy.Value) (*writer, bool) {
	if b, ok := v.(*byteArray); ok {
		return &b.writer, true
	}
	w, ok := v.(*writer)
	return w, ok
}
