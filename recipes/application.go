package recipes

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// packedApp is the folder of a service's archive that holds the application
// it is a part of: descriptor, properties, and the name of the service's
// folder in memberFile.
const (
	packedApp  = ".application"
	memberFile = "member"
)

// packedMember returns the folder name of the service that an archive was
// packed for; empty for a recipe that is no part of an application.
func (l *loader) packedMember() (string, error) {
	text, err := readText(l.fsys, path.Join(cleanDir(l.opt.Dir), packedApp, memberFile))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return "", nil
	}
	return strings.TrimSpace(text), err
}

func cleanDir(dir string) string {
	if dir = path.Clean(dir); dir == "/" {
		return "."
	}
	return dir
}

// Folder is the recipe's folder: of a service of an application its name there.
func (r *Recipe) folder() string { return path.Base(r.dir) }

// addApplication adds what a packed service needs of its application.
// Properties are also appended to the service's own, because scripts read that
// file themselves.
func (r *Recipe) addApplication(from map[string]source) error {
	if r.app == nil || r.app.dir == path.Join(r.dir, packedApp) {
		return nil // it was packed before, and is among the files
	}
	files, err := rootFiles(r.app.fsys, r.app.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		from[path.Join(packedApp, f)] = source{fsys: r.app.fsys, dir: r.app.dir, file: f}
		if f != "application.properties" && f != "application.overrides" {
			continue
		}
		text, err := readText(r.app.fsys, r.app.path(f))
		if err != nil {
			return fmt.Errorf("read %s: %w", f, err)
		}
		r.appendProperties(from, "\n// of the application\n"+text+"\n")
	}
	from[path.Join(packedApp, memberFile)] = source{fsys: emptyFS{}, file: memberFile, more: r.folder() + "\n"}
	return nil
}

// appendProperties adds text to the end of the properties file.
func (r *Recipe) appendProperties(from map[string]source, text string) {
	name := strings.TrimSuffix(r.descriptor, ".groovy") + ".properties"
	s, ok := from[name]
	if !ok {
		s = source{fsys: emptyFS{}, file: name}
	}
	s.more += text
	from[name] = s
}

// rootFiles are the Groovy files and properties in an application's own folder.
func rootFiles(fsys fs.FS, dir string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("list files of application: %w", err)
	}
	var out []string
	for _, e := range entries {
		switch path.Ext(e.Name()) {
		case ".groovy", ".properties", ".overrides":
			if e.Type().IsRegular() {
				out = append(out, e.Name())
			}
		}
	}
	return out, nil
}

// packApplication packs an application so that the result loads by itself:
// its own files, and each service's with what it extends.
func (r *Recipe) packApplication() (map[string]source, error) {
	files, err := rootFiles(r.fsys, r.dir)
	if err != nil {
		return nil, err
	}
	from := map[string]source{}
	for _, f := range append(files, "README.md") {
		if _, err := fs.Stat(r.fsys, path.Join(r.dir, f)); err == nil {
			from[f] = source{fsys: r.fsys, dir: r.dir, file: f}
		}
	}
	for _, s := range r.Services {
		own, err := s.sources()
		if err != nil {
			return nil, err
		}
		for name, src := range own {
			from[path.Join(s.folder(), name)] = src
		}
	}
	return from, nil
}
