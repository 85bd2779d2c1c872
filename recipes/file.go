package recipes

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"appliance/recipes/groovy"
)

// fileObject is java.io.File. While a recipe is checked it reads the recipe's
// own files and refuses the rest.
type fileObject struct {
	f    *folder
	path string
}

// maxRead is the size of the largest file that a script may read.
const maxRead = 16 << 20

func (f *folder) newFile(_ *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	switch len(args) {
	case 1:
		return &fileObject{f, groovy.Format(args[0])}, nil
	case 2:
		return &fileObject{f, filepath.Join(groovy.Format(args[0]), groovy.Format(args[1]))}, nil
	}
	return nil, groovy.Throw("IllegalArgumentException", "File takes a path, or a folder and a name")
}

// Type names the class; String is the path, as File.toString gives it.
func (o *fileObject) Type() string   { return "java.io.File" }
func (o *fileObject) String() string { return o.path }

func (o *fileObject) abs() string {
	if filepath.IsAbs(o.path) || o.f.checking() {
		return o.path
	}
	return filepath.Join(o.f.dir, o.path)
}

func (o *fileObject) read(t *groovy.Thread) (string, error) {
	var b []byte
	var err error
	if o.f.checking() {
		if o.f.src.fsys == nil {
			return "", groovy.Throw("FileNotFoundException", "%s", o.path)
		}
		if !filepath.IsLocal(o.path) && !filepath.IsAbs(o.path) {
			return "", groovy.Throw("SecurityException", "%s is outside of the recipe's folder", o.path)
		}
		s, err := readText(o.f.src.fsys, path.Join(o.f.src.dir, o.path))
		return s, err
	}
	file, err := os.Open(o.abs())
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }() // read only
	if b, err = io.ReadAll(io.LimitReader(file, maxRead+1)); err != nil {
		return "", err
	}
	if len(b) > maxRead { // a part of it, written back, would destroy the rest
		return "", groovy.Throw("IOException", "%s is larger than %d bytes", o.path, maxRead)
	}
	return string(b), t.Alloc(len(b))
}

// Get reads a property of the file.
func (o *fileObject) Get(t *groovy.Thread, name string) (groovy.Value, error) {
	switch name {
	case "text":
		return o.read(t)
	case "name":
		return filepath.Base(o.path), nil
	case "path":
		return o.path, nil
	case "absolutePath", "canonicalPath":
		return o.abs(), nil
	case "parent":
		return filepath.Dir(o.path), nil
	case "parentFile", "absoluteFile", "canonicalFile":
		if name == "parentFile" {
			return &fileObject{o.f, filepath.Dir(o.path)}, nil
		}
		return &fileObject{o.f, o.abs()}, nil
	}
	return nil, groovy.ErrNoMember
}

// Set writes the text of the file.
func (o *fileObject) Set(t *groovy.Thread, name string, v groovy.Value) error {
	if name != "text" {
		return groovy.ErrNoMember
	}
	_, err := o.write(groovy.Format(v), os.O_TRUNC)
	return err
}

func (o *fileObject) write(s string, flag int) (groovy.Value, error) {
	if o.f.checking() {
		return nil, groovy.Throw("SecurityException", "files are not written while a recipe is checked")
	}
	w, err := os.OpenFile(o.abs(), os.O_WRONLY|os.O_CREATE|flag, 0o644)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(w, s)
	return o, errors.Join(err, w.Close())
}

// Call calls a method of the file.
func (o *fileObject) Call(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	text := ""
	if len(args) > 0 {
		text = groovy.Format(args[0])
	}
	switch name {
	case "toURL", "toURI", "toPath":
		return o, nil
	case "getText":
		return o.read(t)
	case "write", "setText":
		return o.write(text, os.O_TRUNC)
	case "append", "leftShift":
		return o.write(text, os.O_APPEND)
	case "withWriter", "withWriterAppend", "withPrintWriter", "withOutputStream":
		return o.withWriter(t, name, args)
	case "readLines", "eachLine", "splitEachLine":
		s, err := o.read(t)
		if err != nil {
			return nil, err
		}
		return t.CallMethod(s, name, args)
	}
	if v, ok, err := o.textMethod(t, name, args); ok {
		return v, err
	}
	if v, ok, err := o.folderMethod(t, name, args); ok {
		return v, err
	}
	if len(args) > 0 != (name == "renameTo") && !strings.HasPrefix(name, "set") {
		return nil, groovy.ErrNoMember
	}
	if o.f.checking() {
		if name == "exists" || name == "isFile" {
			_, err := o.read(t)
			return err == nil, nil
		}
		return nil, groovy.Throw("SecurityException", "File.%s is not available while a recipe is checked", name)
	}
	return o.system(name, args)
}

func (o *fileObject) withWriter(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	if len(args) == 0 {
		return nil, groovy.ErrNoMember
	}
	c, ok := args[len(args)-1].(*groovy.Closure)
	if !ok {
		return nil, groovy.ErrNoMember
	}
	class, _ := t.Class("StringWriter")
	w, err := t.CallMethod(class, "newInstance", nil)
	if err != nil {
		return nil, err
	}
	v, err := t.Call(c, w)
	if err != nil {
		return nil, err
	}
	flag := os.O_TRUNC
	if name == "withWriterAppend" {
		flag = os.O_APPEND
	}
	_, err = o.write(groovy.Format(w), flag)
	return v, err
}

// system are the questions and changes of the file system.
func (o *fileObject) system(name string, args []groovy.Value) (groovy.Value, error) {
	p := o.abs()
	info, statErr := os.Stat(p)
	switch name {
	case "exists":
		return statErr == nil, nil
	case "isFile":
		return statErr == nil && info.Mode().IsRegular(), nil
	case "isDirectory":
		return statErr == nil && info.IsDir(), nil
	case "canRead", "canWrite":
		return statErr == nil, nil
	case "isHidden":
		return strings.HasPrefix(filepath.Base(p), "."), nil
	case "isAbsolute":
		return filepath.IsAbs(o.path), nil
	case "lastModified":
		if statErr != nil {
			return groovy.Long(0), nil
		}
		return groovy.Long(info.ModTime().UnixMilli()), nil
	case "setReadable", "setWritable":
		return statErr == nil, nil
	case "deleteOnExit":
		return nil, nil
	case "canExecute":
		return statErr == nil && info.Mode()&0o111 != 0, nil
	case "length", "size":
		if statErr != nil {
			return groovy.Long(0), nil
		}
		return groovy.Long(info.Size()), nil
	case "mkdir":
		return os.Mkdir(p, 0o755) == nil, nil
	case "mkdirs":
		return errors.Is(statErr, fs.ErrNotExist) && os.MkdirAll(p, 0o755) == nil, nil
	case "delete":
		return os.Remove(p) == nil, nil
	case "deleteDir":
		return filepath.Clean(p) != "/" && os.RemoveAll(p) == nil, nil
	case "createNewFile":
		if statErr == nil {
			return false, nil
		}
		_, err := o.write("", os.O_EXCL)
		return err == nil, err
	case "setExecutable":
		return os.Chmod(p, 0o755) == nil, nil
	case "renameTo":
		to := &fileObject{o.f, strings.TrimSpace(groovy.Format(args[0]))}
		return os.Rename(p, to.abs()) == nil, nil
	case "list", "listFiles":
		entries, err := os.ReadDir(p)
		if err != nil {
			return nil, nil
		}
		l := groovy.NewList()
		for _, e := range entries {
			if name == "list" {
				l.Elems = append(l.Elems, e.Name())
			} else {
				l.Elems = append(l.Elems, &fileObject{o.f, filepath.Join(o.path, e.Name())})
			}
		}
		return l, nil
	}
	return nil, groovy.ErrNoMember
}
