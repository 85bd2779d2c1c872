package recipes

import (
	"archive/zip"
	"io"
	"strings"

	"appliance/recipes/groovy"
)

// zipFile is a java.util.zip.ZipFile: an archive's table, read when it is made.
type zipFile struct {
	path  string
	names []string
	infos map[string]zip.FileHeader
}

func (f *folder) newZipFile(_ *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	if len(args) == 0 {
		return nil, groovy.Throw("IllegalArgumentException", "ZipFile takes a file or its name")
	}
	if f.checking() {
		return nil, unchecked("ZipFile")
	}
	z := &zipFile{path: (&fileObject{f, groovy.Format(args[0])}).abs(), infos: map[string]zip.FileHeader{}}
	r, err := zip.OpenReader(z.path)
	if err != nil {
		return nil, groovy.Throw("ZipException", "%s: %v", z.path, err)
	}
	for _, e := range r.File {
		z.names = append(z.names, e.Name)
		z.infos[e.Name] = e.FileHeader
	}
	return z, r.Close()
}

// Type names the class.
func (*zipFile) Type() string     { return "java.util.zip.ZipFile" }
func (z *zipFile) String() string { return z.path }

// Get reads a property.
func (z *zipFile) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	if id == "name" {
		return z.path, nil
	}
	return nil, groovy.ErrNoMember
}

// Set refuses.
func (*zipFile) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call calls a method.
func (z *zipFile) Call(t *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
	switch m {
	case "entries":
		l := groovy.NewList()
		for _, n := range z.names {
			l.Elems = append(l.Elems, &zipEntry{z.infos[n]})
		}
		return l, t.Alloc(64 * len(z.names))
	case "getEntry":
		if h, ok := z.infos[groovy.Format(last(args))]; ok {
			return &zipEntry{h}, nil
		}
		return nil, nil
	case "getInputStream":
		return z.open(t, groovy.Format(last(args)))
	case "size":
		return int64(len(z.names)), nil
	case "close":
		return nil, nil
	}
	return nil, groovy.ErrNoMember
}

// open reads an entry whole: at most maxRead of it.
func (z *zipFile) open(t *groovy.Thread, name string) (groovy.Value, error) {
	r, err := zip.OpenReader(z.path)
	if err != nil {
		return nil, groovy.Throw("ZipException", "%s: %v", z.path, err)
	}
	defer func() { _ = r.Close() }() // read only
	in, err := r.Open(strings.TrimSuffix(name, "/"))
	if err != nil {
		return nil, groovy.Throw("ZipException", "%s: %v", z.path, err)
	}
	defer func() { _ = in.Close() }() // read only
	b, err := io.ReadAll(io.LimitReader(in, maxRead+1))
	if err != nil {
		return nil, groovy.Throw("ZipException", "%s: %s: %v", z.path, name, err)
	}
	if len(b) > maxRead {
		return nil, groovy.Throw("IOException", "%s in %s is larger than %d bytes", name, z.path, maxRead)
	}
	return bytesOf(textStream(string(b))), t.Alloc(len(b))
}

// zipEntry is a java.util.zip.ZipEntry; its text is its name.
type zipEntry struct{ h zip.FileHeader }

// Type names the class.
func (*zipEntry) Type() string     { return "java.util.zip.ZipEntry" }
func (e *zipEntry) String() string { return e.h.Name }

// Get reads a property.
func (e *zipEntry) Get(_ *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "name":
		return e.h.Name, nil
	case "size":
		return groovy.Long(e.h.UncompressedSize64), nil
	case "directory":
		return strings.HasSuffix(e.h.Name, "/"), nil
	}
	return nil, groovy.ErrNoMember
}

// Set refuses.
func (*zipEntry) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call knows no methods but the getters.
func (*zipEntry) Call(*groovy.Thread, string, []groovy.Value) (groovy.Value, error) {
	return nil, groovy.ErrNoMember
}
