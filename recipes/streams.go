package recipes

import (
	"os"
	"strings"

	"appliance/recipes/groovy"
)

// streamNames are the classes of java.io that read and write.
func streamNames() []string {
	return []string{"FileInputStream", "FileReader", "BufferedInputStream", "DataInputStream", "BufferedReader", "LineNumberReader", "InputStreamReader", "StringReader", "ByteArrayInputStream",
		"FileOutputStream", "FileWriter", "BufferedOutputStream", "DataOutputStream", "BufferedWriter", "OutputStreamWriter", "PrintWriter", "PrintStream", "ByteArrayOutputStream"}
}

// newStreamOf makes an object of one of streamNames.
func (f *folder) newStreamOf(name string) func(*groovy.Thread, []groovy.Value) (groovy.Value, error) {
	return func(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
		class := "java.io." + name
		if name == "ByteArrayOutputStream" {
			return newByteArray(), t.Alloc(64)
		}
		if len(args) == 0 {
			return nil, groovy.Throw("GroovyRuntimeException", "Could not find matching constructor for: %s()", class)
		}
		if args[0] == nil {
			return nil, groovy.Throw("NullPointerException", "new %s(null)", name)
		}
		var v groovy.Value
		var err error
		switch name {
		case "ByteArrayInputStream", "StringReader", "FileInputStream", "FileReader":
			v, err = f.source(t, name, args)
		case "BufferedInputStream", "DataInputStream", "BufferedReader", "LineNumberReader", "InputStreamReader":
			v, err = wrapInput(t, name, args)
		default:
			v, err = f.newOutput(name, args)
		}
		if v == nil && err == nil {
			return nil, groovy.Throw("GroovyRuntimeException", "Could not find matching constructor for: %s(%s)", class, groovy.TypeName(args[0]))
		}
		return v, err
	}
}

// fileOf is the File that a value is, or names.
func (f *folder) fileOf(v groovy.Value) (*fileObject, bool) {
	switch v := v.(type) {
	case *fileObject:
		return v, true
	case string:
		return &fileObject{f, tidy(v)}, true
	}
	return nil, false
}

// fromStart is a stream of a text that reset begins anew.
func fromStart(text string) *stream {
	s := textStream(text)
	s.marked = true
	return s
}

// source makes a stream or Reader of a file, a text or bytes.
func (f *folder) source(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	class := "java.io." + name
	switch name {
	case "ByteArrayInputStream":
		b, ok := groovy.Bytes(args[0])
		if !ok || len(args) != 1 {
			return nil, nil
		}
		return &input{fromStart(string(b)), class, nil}, t.Alloc(len(b))
	case "StringReader":
		s, err := show(t, args[0])
		return &input{fromStart(s), class, groovy.UTF8()}, err
	}
	file, ok := f.fileOf(args[0])
	if !ok {
		return nil, nil
	}
	cs, rest, err := charset(args[1:])
	if err != nil || len(rest) > 0 {
		return nil, err
	}
	in, err := file.open()
	if err != nil {
		return nil, err
	}
	if name == "FileReader" {
		if in, err = in.reader(t, cs); err != nil {
			return nil, err
		}
	}
	in.class = class
	return in, nil
}

// wrapInput makes a stream or Reader of another one.
func wrapInput(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	in, ok := args[0].(*input)
	if !ok {
		return nil, nil
	}
	class, out := "java.io."+name, *in
	if strings.HasSuffix(name, "Reader") {
		cs, _, err := charset(args[1:])
		if err != nil || name == "InputStreamReader" == (in.cs != nil) {
			return nil, err
		}
		if in.first == nil && !in.closed {
			r, err := in.reader(t, cs)
			if err != nil {
				return nil, err
			}
			out = *r
		} else {
			out.cs = cs
		}
	} else if in.cs != nil {
		return nil, nil
	}
	out.class = class
	return &out, nil
}

// newOutput makes a stream or Writer to a file, or to another one.
func (f *folder) newOutput(name string, args []groovy.Value) (groovy.Value, error) {
	class := "java.io." + name
	if _, isText := args[0].(*groovy.Functions); !isText && groovy.TypeName(args[0]) == "java.lang.StringWriter" {
		return args[0], nil // it prints itself
	}
	w, ok := outputOf(args[0])
	cs, rest, err := charset(args[1:])
	if err != nil {
		return nil, err
	}
	writer := strings.HasSuffix(name, "Writer")
	if !ok {
		file, isFile := f.fileOf(args[0])
		if !isFile || strings.HasPrefix(name, "Buffered") || name == "OutputStreamWriter" || name == "DataOutputStream" {
			return nil, nil
		}
		flag := os.O_TRUNC
		if strings.HasPrefix(name, "File") && len(rest) > 0 && groovy.Truth(rest[0]) {
			flag = os.O_APPEND
		}
		if w, err = file.create(flag); err != nil {
			return nil, err
		}
	}
	out := *w
	out.class = class
	switch {
	case ok && strings.HasPrefix(name, "File"), !writer && w.cs != nil, name == "OutputStreamWriter" && w.cs != nil, name == "BufferedWriter" && w.cs == nil:
		return nil, nil
	case writer && w.cs == nil, name == "PrintStream":
		out.cs = cs
	}
	return &out, nil
}
