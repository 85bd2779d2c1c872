package recipes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"appliance/recipes/groovy"
)

// asks says whether system answers a method.
func asks(name string) bool {
	return slices.Contains(strings.Fields(`exists isFile isDirectory canRead canWrite canExecute isHidden isAbsolute lastModified
		setReadable setWritable setExecutable setReadOnly setLastModified deleteOnExit length size directorySize mkdir mkdirs delete
		deleteDir createNewFile renameTo list listFiles`), name)
}

// system are the questions and changes of the file system.
func (o *fileObject) system(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	switch name {
	case "setReadable", "setWritable", "setExecutable", "setReadOnly":
		return o.setRights(name, args), nil
	case "list", "listFiles":
		return o.list(t, name, args)
	case "renameTo":
		if to, ok := last(args).(*fileObject); ok {
			return os.Rename(o.abs(), to.abs()) == nil, nil
		}
		return nil, groovy.ErrNoMember
	case "setLastModified":
		ms, ok := groovy.Int(last(args))
		if !ok {
			return nil, groovy.ErrNoMember
		}
		when := time.UnixMilli(ms)
		return os.Chtimes(o.abs(), when, when) == nil, nil
	}
	if len(args) > 0 {
		return nil, groovy.ErrNoMember
	}
	if v, ok := o.state(name); ok {
		return v, nil
	}
	return o.change(name)
}

// state are the questions; false when name is none of them.
func (o *fileObject) state(name string) (groovy.Value, bool) {
	p := o.abs()
	info, err := os.Stat(p)
	if o.path == "" {
		info, err = nil, fs.ErrNotExist
	}
	there := err == nil
	switch name {
	case "exists":
		return there, true
	case "isFile":
		return there && info.Mode().IsRegular(), true
	case "isDirectory":
		return there && info.IsDir(), true
	case "canRead":
		return there && unix.Access(p, unix.R_OK) == nil, true
	case "canWrite":
		return there && unix.Access(p, unix.W_OK) == nil, true
	case "canExecute":
		return there && unix.Access(p, unix.X_OK) == nil, true
	case "isHidden":
		return strings.HasPrefix(o.name(), "."), true
	case "isAbsolute":
		return filepath.IsAbs(o.path), true
	case "lastModified":
		if !there {
			return groovy.Long(0), true
		}
		return groovy.Long(info.ModTime().UnixMilli()), true
	case "length", "size":
		if !there {
			return groovy.Long(0), true
		}
		return groovy.Long(info.Size()), true
	}
	return nil, false
}

// change makes and removes files and folders.
func (o *fileObject) change(name string) (groovy.Value, error) {
	p := o.abs()
	_, err := os.Stat(p)
	there := err == nil
	switch name {
	case "mkdir":
		return os.Mkdir(p, 0o755) == nil, nil
	case "mkdirs":
		return errors.Is(err, fs.ErrNotExist) && os.MkdirAll(p, 0o755) == nil, nil
	case "delete":
		return os.Remove(p) == nil, nil
	case "deleteDir":
		if !there {
			return true, nil
		}
		return filepath.Clean(p) != "/" && isFolder(p) && os.RemoveAll(p) == nil, nil
	case "deleteOnExit":
		o.f.opened = append(o.f.opened, remover(p))
		return nil, nil
	case "createNewFile":
		file, err := os.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return false, nil
		}
		if err != nil {
			return nil, groovy.Throw("IOException", "%s", reason(err))
		}
		return true, file.Close()
	case "directorySize":
		if !isFolder(p) {
			return nil, notFolder(o)
		}
		n := int64(0)
		err := filepath.Walk(p, func(_ string, info fs.FileInfo, err error) error {
			if err == nil && !info.IsDir() {
				n += info.Size()
			}
			return err
		})
		return groovy.Long(n), err
	}
	return nil, groovy.ErrNoMember
}

func isFolder(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.IsDir()
}

// remover removes a file when the evaluation ends.
type remover string

// Close removes it; it may be gone.
func (r remover) Close() error {
	_ = os.Remove(string(r)) // as Java: it is tried
	return nil
}

// setRights changes who may read, write and execute: the owner alone, unless
// the second argument is false.
func (o *fileObject) setRights(name string, args []groovy.Value) bool {
	bits := map[string]fs.FileMode{"setExecutable": 0o111, "setReadable": 0o444, "setWritable": 0o222, "setReadOnly": 0o222}[name]
	on := len(args) > 0 && groovy.Truth(args[0])
	if name != "setReadOnly" && (len(args) < 2 || groovy.Truth(args[1])) {
		bits &= 0o700
	}
	info, err := os.Stat(o.abs())
	if err != nil {
		return false
	}
	special := info.Mode() & (fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	mode := info.Mode().Perm() &^ bits
	if on && name != "setReadOnly" {
		mode |= bits
	}
	return os.Chmod(o.abs(), mode|special) == nil
}

// space is what the file system that holds the file has.
func (o *fileObject) space(name string) groovy.Value {
	var s unix.Statfs_t
	if unix.Statfs(o.abs(), &s) != nil {
		return groovy.Long(0)
	}
	n := map[string]uint64{"freeSpace": s.Bfree, "usableSpace": s.Bavail, "totalSpace": s.Blocks}[name]
	return groovy.Long(int64(n) * s.Bsize)
}

// list are the names or files of the folder; null when it is none. A closure of
// two parameters is a FilenameFilter, another one a FileFilter.
func (o *fileObject) list(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, error) {
	var accept *groovy.Closure
	if len(args) > 0 && args[0] != nil {
		c, ok := args[0].(*groovy.Closure)
		if !ok || len(args) > 1 {
			return nil, groovy.ErrNoMember
		}
		accept = c
	}
	entries, err := os.ReadDir(o.abs())
	if err != nil || o.path == "" {
		return nil, nil
	}
	var list []groovy.Value
	for _, e := range entries {
		f := o.child(e.Name())
		if accept != nil {
			in := []groovy.Value{f}
			if accept.Params() == 2 {
				in = []groovy.Value{o, e.Name()}
			}
			v, err := t.Call(accept, in...)
			if err != nil {
				return nil, err
			}
			if !groovy.Truth(v) {
				continue
			}
		}
		if name == "list" {
			list = append(list, e.Name())
		} else {
			list = append(list, f)
		}
	}
	if name == "list" {
		return groovy.Array("String", list...), t.Alloc(48 * len(list))
	}
	return groovy.Array("File", list...), t.Alloc(64 * len(list))
}

// fileStatic are the static methods of File.
func (f *folder) fileStatic(_ *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
	if m != "createTempFile" || len(args) < 2 {
		return nil, groovy.ErrNoMember
	}
	if f.checking() {
		return nil, groovy.Throw("SecurityException", "files are not written while a recipe is checked")
	}
	prefix := groovy.Format(args[0])
	if len(prefix) < 3 {
		return nil, groovy.Throw("IllegalArgumentException", "Prefix string %q too short: length must be at least 3", prefix)
	}
	dir := &fileObject{f, os.TempDir()}
	if len(args) > 2 && args[2] != nil {
		dir = &fileObject{f, tidy(groovy.Format(args[2]))}
	}
	suffix := ".tmp"
	if args[1] != nil {
		suffix = groovy.Format(args[1])
	}
	file, err := os.CreateTemp(dir.abs(), strings.ReplaceAll(prefix, "*", "")+"*"+suffix)
	if err != nil {
		return nil, groovy.Throw("IOException", "%s", reason(err))
	}
	return dir.child(filepath.Base(file.Name())), file.Close()
}
