package recipes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"appliance/recipes/groovy"
)

// pathObject is a java.nio.file.Path.
type pathObject struct{ *fileObject }

// Type names the class.
func (*pathObject) Type() string { return "sun.nio.fs.UnixPath" }

// Compare orders paths by their texts.
func (p *pathObject) Compare(v groovy.Value) (int, bool) {
	o, ok := v.(*pathObject)
	if !ok {
		return 0, false
	}
	return strings.Compare(p.path, o.path), true
}

func (p *pathObject) at(path string) *pathObject { return &pathObject{&fileObject{p.f, tidy(path)}} }

// Get reads a property.
func (p *pathObject) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "fileName":
		if p.path == "/" {
			return nil, nil
		}
		return p.at(p.name()), nil
	case "parent":
		if s, ok := p.parent().(string); ok {
			return p.at(s), nil
		}
		return nil, nil
	case "root":
		if filepath.IsAbs(p.path) {
			return p.at("/"), nil
		}
		return nil, nil
	case "absolute":
		return filepath.IsAbs(p.path), nil
	case "nameCount":
		return int64(len(strings.FieldsFunc(p.path, func(r rune) bool { return r == '/' }))), nil
	case "text", "bytes":
		return p.fileObject.Get(t, id)
	}
	return nil, groovy.ErrNoMember
}

// Call calls a method. What Groovy adds to a Path is as of a File.
func (p *pathObject) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	other := ""
	if len(args) > 0 {
		other = tidy(groovy.Format(args[0]))
	}
	switch id {
	case "toFile":
		return p.fileObject, nil
	case "toAbsolutePath":
		return p.at(p.abs()), nil
	case "toRealPath":
		if p.f.checking() {
			return nil, groovy.Throw("SecurityException", "Path.toRealPath is not available while a recipe is checked")
		}
		if _, err := os.Stat(p.abs()); err != nil {
			return nil, p.missing(err)
		}
		return p.at(p.canonical()), nil
	case "normalize":
		if s := filepath.Clean(p.path); s != "." {
			return p.at(s), nil
		}
		return p.at(""), nil
	case "toUri":
		return p.url(), nil
	case "resolve", "div":
		if filepath.IsAbs(other) || p.path == "" {
			return p.at(other), nil
		}
		if other == "" {
			return p, nil
		}
		return p.at(p.path + "/" + other), nil
	case "resolveSibling":
		if s, ok := p.parent().(string); ok && !filepath.IsAbs(other) {
			return p.at(s + "/" + other), nil
		}
		return p.at(other), nil
	case "relativize":
		rel, err := filepath.Rel(p.path, other)
		if err != nil {
			return nil, groovy.Throw("IllegalArgumentException", "'other' is different type of Path")
		}
		if rel == "." {
			rel = ""
		}
		return p.at(rel), nil
	case "startsWith":
		return p.path == other || other == "/" && filepath.IsAbs(p.path) || strings.HasPrefix(p.path, other+"/") && other != "", nil
	case "endsWith":
		return p.path == other || strings.HasSuffix(p.path, "/"+strings.TrimPrefix(other, "/")) && !filepath.IsAbs(other), nil
	case "write", "append", "leftShift", "setText", "setBytes", "getText", "getBytes", "readBytes", "readLines", "eachLine", "splitEachLine", "filterLine", "withReader", "withWriter",
		"withWriterAppend", "withPrintWriter", "withInputStream", "withOutputStream", "newReader", "newWriter", "newInputStream", "newOutputStream", "hashCode", "deleteDir":
		return p.fileObject.Call(t, id, args)
	case "compareTo":
		return t.CallMethod(p.path, "compareTo", []groovy.Value{other})
	}
	return nil, groovy.ErrNoMember
}

// missing is an error of java.nio.
func (p *pathObject) missing(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return groovy.Throw("NoSuchFileException", "%s", p.path)
	case errors.Is(err, fs.ErrExist):
		if isFolder(p.abs()) && !strings.Contains(err.Error(), "exists") {
			return groovy.Throw("DirectoryNotEmptyException", "%s", p.path)
		}
		return groovy.Throw("FileAlreadyExistsException", "%s", p.path)
	case errors.Is(err, fs.ErrPermission):
		return groovy.Throw("AccessDeniedException", "%s", p.path)
	}
	return groovy.Throw("FileSystemException", "%s: %s", p.path, reason(err))
}

// paths are the static methods of Paths.
func (f *folder) paths(_ *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
	if m != "get" || len(args) == 0 {
		return nil, groovy.ErrNoMember
	}
	if u, ok := args[0].(*urlObject); ok {
		return &pathObject{&fileObject{f, tidy(u.u.Path)}}, nil
	}
	var parts []string
	for _, a := range args {
		if s := groovy.Format(a); s != "" {
			parts = append(parts, s)
		}
	}
	return &pathObject{&fileObject{f, tidy(strings.Join(parts, "/"))}}, nil
}
