package recipes

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"appliance/recipes/groovy"
)

// folderMethod are the methods of File that take a closure and walk a folder;
// false when name is none of them.
func (o *fileObject) folderMethod(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, bool, error) {
	want := map[string]string{"eachFile": "", "eachDir": "dir", "eachFileMatch": "", "eachDirMatch": "dir", "eachFileRecurse": "", "eachDirRecurse": "dir", "traverse": ""}
	kind, ok := want[name]
	if !ok || len(args) == 0 {
		return nil, false, nil
	}
	c, ok := args[len(args)-1].(*groovy.Closure)
	if !ok {
		return nil, false, nil
	}
	if o.f.checking() {
		return nil, true, groovy.Throw("SecurityException", "File.%s is not available while a recipe is checked", name)
	}
	paths, err := o.below(name == "eachFileRecurse" || name == "eachDirRecurse" || name == "traverse")
	if err != nil {
		return nil, true, groovy.Throw("FileNotFoundException", "%s", o.abs())
	}
	for _, p := range paths {
		f := &fileObject{o.f, p}
		if info, err := os.Stat(f.abs()); kind == "dir" && (err != nil || !info.IsDir()) {
			continue
		}
		if strings.HasSuffix(name, "Match") && len(args) == 2 {
			ok, err := t.CallMethod(args[0], "isCase", []groovy.Value{filepath.Base(p)})
			if err != nil {
				return nil, true, err
			}
			if !groovy.Truth(ok) {
				continue
			}
		}
		if _, err := t.Call(c, f); err != nil {
			return nil, true, err
		}
	}
	return nil, true, nil
}

// below are the paths in the folder, with deep of all folders below it too.
func (o *fileObject) below(deep bool) ([]string, error) {
	var list []string
	if !deep {
		entries, err := os.ReadDir(o.abs())
		for _, e := range entries {
			list = append(list, filepath.Join(o.path, e.Name()))
		}
		return list, err
	}
	err := filepath.WalkDir(o.abs(), func(p string, _ fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(o.abs(), p); rel != "." {
			list = append(list, filepath.Join(o.path, rel))
		}
		return err
	})
	return list, err
}

// textMethod are the methods of File that read its text; false when name is
// none of them.
func (o *fileObject) textMethod(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, bool, error) {
	switch name {
	case "withReader", "withInputStream", "filterLine":
		if len(args) == 0 {
			return nil, false, nil
		}
	case "newReader", "newInputStream", "getBytes", "readBytes":
	default:
		return nil, false, nil
	}
	s, err := o.read(t)
	if err != nil {
		return nil, true, err
	}
	var v groovy.Value
	switch name {
	case "withReader", "withInputStream":
		c, ok := args[len(args)-1].(*groovy.Closure)
		if !ok {
			return nil, false, nil
		}
		v, err = t.Call(c, textReader(s))
	case "newReader", "newInputStream":
		v = textReader(s)
	case "filterLine":
		var list groovy.Value
		if list, err = t.CallMethod(s, "readLines", nil); err == nil {
			if list, err = t.CallMethod(list, "findAll", args); err == nil {
				v, err = t.CallMethod(list, "join", []groovy.Value{"\n"})
			}
		}
	default:
		v, err = t.CallMethod(s, "getBytes", nil)
	}
	return v, true, err
}

// textReader is a Reader or InputStream of a text: readLine goes on from line to
// line, all else is asked of the text.
func textReader(s string) groovy.Value {
	rest := s
	return &groovy.Functions{Name: "java.io.BufferedReader", Consts: map[string]groovy.Value{"text": s},
		Func: func(t *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
			switch m {
			case "readLine":
				if rest == "" {
					return nil, nil
				}
				line := rest
				for i := range rest {
					if rest[i] == '\n' {
						line, rest = rest[:i], rest[i+1:]
						return strings.TrimSuffix(line, "\r"), nil
					}
				}
				rest = ""
				return line, nil
			case "close":
				return nil, nil
			}
			return t.CallMethod(s, m, args)
		}}
}

// fileStatic are the static methods of File.
func (f *folder) fileStatic(_ *groovy.Thread, m string, args []groovy.Value) (groovy.Value, error) {
	if m != "createTempFile" || len(args) < 2 {
		return nil, groovy.ErrNoMember
	}
	if f.checking() {
		return nil, groovy.Throw("SecurityException", "files are not written while a recipe is checked")
	}
	dir := ""
	if len(args) > 2 && args[2] != nil {
		dir = (&fileObject{f, groovy.Format(args[2])}).abs()
	}
	suffix := ".tmp"
	if args[1] != nil {
		suffix = groovy.Format(args[1])
	}
	file, err := os.CreateTemp(dir, groovy.Format(args[0])+"*"+suffix)
	if err != nil {
		return nil, err
	}
	return &fileObject{f, file.Name()}, file.Close()
}
