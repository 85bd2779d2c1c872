package recipes

import (
	"errors"
	"io"
	"os"
	"strings"

	"appliance/recipes/groovy"
)

// textMethod are the methods that read the file.
func (o *fileObject) textMethod(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	in, err := o.open()
	if err != nil {
		return nil, err
	}
	switch name {
	case "newInputStream":
		return in, nil
	case "withInputStream", "getBytes", "readBytes", "eachByte":
		return in.Call(t, name, args)
	}
	if name == "splitEachLine" && len(args) == 3 {
		return in.Call(t, name, args)
	}
	if _, rest, err := charset(args); name != "splitEachLine" && (err != nil || len(rest) < len(args)) {
		return in.Call(t, name, args)
	}
	cs, err := in.guess(t)
	if err != nil {
		return nil, err
	}
	if in, err = in.reader(t, cs); err != nil {
		return nil, err
	}
	v, err := in.Call(t, name, args)
	if r, ok := v.(*input); ok && name == "newReader" && len(args) == 0 {
		r.class = "java.io.LineNumberReader"
	}
	return v, err
}

// guess is the charset that a byte order mark at the beginning tells, which it
// passes over; without one it is UTF-8.
func (i *input) guess(t *groovy.Thread) (*groovy.Charset, error) {
	name := "UTF-8"
	_, err := i.take(t.Context(), func(b []byte) int {
		switch text := string(b[:min(3, len(b))]); {
		case text == "\ufeff":
			return 3
		case strings.HasPrefix(text, "\xfe\xff"):
			name = "UTF-16BE"
			return 2
		case strings.HasPrefix(text, "\xff\xfe"):
			name = "UTF-16LE"
			return 2
		}
		return 0
	})
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return groovy.FindCharset(name), err
}

// written is the charset of what is written to a file. Of a file that is
// emptied Groovy looks at it sooner, and marks the order of UTF-16's bytes.
func written(args []groovy.Value, flag int) (cs *groovy.Charset, mark string, rest []groovy.Value, err error) {
	cs, rest, err = charset(args)
	if flag == os.O_APPEND {
		return cs, "", rest, err
	}
	if err != nil {
		return nil, "", nil, groovy.Throw("UnsupportedCharsetException", "%s", groovy.Format(args[0]))
	}
	if name := cs.String(); name == "UTF-16LE" || name == "UTF-16BE" {
		mark = "\ufeff"
	}
	return cs, mark, rest, nil
}

// put are the methods that write the file at once.
func (o *fileObject) put(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	if len(args) == 0 || len(args) > 2 {
		return nil, groovy.ErrNoMember
	}
	flag := os.O_TRUNC
	if name == "append" || name == "leftShift" {
		flag = os.O_APPEND
	}
	cs, mark, _, err := written(args[1:], flag)
	if err != nil {
		return nil, err
	}
	_, bytes := groovy.Bytes(args[0])
	if name == "setBytes" && !bytes {
		return nil, groovy.ErrNoMember
	}
	if err := o.refuseWrite(); err != nil {
		return nil, err
	}
	text := mark
	in, isInput := args[0].(*input)
	isInput = isInput && flag == os.O_APPEND
	bytes = bytes && (flag == os.O_APPEND || name == "setBytes")
	if !bytes && !isInput {
		s, err := show(t, args[0]) // before the file is emptied
		if err != nil {
			return nil, err
		}
		text += s
	}
	w, err := o.create(flag)
	if err != nil {
		return nil, err
	}
	switch {
	case bytes:
		err = w.add(t, args[0])
	case isInput:
		err = w.copy(t, in)
	default:
		w.cs = cs
		err = w.text(t, text)
	}
	if err = errors.Join(err, w.close()); err != nil || name != "leftShift" {
		return nil, err
	}
	return o, nil
}

// withWriter makes a stream or Writer to the file; with... give it to a closure.
func (o *fileObject) withWriter(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	flag := os.O_TRUNC
	rest := args
	if strings.HasPrefix(name, "with") {
		if _, ok := last(args).(*groovy.Closure); !ok {
			return nil, groovy.ErrNoMember
		}
		rest = args[:len(args)-1]
	}
	if n := len(rest); n > 0 && rest[n-1] == true || name == "withWriterAppend" { // newWriter([charset,] append)
		flag = os.O_APPEND
	}
	cs, mark, _, err := written(rest, flag)
	if err != nil {
		return nil, err
	}
	w, err := o.create(flag)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(name, "Stream") {
		if w, err = w.writer(name, []groovy.Value{cs}); err == nil {
			if mark != "" {
				err = w.text(t, mark)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if strings.HasPrefix(name, "new") {
		return w, nil
	}
	v, err := t.Call(last(args).(*groovy.Closure), w)
	return v, errors.Join(err, w.close())
}
