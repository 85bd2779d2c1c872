package recipes

import (
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"appliance/recipes/groovy"
)

// fileObject is java.io.File. While a recipe is checked it reads the recipe's
// own files and refuses the rest.
type fileObject struct {
	f    *folder
	path string
}

// maxRead is the size of the largest file that a script may read at once.
const maxRead = 16 << 20

// newFile is new File(path), new File(folder, name) and new File(uri).
func (f *folder) newFile(_ *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	if len(args) == 0 || len(args) > 2 {
		return nil, groovy.Throw("IllegalArgumentException", "File takes a path, or a folder and a name")
	}
	if last(args) == nil {
		return nil, groovy.Throw("GroovyRuntimeException", "Ambiguous method overloading for method java.io.File#<init>.")
	}
	if u, ok := args[0].(*urlObject); ok && len(args) == 1 {
		if u.u.Scheme != "file" {
			return nil, groovy.Throw("IllegalArgumentException", "URI scheme is not \"file\"")
		}
		return &fileObject{f, tidy(u.u.Path)}, nil
	}
	p := groovy.Format(last(args))
	if len(args) == 2 && args[0] != nil {
		p = groovy.Format(args[0]) + "/" + p
	}
	return &fileObject{f, tidy(p)}, nil
}

// tidy is the path as java.io.File keeps it: without doubled or trailing slashes.
func tidy(p string) string {
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	if len(p) > 1 {
		p = strings.TrimSuffix(p, "/")
	}
	return p
}

// parent is the path above; nil when there is none.
func (o *fileObject) parent() groovy.Value {
	i := strings.LastIndexByte(o.path, '/')
	switch {
	case i < 0 || o.path == "/":
		return nil
	case i == 0:
		return "/"
	}
	return o.path[:i]
}

func (o *fileObject) name() string { return o.path[strings.LastIndexByte(o.path, '/')+1:] }

// child is a file of the folder.
func (o *fileObject) child(name string) *fileObject {
	return &fileObject{o.f, tidy(o.path + "/" + name)}
}

// canonical is the absolute path without "..", links followed as far as they
// exist; while a recipe is checked none is looked for.
func (o *fileObject) canonical() string {
	p := o.abs()
	if o.f.checking() {
		return filepath.Clean(p)
	}
	for rest := ""; ; {
		if q, err := filepath.EvalSymlinks(p); err == nil {
			return filepath.Join(q, rest)
		}
		i := strings.LastIndexByte(p, '/')
		if i < 0 {
			return filepath.Join(p, rest)
		}
		p, rest = p[:i], filepath.Join(p[i+1:], rest)
		if p == "" {
			p = "/"
		}
	}
}

// Key and Compare make files with the same path equal, and order them.
func (o *fileObject) Key() string { return o.path }

// Compare orders files by their paths.
func (o *fileObject) Compare(v groovy.Value) (int, bool) {
	p, ok := v.(*fileObject)
	if !ok {
		return 0, false
	}
	return strings.Compare(o.path, p.path), true
}

// Type names the class; String is the path, as File.toString gives it.
func (o *fileObject) Type() string   { return "java.io.File" }
func (o *fileObject) String() string { return o.path }

func (o *fileObject) abs() string {
	switch {
	case filepath.IsAbs(o.path) || o.f.checking():
		return o.path
	case o.path == "":
		return o.f.dir
	}
	return strings.TrimSuffix(o.f.dir, "/") + "/" + o.path
}

// reason is the cause of an error of the system, as Java words it.
func reason(err error) string {
	var no syscall.Errno
	if errors.As(err, &no) {
		s := no.Error()
		return strings.ToUpper(s[:1]) + s[1:]
	}
	if errors.Is(err, os.ErrClosed) {
		return "Stream Closed"
	}
	return err.Error()
}

// fault is an error of the system as Java's.
func (o *fileObject) fault(err error) error {
	return groovy.Throw("FileNotFoundException", "%s (%s)", o.path, reason(err))
}

func (o *fileObject) refuseWrite() error {
	if o.f.checking() {
		return groovy.Throw("SecurityException", "files are not written while a recipe is checked")
	}
	return nil
}

// open is the file as a stream.
func (o *fileObject) open() (*input, error) {
	if o.f.checking() {
		if o.f.src.fsys == nil {
			return nil, groovy.Throw("FileNotFoundException", "%s", o.path)
		}
		if !filepath.IsLocal(o.path) && !filepath.IsAbs(o.path) {
			return nil, groovy.Throw("SecurityException", "%s is outside of the recipe's folder", o.path)
		}
		s, err := readText(o.f.src.fsys, path.Join(o.f.src.dir, o.path))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, o.fault(syscall.ENOENT)
		}
		return bytesOf(textStream(s)), err
	}
	file, err := os.Open(o.abs())
	if err == nil {
		if info, serr := file.Stat(); serr == nil && info.IsDir() {
			err = errors.Join(syscall.EISDIR, file.Close())
		}
	}
	if err != nil {
		return nil, o.fault(err)
	}
	s := newStream()
	s.src = &held{file, o.f}
	o.f.opened = append(o.f.opened, s.src)
	return bytesOf(s), nil
}

// held is an open file of the evaluation, which closes what the script leaves open.
type held struct {
	*os.File
	f *folder
}

// Close closes the file; once more is nothing.
func (h *held) Close() error {
	h.f.forget(h)
	if err := h.File.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// forget takes c out of what is closed at the end.
func (f *folder) forget(c io.Closer) {
	for i := len(f.opened) - 1; i >= 0; i-- {
		if f.opened[i] == c {
			f.opened = append(f.opened[:i:i], f.opened[i+1:]...)
			return
		}
	}
}

// create is a stream to the file, which is emptied unless flag says otherwise.
func (o *fileObject) create(flag int) (*writer, error) {
	if err := o.refuseWrite(); err != nil {
		return nil, err
	}
	w, err := o.out(flag)
	if err != nil {
		return nil, o.fault(err)
	}
	return w, nil
}

// out is create with the system's errors.
func (o *fileObject) out(flag int) (*writer, error) {
	file, err := os.OpenFile(o.abs(), os.O_WRONLY|os.O_CREATE|flag, 0o644)
	if err != nil {
		return nil, err
	}
	h := &held{file, o.f}
	o.f.opened = append(o.f.opened, h)
	return outputTo(h), nil
}

// append adds bytes at the end.
func (o *fileObject) append(t *groovy.Thread, text string) error {
	w, err := o.create(os.O_APPEND)
	if err != nil {
		return err
	}
	return errors.Join(w.write(t, []byte(text)), w.close())
}

// Get reads a property of the file.
func (o *fileObject) Get(t *groovy.Thread, name string) (groovy.Value, error) {
	switch name {
	case "text", "bytes":
		return o.textMethod(t, "get"+strings.ToUpper(name[:1])+name[1:], nil)
	case "name":
		return o.name(), nil
	case "path":
		return o.path, nil
	case "absolutePath":
		return o.abs(), nil
	case "canonicalPath":
		return o.canonical(), nil
	case "parent":
		return o.parent(), nil
	case "parentFile":
		if p, ok := o.parent().(string); ok {
			return &fileObject{o.f, p}, nil
		}
		return nil, nil
	case "absoluteFile":
		return &fileObject{o.f, o.abs()}, nil
	case "canonicalFile":
		return &fileObject{o.f, o.canonical()}, nil
	case "freeSpace", "usableSpace", "totalSpace":
		if !o.f.checking() {
			return o.space(name), nil
		}
	}
	return nil, groovy.ErrNoMember
}

// Set writes the text or the bytes of the file, or changes its rights or time.
func (o *fileObject) Set(t *groovy.Thread, name string, v groovy.Value) error {
	switch name {
	case "text", "bytes", "readable", "writable", "executable", "lastModified":
		_, err := o.Call(t, "set"+strings.ToUpper(name[:1])+name[1:], []groovy.Value{v})
		return err
	}
	return groovy.ErrNoMember
}

// Call calls a method of the file.
func (o *fileObject) Call(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	switch name {
	case "toURL", "toURI":
		return o.url(), nil
	case "toPath":
		return &pathObject{o}, nil
	case "compareTo":
		if to, ok := last(args).(*fileObject); ok {
			return t.CallMethod(o.path, "compareTo", []groovy.Value{to.path})
		}
		return nil, groovy.ErrNoMember
	case "hashCode":
		h, err := t.CallMethod(o.path, "hashCode", nil)
		n, _ := h.(int64)
		return int64(int32(n) ^ 1234321), err
	case "write", "setText", "append", "leftShift", "setBytes":
		return o.put(t, name, args)
	case "withWriter", "withWriterAppend", "withPrintWriter", "withOutputStream", "newWriter", "newPrintWriter", "newOutputStream":
		return o.withWriter(t, name, args)
	case "getText", "readLines", "eachLine", "splitEachLine", "filterLine", "eachByte", "getBytes", "readBytes",
		"withReader", "withInputStream", "newReader", "newInputStream":
		return o.textMethod(t, name, args)
	}
	if v, ok, err := o.folderMethod(t, name, args); ok {
		return v, err
	}
	if o.f.checking() {
		if name == "exists" || name == "isFile" {
			in, err := o.open()
			if err != nil {
				return false, nil
			}
			return true, in.close()
		}
		if !asks(name) {
			return nil, groovy.ErrNoMember
		}
		return nil, groovy.Throw("SecurityException", "File.%s is not available while a recipe is checked", name)
	}
	return o.system(t, name, args)
}

// url is the file's URL. While a recipe is checked the file stands for it.
func (o *fileObject) url() groovy.Value {
	if o.f.checking() {
		return o
	}
	p := o.abs()
	if info, err := os.Stat(p); err == nil && info.IsDir() && p != "/" {
		p += "/"
	}
	raw := ""
	for _, r := range p {
		if part := string(r); r > 127 {
			raw += part // as Java's
		} else {
			raw += (&url.URL{Path: part}).EscapedPath()
		}
	}
	return &urlObject{f: o.f, u: &url.URL{Scheme: "file", Path: p}, raw: "file:" + raw}
}
