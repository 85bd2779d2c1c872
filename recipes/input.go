package recipes

import (
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"appliance/recipes/groovy"
)

// input is a java.io.InputStream, or a Reader of one: several may read the same
// stream, each goes on where another stopped.
type input struct {
	*stream
	class string
	cs    *groovy.Charset // of a Reader; nil: an InputStream
}

// bytesOf is the InputStream of a stream.
func bytesOf(s *stream) *input { return &input{stream: s, class: "java.io.BufferedInputStream"} }

// Type names the class.
func (i *input) Type() string { return i.class }

// Get reads a property.
func (i *input) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "text", "bytes":
		return i.Call(t, "get"+strings.ToUpper(id[:1])+id[1:], nil)
	}
	return nil, groovy.ErrNoMember
}

// Set refuses.
func (*input) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// ready opens the source, and says whether it may be read.
func (i *input) ready(t *groovy.Thread) error {
	if first := i.first; first != nil {
		i.first = nil
		if err := first(t); err != nil {
			return err
		}
	}
	if i.closed {
		return groovy.Throw("IOException", "Stream closed")
	}
	return nil
}

// reader is a Reader of the same stream. A charset whose bytes are not
// characters is read to its end at once.
func (i *input) reader(t *groovy.Thread, cs *groovy.Charset) (*input, error) {
	if i.cs != nil {
		return i, nil
	}
	if !cs.Unicode() && !cs.Simple() {
		raw, err := i.all(t)
		if err != nil {
			return nil, err
		}
		s := textStream(cs.Decode([]byte(raw)))
		return &input{s, "java.io.BufferedReader", groovy.UTF8()}, t.Alloc(2 * len(raw))
	}
	return &input{i.stream, "java.io.BufferedReader", cs}, nil
}

// close ends reading, and gives a file back.
func (s *stream) close() error {
	s.discard()
	s.closed = true
	if s.src == nil {
		return nil
	}
	return s.src.Close()
}

// charset takes the charset off args, if they begin with one: the default is UTF-8.
func charset(args []groovy.Value) (*groovy.Charset, []groovy.Value, error) {
	if len(args) > 0 {
		switch args[0].(type) {
		case string, *groovy.Charset:
			cs, err := groovy.CharsetOf(args[0])
			return cs, args[1:], err
		}
	}
	return groovy.UTF8(), args, nil
}

// Call calls a method.
func (i *input) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "close":
		if i.class == "java.io.ByteArrayInputStream" {
			return nil, nil
		}
		return nil, i.close()
	case "markSupported":
		return true, nil
	case "withReader", "withInputStream", "withStream", "withCloseable":
		return i.with(t, id, args)
	case "getBytes", "readBytes", "eachByte":
		if i.cs != nil {
			return nil, groovy.ErrNoMember
		}
	case "getText", "readLine", "readLines", "eachLine", "splitEachLine", "filterLine", "transformLine", "newReader", "iterator", "getIn",
		"available", "ready", "read", "skip", "mark", "reset":
	default:
		return nil, groovy.ErrNoMember
	}
	if err := i.ready(t); err != nil {
		return nil, err
	}
	if v, ok, err := i.piece(t, id, args); ok {
		return v, err
	}
	return i.whole(t, id, args)
}

// piece are the methods that read a part.
func (i *input) piece(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, bool, error) {
	switch id {
	case "available", "ready":
		if c, ok := i.src.(interface{ poll() []byte }); ok {
			i.data = append(i.data, c.poll()...)
		} else if len(i.data) == 0 && i.src != nil { // look
			b, err := i.take(t.Context(), func([]byte) int { return 0 })
			if len(b) > 0 || err != nil && !errors.Is(err, io.EOF) {
				return nil, true, err
			}
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		if id == "ready" {
			return len(i.data) > 0, true, nil
		}
		return int64(len(i.data)), true, nil
	case "readLine":
		r, err := i.reader(t, groovy.UTF8())
		if err != nil {
			return nil, true, err
		}
		line, ok, err := r.textLine(t)
		if err != nil || !ok {
			return nil, true, err
		}
		return line, true, nil
	case "read":
		v, err := i.read(t, args)
		return v, true, err
	case "skip":
		n, _ := groovy.Int(last(args))
		got, err := i.next(t, int(min(max(n, 0), maxUnread)))
		return groovy.Long(len(got)), true, err
	case "mark":
		i.marked, i.taken = true, nil
		return nil, true, nil
	case "reset":
		if i.marked {
			i.data, i.taken = slices.Concat(i.taken, i.data), nil
			return nil, true, nil
		}
		return nil, true, groovy.Throw("IOException", "Stream not marked")
	}
	return nil, false, nil
}

// next reads up to n bytes or characters, at least one; none at the end.
func (i *input) next(t *groovy.Thread, n int) ([]groovy.Value, error) {
	if n == 0 {
		return nil, nil
	}
	b, err := i.take(t.Context(), func(b []byte) int {
		if i.cs == nil || i.cs.Simple() {
			return min(n, len(b))
		}
		end := 0
		for range n {
			if end == len(b) || !utf8.FullRune(b[end:]) {
				break
			}
			_, size := utf8.DecodeRune(b[end:])
			end += size
		}
		if end == 0 {
			return -1
		}
		return end
	})
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := t.Alloc(16 * len(b)); err != nil {
		return nil, err
	}
	var out []groovy.Value
	if i.cs == nil {
		return groovy.NewBytes(b).Elems, nil
	}
	for _, r := range i.cs.Decode(b) {
		out = append(out, groovy.Char(r))
	}
	return out, nil
}

// read is read(), and read(array [, from, n]).
func (i *input) read(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	if len(args) == 0 {
		got, err := i.next(t, 1)
		if err != nil || len(got) == 0 {
			return int64(-1), err
		}
		if c, ok := got[0].(groovy.Char); ok {
			return int64(c), nil
		}
		n, _ := groovy.Int(got[0])
		return n & 0xff, nil
	}
	want := "byte[]"
	if i.cs != nil {
		want = "char[]"
	}
	l, ok := args[0].(*groovy.List)
	if !ok || groovy.TypeName(l) != want || len(args) != 1 && len(args) != 3 {
		return nil, groovy.ErrNoMember
	}
	from, n := int64(0), int64(len(l.Elems))
	if len(args) == 3 {
		from, _ = groovy.Int(args[1])
		n, _ = groovy.Int(args[2])
	}
	if from < 0 || n < 0 || from+n > int64(len(l.Elems)) {
		return nil, groovy.Throw("IndexOutOfBoundsException", "%d bytes at %d of %d", n, from, len(l.Elems))
	}
	if n == 0 {
		return int64(0), nil
	}
	got, err := i.next(t, int(n))
	if err != nil || len(got) == 0 {
		return int64(-1), err
	}
	copy(l.Elems[from:], got)
	return int64(len(got)), nil
}

// textLine is the next line.
func (i *input) textLine(t *groovy.Thread) (string, bool, error) {
	b, ok, err := i.line(t)
	if err != nil || !ok {
		return "", false, err
	}
	return i.cs.Decode(b), true, nil
}

// with gives a closure the stream, or a Reader of it, and closes it after that.
func (i *input) with(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	c, ok := last(args).(*groovy.Closure)
	if !ok {
		return nil, groovy.ErrNoMember
	}
	if err := i.ready(t); err != nil {
		return nil, err
	}
	in := i
	if id == "withReader" {
		cs, _, err := charset(args)
		if err != nil {
			return nil, err
		}
		if in, err = i.reader(t, cs); err != nil {
			return nil, err
		}
	}
	v, err := t.Call(c, in)
	return v, errors.Join(err, i.close())
}

// whole are the methods that read to the end, or make a Reader.
func (i *input) whole(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "getBytes", "readBytes":
		s, err := i.all(t)
		if err != nil {
			return nil, err
		}
		return groovy.NewBytes([]byte(s)), errors.Join(t.Alloc(16*len(s)), i.spent())
	case "eachByte":
		return i.eachByte(t, args)
	case "iterator":
		if i.cs == nil {
			l, err := i.whole(t, "getBytes", nil)
			if err != nil {
				return nil, err
			}
			return t.CallMethod(l, "iterator", nil)
		}
	case "splitEachLine":
		if len(args) > 1 { // the charset comes second
			args = append(slices.Clone(args[1:]), args[0])
		}
	}
	cs, args, err := charset(args)
	if err != nil {
		return nil, err
	}
	if id == "splitEachLine" && len(args) > 0 {
		args = append([]groovy.Value{last(args)}, args[:len(args)-1]...)
	}
	r, err := i.reader(t, cs)
	if err != nil || id == "newReader" || id == "getIn" {
		return r, err
	}
	v, err := r.lines(t, id, args)
	return v, errors.Join(err, i.spent())
}

// spent gives a file back that was read to its end.
func (s *stream) spent() error {
	if s.src == nil {
		return nil
	}
	return s.close()
}

func (i *input) eachByte(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	c, ok := last(args).(*groovy.Closure)
	if !ok {
		return nil, groovy.ErrNoMember
	}
	if len(args) == 1 {
		for {
			got, err := i.next(t, 1)
			if err != nil || len(got) == 0 {
				return nil, errors.Join(err, i.spent())
			}
			if _, err = t.Call(c, got[0]); err != nil {
				return nil, err
			}
		}
	}
	n, _ := groovy.Int(args[0])
	buf := groovy.NewBytes(make([]byte, min(max(n, 1), maxRead))) // one for all pieces
	if err := t.Alloc(16 * len(buf.Elems)); err != nil {
		return nil, err
	}
	for {
		got, err := i.next(t, len(buf.Elems))
		if err != nil || len(got) == 0 {
			return nil, errors.Join(err, i.spent())
		}
		copy(buf.Elems, got)
		if _, err = t.Call(c, buf, int64(len(got))); err != nil {
			return nil, err
		}
	}
}

// lines are the methods of a Reader that read to the end.
func (i *input) lines(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "getText":
		s, err := i.all(t)
		if err != nil {
			return nil, err
		}
		s = i.cs.Decode([]byte(s))
		return s, t.Alloc(len(s))
	case "eachLine":
		return i.eachLine(t, args)
	case "readLines", "iterator":
		l := groovy.NewList()
		err := i.each(t, func(line string) error {
			l.Elems = append(l.Elems, line)
			return nil
		})
		if err != nil || id == "readLines" {
			return l, err
		}
		return t.CallMethod(l, "iterator", nil)
	}
	c, ok := last(args).(*groovy.Closure)
	if !ok || len(args) > 2 {
		return nil, groovy.ErrNoMember
	}
	switch id {
	case "splitEachLine":
		var v groovy.Value
		err := i.each(t, func(line string) (err error) {
			v, err = t.CallMethod(line+"\n", id, args)
			return err
		})
		return v, err
	case "transformLine", "filterLine":
		return i.copyLines(t, id, args, c)
	}
	return nil, groovy.ErrNoMember
}

// each calls f for each line as it comes.
func (i *input) each(t *groovy.Thread, f func(line string) error) error {
	for {
		line, ok, err := i.textLine(t)
		if err != nil || !ok {
			return err
		}
		if err := f(line); err != nil {
			return err
		}
	}
}

// copyLines is filterLine and transformLine: the lines that the closure keeps,
// or makes of them, go to a Writer; without one they are the result.
func (i *input) copyLines(t *groovy.Thread, id string, args []groovy.Value, c *groovy.Closure) (groovy.Value, error) {
	var out groovy.Value
	if len(args) == 2 {
		out = args[0]
	} else {
		class, _ := t.Class("StringWriter")
		w, err := t.CallMethod(class, "newInstance", nil)
		if err != nil || id != "filterLine" {
			return nil, errors.Join(err, groovy.ErrNoMember)
		}
		out = w
	}
	err := i.each(t, func(line string) error {
		v, err := t.Call(c, line)
		if err != nil || id == "filterLine" && !groovy.Truth(v) {
			return err
		}
		if id == "transformLine" {
			line = groovy.Format(v)
		}
		_, err = t.CallMethod(out, "write", []groovy.Value{line + "\n"})
		return err
	})
	if len(args) == 2 || err != nil {
		return nil, err
	}
	return out, nil
}

// eachLine calls a closure for each line as it comes, with its number when the
// closure takes two; the first is 1 unless it is told.
func (i *input) eachLine(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	c, ok := last(args).(*groovy.Closure)
	if !ok || len(args) > 2 {
		return nil, groovy.ErrNoMember
	}
	n := int64(1)
	if len(args) == 2 {
		n, _ = groovy.Int(args[0])
	}
	var v groovy.Value
	err := i.each(t, func(line string) (err error) {
		if c.Params() == 2 {
			v, err = t.Call(c, line, n)
		} else {
			v, err = t.Call(c, line)
		}
		n++
		return err
	})
	return v, err
}

func last(args []groovy.Value) groovy.Value {
	if len(args) == 0 {
		return nil
	}
	return args[len(args)-1]
}
