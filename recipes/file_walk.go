package recipes

import (
	"os"

	"appliance/recipes/groovy"
)

// fileTypes and visitResults are the constants of groovy.io.FileType and
// FileVisitResult.
func fileTypes() []string { return []string{"FILES", "DIRECTORIES", "ANY"} }
func visitResults() []string {
	return []string{"CONTINUE", "SKIP_SIBLINGS", "SKIP_SUBTREE", "TERMINATE"}
}

// visits says whether a value is the FileVisitResult of that name.
func visits(v groovy.Value, name string) bool {
	return v == groovy.Enum{Class: "FileVisitResult", Name: name}
}

// folderMethod are the methods of File that take a closure and walk a folder;
// false when name is none of them.
func (o *fileObject) folderMethod(t *groovy.Thread, name string, args []groovy.Value) (groovy.Value, bool, error) {
	kind, ok := map[string]string{"eachFile": "ANY", "eachDir": "DIRECTORIES", "eachFileMatch": "ANY", "eachDirMatch": "DIRECTORIES",
		"eachFileRecurse": "ANY", "eachDirRecurse": "DIRECTORIES", "traverse": "ANY"}[name]
	if !ok || len(args) == 0 {
		return nil, false, nil
	}
	if o.f.checking() {
		return nil, true, groovy.Throw("SecurityException", "File.%s is not available while a recipe is checked", name)
	}
	if name == "traverse" {
		return nil, true, o.traverse(t, args)
	}
	c, ok := last(args).(*groovy.Closure)
	if !ok {
		return nil, false, nil
	}
	args = args[:len(args)-1]
	if len(args) > 0 {
		if e, ok := args[0].(groovy.Enum); ok && e.Class == "FileType" {
			kind, args = e.Name, args[1:]
		}
	}
	w := &walk{t: t, kind: kind, visit: c, depth: 0}
	switch name {
	case "eachFileRecurse", "eachDirRecurse":
		w.depth = -1
	case "eachFileMatch", "eachDirMatch":
		if len(args) != 1 {
			return nil, false, nil
		}
		w.nameFilter, args = args[0], nil
	}
	if len(args) > 0 {
		return nil, false, nil
	}
	w.plain = true
	_, err := w.run(o, w.depth)
	return nil, true, err
}

// walk goes through a folder.
type walk struct {
	t               *groovy.Thread
	kind            string // a FileType
	visit           *groovy.Closure
	pre, post, sort *groovy.Closure
	depth           int  // -1 has no bound
	plain           bool // what the closure returns means nothing

	filter, nameFilter, excludeFilter, excludeNameFilter groovy.Value
}

// option takes an option of traverse; false when there is none of the name.
func (w *walk) option(k string, v groovy.Value, root map[string]bool) (bool, error) {
	closures := map[string]**groovy.Closure{"preDir": &w.pre, "postDir": &w.post, "sort": &w.sort, "visit": &w.visit}
	filters := map[string]*groovy.Value{"filter": &w.filter, "nameFilter": &w.nameFilter, "excludeFilter": &w.excludeFilter, "excludeNameFilter": &w.excludeNameFilter}
	if p := closures[k]; p != nil {
		c, ok := v.(*groovy.Closure)
		if !ok && v != nil {
			return true, groovy.Throw("ClassCastException", "traverse: %s takes a closure", k)
		}
		*p = c
		return true, nil
	}
	if p := filters[k]; p != nil {
		*p = v
		return true, nil
	}
	switch k {
	case "type":
		e, ok := v.(groovy.Enum)
		if !ok || e.Class != "FileType" {
			return true, groovy.Throw("ClassCastException", "traverse: type is a FileType, not %s", groovy.Format(v))
		}
		w.kind = e.Name
	case "maxDepth":
		if v == nil {
			return true, nil
		}
		n, ok := groovy.Int(v)
		if !ok {
			return true, groovy.Throw("ClassCastException", "traverse: maxDepth is a number, not %s", groovy.Format(v))
		}
		w.depth = int(n)
	case "visitRoot", "preRoot", "postRoot":
		root[k] = groovy.Truth(v)
	default:
		return false, nil
	}
	return true, nil
}

// traverse is File.traverse(options, closure).
func (o *fileObject) traverse(t *groovy.Thread, args []groovy.Value) error {
	w := &walk{t: t, kind: "ANY", depth: -1}
	root := map[string]bool{}
	for _, a := range args {
		switch a := a.(type) {
		case *groovy.Closure:
			w.visit = a
		case *groovy.Map:
			for _, k := range a.Keys() {
				v, _ := a.Get(k)
				ok, err := w.option(groovy.Format(k), v, root)
				if err != nil {
					return err
				}
				if !ok {
					return groovy.Throw("IllegalArgumentException", "traverse knows no option %s", groovy.Format(k))
				}
			}
		default:
			return groovy.ErrNoMember
		}
	}
	if w.filter != nil && w.nameFilter != nil {
		return groovy.Throw("IllegalArgumentException", "Can't set both 'filter' and 'nameFilter'")
	}
	if w.excludeFilter != nil && w.excludeNameFilter != nil {
		return groovy.Throw("IllegalArgumentException", "Can't set both 'excludeFilter' and 'excludeNameFilter'")
	}
	if root["preRoot"] {
		v, err := w.call(w.pre, o)
		if err != nil || visits(v, "TERMINATE") || visits(v, "SKIP_SUBTREE") {
			return err
		}
	}
	end, err := w.run(o, w.depth)
	if err != nil {
		return err
	}
	if root["visitRoot"] && w.kind != "FILES" {
		v, err := w.see(o)
		if err != nil || visits(v, "TERMINATE") {
			return err
		}
	}
	if root["postRoot"] && !end {
		_, err = w.call(w.post, o)
	}
	return err
}

// call calls a closure, if there is one.
func (w *walk) call(c *groovy.Closure, f *fileObject) (groovy.Value, error) {
	if c == nil {
		return nil, nil
	}
	return w.t.Call(c, f)
}

// see gives a file to the closure, unless it is filtered out.
func (w *walk) see(f *fileObject) (groovy.Value, error) {
	for _, by := range []struct {
		filter, of groovy.Value
		want       bool
	}{{w.filter, f, true}, {w.nameFilter, f.name(), true}, {w.excludeFilter, f, false}, {w.excludeNameFilter, f.name(), false}} {
		if by.filter == nil {
			continue
		}
		v, err := w.t.CallMethod(by.filter, "isCase", []groovy.Value{by.of})
		if err != nil || groovy.Truth(v) != by.want {
			return nil, err
		}
	}
	v, err := w.call(w.visit, f)
	if w.plain {
		v = nil
	}
	return v, err
}

// notFolder says why what needs a folder does not work on o.
func notFolder(o *fileObject) error {
	if _, err := os.Stat(o.abs()); err != nil {
		return groovy.Throw("FileNotFoundException", "%s", o.abs())
	}
	return groovy.Throw("IllegalArgumentException", "The provided File object is not a directory: %s", o.path)
}

// files are those of a folder, in the order of the option.
func (w *walk) files(dir *fileObject) ([]*fileObject, error) {
	if !isFolder(dir.abs()) {
		return nil, notFolder(dir)
	}
	entries, err := os.ReadDir(dir.abs())
	if err != nil {
		return nil, nil
	}
	list := groovy.NewList()
	for _, e := range entries {
		list.Elems = append(list.Elems, dir.child(e.Name()))
	}
	if err := w.t.Alloc(64 * len(entries)); err != nil {
		return nil, err
	}
	if w.sort != nil {
		if _, err := w.t.CallMethod(list, "sort", []groovy.Value{true, w.sort}); err != nil {
			return nil, err
		}
	}
	var files []*fileObject
	for _, v := range list.Elems {
		files = append(files, v.(*fileObject))
	}
	return files, nil
}

// maxNested is how deep folders are walked.
const maxNested = 200

// run walks a folder to a depth; true ends the walk.
func (w *walk) run(dir *fileObject, depth int) (end bool, err error) {
	if depth < -maxNested {
		return true, groovy.Throw("IOException", "%s: folders nest too deep", dir.path)
	}
	files, err := w.files(dir)
	if err != nil {
		return true, err
	}
	for _, f := range files {
		folder := isFolder(f.abs())
		if w.kind == "ANY" || folder == (w.kind == "DIRECTORIES") {
			v, err := w.see(f)
			if err != nil || visits(v, "TERMINATE") {
				return true, err
			}
			if visits(v, "SKIP_SIBLINGS") {
				return false, nil
			}
		}
		if !folder || depth == 0 {
			continue
		}
		skip, end, err := w.enter(f, depth-1)
		if err != nil || end {
			return true, err
		}
		if skip {
			return false, nil
		}
	}
	return false, nil
}

// enter walks a folder of a folder, between preDir and postDir.
func (w *walk) enter(f *fileObject, depth int) (skip, end bool, err error) {
	v, err := w.call(w.pre, f)
	if err != nil || visits(v, "TERMINATE") {
		return false, true, err
	}
	if visits(v, "SKIP_SIBLINGS") {
		return true, false, nil
	}
	if !visits(v, "SKIP_SUBTREE") {
		if end, err := w.run(f, depth); err != nil || end {
			return false, true, err
		}
	}
	v, err = w.call(w.post, f)
	if err != nil || visits(v, "TERMINATE") {
		return false, true, err
	}
	return visits(v, "SKIP_SIBLINGS"), false, nil
}
