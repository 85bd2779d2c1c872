package recipes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"appliance/recipes/groovy"
)

// files are the static methods of java.nio.file.Files.
func (f *folder) files(t *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
	if len(args) == 0 {
		return nil, groovy.ErrNoMember
	}
	if f.checking() {
		return nil, unchecked("Files." + m)
	}
	if m == "createTempFile" || m == "createTempDirectory" {
		return f.temporary(m, args)
	}
	p, ok := args[0].(*pathObject)
	if in, isInput := args[0].(*input); isInput && m == "copy" && len(args) > 1 {
		return f.fetchInto(t, in, args[1:])
	}
	if !ok {
		return nil, groovy.ErrNoMember
	}
	if v, ok := p.asked(m); ok {
		return v, nil
	}
	switch m {
	case "size":
		info, err := os.Stat(p.abs())
		if err != nil {
			return nil, p.missing(err)
		}
		return groovy.Long(info.Size()), nil
	case "readAllBytes", "readAllLines", "newInputStream", "newBufferedReader":
		if _, err := os.Stat(p.abs()); err != nil {
			return nil, p.missing(err)
		}
		id := map[string]string{"readAllBytes": "getBytes", "readAllLines": "readLines", "newBufferedReader": "newReader"}[m]
		if id == "" {
			id = m
		}
		if len(args) == 1 && strings.HasSuffix(m, "s") && m != "readAllBytes" || m == "newBufferedReader" && len(args) == 1 {
			args = append(args, groovy.UTF8())
		}
		return p.textMethod(t, id, args[1:])
	case "write":
		return p.writeAll(t, args[1:])
	case "copy", "move", "createSymbolicLink", "createLink":
		if len(args) < 2 {
			return nil, groovy.ErrNoMember
		}
		to, ok := args[1].(*pathObject)
		if !ok {
			return nil, groovy.ErrNoMember
		}
		return to, p.transfer(t, m, to, args[2:])
	}
	return p.make(m)
}

// asked are the questions; false when m is none of them.
func (p *pathObject) asked(m string) (groovy.Value, bool) {
	switch m {
	case "notExists":
		v, _ := p.state("exists")
		return v == false, true
	case "isSymbolicLink":
		info, err := os.Lstat(p.abs())
		return err == nil && info.Mode()&fs.ModeSymlink != 0, true
	}
	if id := map[string]string{"exists": "exists", "isDirectory": "isDirectory", "isRegularFile": "isFile", "isReadable": "canRead",
		"isWritable": "canWrite", "isExecutable": "canExecute", "isHidden": "isHidden"}[m]; id != "" {
		return p.state(id)
	}
	return nil, false
}

// make makes and removes.
func (p *pathObject) make(m string) (groovy.Value, error) {
	var err error
	switch m {
	case "createDirectory":
		err = os.Mkdir(p.abs(), 0o755)
	case "createDirectories":
		err = os.MkdirAll(p.abs(), 0o755)
	case "createFile":
		var file *os.File
		if file, err = os.OpenFile(p.abs(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644); err == nil {
			err = file.Close()
		}
	case "delete":
		if err = os.Remove(p.abs()); err == nil {
			return nil, nil
		}
	case "deleteIfExists":
		err = os.Remove(p.abs())
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return err == nil, nil
		}
	case "readSymbolicLink":
		to, err := os.Readlink(p.abs())
		if err != nil {
			return nil, p.missing(err)
		}
		return p.at(to), nil
	default:
		return nil, groovy.ErrNoMember
	}
	if err != nil {
		return nil, p.missing(err)
	}
	return p, nil
}

// chosen says whether an option is among args.
func chosen(args []groovy.Value, name string) bool {
	return slices.ContainsFunc(args, func(v groovy.Value) bool {
		e, ok := v.(groovy.Enum)
		return ok && e.Name == name
	})
}

// writeAll is Files.write: bytes, or lines.
func (p *pathObject) writeAll(t *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	l, ok := first0(args).(*groovy.List)
	if !ok {
		return nil, groovy.ErrNoMember
	}
	flag := os.O_TRUNC
	if chosen(args, "APPEND") {
		flag = os.O_APPEND
	}
	w, err := p.out(flag)
	if err != nil {
		return nil, p.missing(err)
	}
	if b, ok := groovy.Bytes(l); ok {
		return p, errors.Join(w.write(t, b), w.close())
	}
	cs, _, err := charset(args[1:])
	if err != nil {
		return nil, err
	}
	w.cs = cs
	for _, e := range l.Elems {
		s, err := show(t, e)
		if err == nil {
			err = w.text(t, s+"\n")
		}
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return p, w.close()
}

func first0(args []groovy.Value) groovy.Value {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

// fetchInto is Files.copy(stream, path): how many bytes it copied.
func (f *folder) fetchInto(t *groovy.Thread, in *input, args []groovy.Value) (groovy.Value, error) {
	to, ok := args[0].(*pathObject)
	if !ok {
		return nil, groovy.ErrNoMember
	}
	if err := to.free(args); err != nil {
		return nil, err
	}
	w, err := to.out(os.O_TRUNC)
	if err != nil {
		return nil, to.missing(err)
	}
	if err := errors.Join(w.copy(t, in), w.close()); err != nil {
		return nil, err
	}
	info, err := os.Stat(to.abs())
	if err != nil {
		return nil, to.missing(err)
	}
	return groovy.Long(info.Size()), nil
}

// free makes room for a file: one that is there is removed if the options say so.
func (p *pathObject) free(args []groovy.Value) error {
	_, err := os.Lstat(p.abs())
	if err != nil {
		return nil
	}
	if !chosen(args, "REPLACE_EXISTING") {
		return groovy.Throw("FileAlreadyExistsException", "%s", p.path)
	}
	if err := os.Remove(p.abs()); err != nil {
		return p.missing(err)
	}
	return nil
}

// transfer is copy and move, and makes links.
func (p *pathObject) transfer(t *groovy.Thread, m string, to *pathObject, opts []groovy.Value) error {
	if m == "createSymbolicLink" || m == "createLink" {
		link := os.Symlink
		target := to.path
		if m == "createLink" {
			link, target = os.Link, to.abs()
		}
		if err := link(target, p.abs()); err != nil {
			return p.missing(err)
		}
		return nil
	}
	info, err := os.Stat(p.abs())
	if err != nil {
		return p.missing(err)
	}
	if p.canonical() == to.canonical() {
		return nil
	}
	if !chosen(opts, "ATOMIC_MOVE") {
		if err := to.free(opts); err != nil {
			return err
		}
	}
	if m == "move" {
		if err := os.Rename(p.abs(), to.abs()); err != nil {
			return p.missing(err)
		}
		return nil
	}
	if info.IsDir() {
		if err := os.Mkdir(to.abs(), info.Mode().Perm()); err != nil {
			return to.missing(err)
		}
		return nil
	}
	in, err := p.open()
	if err != nil {
		return err
	}
	w, err := to.out(os.O_EXCL)
	if err != nil {
		return errors.Join(to.missing(err), in.close())
	}
	return errors.Join(w.copy(t, in), w.close(), os.Chmod(to.abs(), info.Mode().Perm()))
}

// temporary is createTempFile and createTempDirectory.
func (f *folder) temporary(m string, args []groovy.Value) (groovy.Value, error) {
	dir := &pathObject{&fileObject{f, os.TempDir()}}
	if p, ok := args[0].(*pathObject); ok {
		dir, args = p, args[1:]
	}
	prefix, suffix := "", ".tmp"
	if len(args) > 0 && args[0] != nil {
		prefix = strings.ReplaceAll(groovy.Format(args[0]), "*", "")
	}
	if m == "createTempDirectory" {
		name, err := os.MkdirTemp(dir.abs(), prefix+"*")
		if err != nil {
			return nil, dir.missing(err)
		}
		return dir.at(dir.path + "/" + filepath.Base(name)), nil
	}
	if len(args) > 1 && args[1] != nil {
		suffix = groovy.Format(args[1])
	}
	file, err := os.CreateTemp(dir.abs(), prefix+"*"+suffix)
	if err != nil {
		return nil, dir.missing(err)
	}
	return dir.at(dir.path + "/" + filepath.Base(file.Name())), file.Close()
}
