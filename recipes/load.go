package recipes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"appliance/recipes/groovy"
)

// Options say how to load a recipe. The zero value loads the root of fsys.
type Options struct {
	Dir        string         // folder, or descriptor file, in the file system
	Library    fs.FS          // base folders for "extend" that the folder does not reach; nil has none
	Properties map[string]any // lowest in precedence: what the caller binds
	Overrides  string         // a properties script that wins over the recipe's own
	Values     Values         // of the instance; zero is instance 1 of a recipe being checked
}

// What a recipe's texts may be and take while it is read.
const (
	maxText   = 1 << 20
	loadSteps = 5_000_000
	loadTime  = 20 * time.Second
)

// source is a folder that holds a descriptor.
type source struct {
	fsys fs.FS
	dir  string
	file string // descriptor's base name
	more string // text that packing appends to the file

	library bool    // fsys is the library
	child   *source // that extends it
}

func (s source) path(name string) string { return path.Join(s.dir, name) }

// LoadDir loads the recipe in a folder of this machine. "extend" may reach
// folders outside of it.
func LoadDir(dir string, opt Options) (*Recipe, error) {
	var err error
	if opt.Dir, err = fromRoot(dir); err != nil {
		return nil, fmt.Errorf("load recipe %s: %w", dir, err)
	}
	return Load(os.DirFS("/"), opt)
}

// CheckDir is [Check] of a folder of this machine.
func CheckDir(dir string, opt Options) (*Recipe, []Finding) {
	var err error
	if opt.Dir, err = fromRoot(dir); err != nil {
		return nil, []Finding{{Fatal: true, Text: err.Error()}}
	}
	return Check(os.DirFS("/"), opt)
}

// fromRoot is the path of a folder below the root.
func fromRoot(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	rel := strings.TrimPrefix(filepath.ToSlash(abs), "/")
	if rel == "" {
		rel = "."
	}
	return rel, err
}

// Load reads and checks the recipe in fsys. It evaluates the descriptor in a
// sandbox that reads files of fsys and opt.Library only. Faults of the recipe
// wrap ErrInvalid and name file and line; the error tells all of them, a line
// each. [Check] tells warnings, too.
func Load(fsys fs.FS, opt Options) (*Recipe, error) {
	ctx, cancel := context.WithTimeout(context.Background(), loadTime)
	defer cancel()
	l := &loader{ctx: ctx, fsys: fsys, opt: opt, types: blockTypes()}
	r := l.recipe()
	if len(l.faults) > 0 {
		return nil, loadError(l.faults)
	}
	return r, nil
}

// loader is one Load; it carries the deadline of that call.
type loader struct {
	ctx      context.Context
	fsys     fs.FS
	opt      Options
	types    map[string]blockType
	depth    int // of extend
	services []*block
	warnings []string
	faults   []error
	read     map[string]bool           // Groovy files that were parsed
	scripts  map[string]*groovy.Script // what they are, by the name that messages give
	sources  []source                  // of the descriptors that were read
	root     string                    // folder of the service that is read
	member   string                    // folder of the only service that is wanted of an application
}

func (l *loader) warn(where, format string, args ...any) {
	l.warnings = append(l.warnings, where+": "+fmt.Sprintf(format, args...))
}

// recipe reads the recipe; what is wrong with it is in l.faults.
func (l *loader) recipe() *Recipe {
	dir := cleanDir(l.opt.Dir)
	l.root = dir
	var err error
	if l.member, err = l.packedMember(); err != nil {
		l.note(err)
		return nil
	}
	if l.member != "" {
		dir = path.Join(dir, packedApp)
	}
	src, err := find(l.fsys, dir)
	if err != nil {
		l.note(err)
		return nil
	}
	root, err := l.descriptor(src, nil)
	if err != nil {
		l.note(err)
		return nil
	}
	if root.typ == "application" {
		app := l.application(src, root)
		if l.member == "" || app == nil {
			return app
		}
		if len(app.Services) != 1 {
			l.note(invalidf("%s: the application has no service %s", src.file, l.member))
			return nil
		}
		return app.Services[0]
	}
	return l.build(src, root)
}

// parse parses a Groovy file of src.
func (l *loader) parse(src source, name string) (*groovy.Script, error) {
	text, err := readText(src.fsys, src.path(name))
	if err != nil {
		return nil, err
	}
	if l.read == nil {
		l.read = map[string]bool{}
	}
	l.read[src.path(name)] = true
	s, err := groovy.Parse(name, text)
	if err == nil {
		if l.scripts == nil {
			l.scripts = map[string]*groovy.Script{}
		}
		if _, two := l.scripts[name]; two {
			l.scripts[name] = nil // a base's file of the same name
		} else {
			l.scripts[name] = s
		}
	}
	return s, err
}

// find finds the descriptor of a folder (rule 1), or takes the file given.
func find(fsys fs.FS, dir string) (source, error) {
	dir = path.Clean(strings.TrimPrefix(dir, "./"))
	if dir == "" {
		dir = "."
	}
	if kindOf(dir) != "" {
		return source{fsys: fsys, dir: path.Dir(dir), file: path.Base(dir)}, nil
	}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return source{}, fmt.Errorf("read %s: %w", dir, err)
	}
	var found []string
	for _, e := range entries {
		if kindOf(e.Name()) != "" && !e.IsDir() {
			found = append(found, e.Name())
		}
	}
	switch {
	case len(found) == 0:
		return source{}, invalidf("Cannot find configuration file in %s: no *-service.groovy or *-application.groovy", path.Base(dir))
	case len(found) > 1:
		return source{}, invalidf("Found multiple configuration files: %s. Only one may be supplied in the folder.", strings.Join(found, ", "))
	}
	if k := kindOf(found[0]); k == "cloud" || k == "template" {
		return source{}, invalidf("%s is a %s descriptor: only services and applications are deployed", found[0], k)
	}
	return source{fsys: fsys, dir: dir, file: found[0]}, nil
}

// kindOf is service, application, cloud or template by a descriptor's name.
func kindOf(name string) string {
	for _, k := range []string{"service", "application", "cloud", "template"} {
		if strings.HasSuffix(name, "-"+k+".groovy") {
			return k
		}
	}
	return ""
}

func readText(fsys fs.FS, name string) (string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // read only
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > maxText {
		return "", invalidf("read %s: not a file of at most %d bytes", name, maxText)
	}
	b, err := fs.ReadFile(fsys, name)
	return string(b), err
}

// descriptor evaluates the descriptor of src with its properties; given are
// variables of the child or application that win over its own.
func (l *loader) descriptor(src source, given map[string]groovy.Value) (*block, error) {
	script, err := l.parse(src, src.file)
	if err != nil {
		return nil, err
	}
	vars, err := l.properties(src, given)
	if err != nil {
		return nil, err
	}
	rd := &reader{load: l, src: src, vars: vars, context: &contextObject{values: l.values()}, types: l.types}
	in := &groovy.Interp{Base: rd, Classes: classes(&folder{src: src}), Import: importFrom(src), Refused: notHere(), Limits: groovy.Limits{Steps: loadSteps}}
	before := len(l.faults)
	v, err := in.Run(l.ctx, script)
	if err != nil {
		return nil, err
	}
	b, ok := v.(*block)
	switch {
	case v == nil && len(l.faults) > before:
		return nil, l.faults[before] // told; nothing is known of the rest
	case v == nil:
		return nil, invalid{script.Fault(script.Last(), "The DSL evaluated to a null - check your syntax and try again: the file ends with service { ... } or application { ... }")}
	case !ok || b.typ != "service" && b.typ != "application":
		return nil, invalid{script.Fault(script.Last(), "The DSL reader cannot create a service context to a DSL that does not evaluate to a Service. Check that the DSL evaluates to a service or application: the file ends with service { ... } or application { ... }")}
	}
	b.vars = vars
	l.sources = append(l.sources, src)
	in.Import = importFrom(append([]source{src}, b.baseFS...)...) // on a machine they lie in one folder
	for _, m := range in.Check(script) {
		l.warnings = append(l.warnings, m.Error.Error())
	}
	return b, nil
}

func (l *loader) values() Values {
	v := l.opt.Values
	if v.InstanceID == 0 {
		v.InstanceID = 1
	}
	return v
}

// properties reads the files that bind names (rules 2 to 5). Unlike the
// original, nested overrides override.
func (l *loader) properties(src source, given map[string]groovy.Value) (map[string]groovy.Value, error) {
	vars := map[string]groovy.Value{}
	for k, v := range l.opt.Properties {
		vars[k] = groovy.FromPlain(v)
	}
	base := strings.TrimSuffix(src.file, ".groovy")
	for _, name := range []string{base + ".properties", base + ".overrides", "application.properties", "application.overrides"} {
		text, err := readText(src.fsys, src.path(name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		l.note(l.config(src, name, text, vars))
	}
	if l.opt.Overrides != "" && l.depth == 0 {
		if err := l.config(src, "overrides", l.opt.Overrides, vars); err != nil {
			return nil, err
		}
	}
	for k, v := range given {
		vars[k] = v
	}
	return vars, nil
}

func (l *loader) config(src source, name, text string, vars map[string]groovy.Value) error {
	script, err := groovy.Parse(name, text)
	if err != nil {
		return err
	}
	in := &groovy.Interp{Classes: classes(&folder{src: src}), Limits: groovy.Limits{Steps: loadSteps}}
	m, err := in.Config(l.ctx, script, vars)
	if err != nil {
		return err
	}
	for _, k := range m.Keys() {
		v, _ := m.Get(k)
		key := groovy.Format(k)
		vars[key] = merge(vars[key], v)
	}
	return nil
}

// maxMerged bounds the values of two maps that are merged one by one: maps
// may contain themselves, or share parts.
const maxMerged = 1 << 16

// merge puts b over a, block by block.
func merge(a, b groovy.Value) groovy.Value {
	left := maxMerged
	return mergeIn(a, b, &left)
}

func mergeIn(a, b groovy.Value, left *int) groovy.Value {
	x, ok1 := a.(*groovy.Map)
	y, ok2 := b.(*groovy.Map)
	if !ok1 || !ok2 || x == y {
		return b
	}
	for _, k := range y.Keys() {
		if *left--; *left < 0 {
			return b
		}
		old, _ := x.Get(k)
		v, _ := y.Get(k)
		x.Put(k, mergeIn(old, v, left))
	}
	return x
}

// importFrom gives sibling classes: import Shell reads Shell.groovy, of the
// first folder that has it.
func importFrom(folders ...source) func(string) (*groovy.Script, error) {
	return func(name string) (*groovy.Script, error) {
		file := strings.ReplaceAll(name, ".", "/") + ".groovy"
		for range 2 {
			for _, src := range folders {
				text, err := readText(src.fsys, src.path(file))
				if err == nil {
					return groovy.Parse(path.Base(file), text)
				}
			}
			file = path.Dir(file) + ".groovy" // import static Shell.run
		}
		return nil, nil
	}
}

// extend reads and validates the base of a service, which the child then
// overrides.
func (r *reader) extend(t *groovy.Thread, b *block, args []groovy.Value) (groovy.Value, error) {
	if b.typ != "service" || len(b.own) > 0 || len(b.bases) > 0 {
		return nil, groovy.Throw("DSLException", "extend must be first inside the service block")
	}
	rel, ok := "", len(args) == 1
	if ok {
		rel, ok = args[0].(string)
	}
	if !ok {
		return nil, groovy.Throw("DSLException", "extend takes one String: the path of a service folder")
	}
	b.baseless = true // until it has been read
	if r.load.depth++; r.load.depth > 8 {
		return nil, groovy.Throw("DSLException", "extend is nested more than 8 deep")
	}
	defer func() { r.load.depth-- }()
	src, err := r.load.base(r.src, rel)
	if err != nil {
		return nil, err
	}
	for s := &r.src; s != nil; s = s.child {
		if s.dir == src.dir && s.file == src.file && s.library == src.library {
			return nil, groovy.Throw("DSLException", "extend goes in a circle: %s is extended by itself", src.file)
		}
	}
	src.child = &r.src
	base, err := r.load.descriptor(src, r.vars)
	if err != nil {
		return nil, err
	}
	if base.typ != "service" {
		return nil, groovy.Throw("DSLException", "%s is no service", rel)
	}
	if err := validateName(base); err != nil {
		return nil, err
	}
	b.baseless = false
	copied := base.inherit()
	b.vals, b.where = copied.vals, copied.where
	b.bases = append([]string{src.dir}, base.bases...)
	b.baseFS = append([]source{src}, base.baseFS...)
	for k, v := range base.vars {
		if _, ok := r.vars[k]; !ok {
			r.vars[k] = v
		}
	}
	return nil, nil
}

// base finds the folder that "extend rel" names: packed with the recipe,
// beside it, or in the library.
func (l *loader) base(from source, rel string) (source, error) {
	packed := path.Join(l.root, packedBases, fmt.Sprint(l.depth))
	beside := path.Join(from.dir, rel)
	tried := []string{rel}
	for _, dir := range []string{packed, beside} {
		if fs.ValidPath(dir) {
			if _, err := fs.Stat(from.fsys, dir); err == nil {
				src, err := find(from.fsys, dir)
				src.library = from.library
				return src, err
			}
		}
	}
	if l.opt.Library != nil {
		parts := strings.Split(path.Clean(rel), "/")
		parts = slices.DeleteFunc(parts, func(p string) bool { return p == ".." || p == "services" })
		dir := path.Join(parts...)
		tried = append(tried, "library/"+dir)
		if fs.ValidPath(dir) && dir != "." {
			if _, err := fs.Stat(l.opt.Library, dir); err == nil {
				src, err := find(l.opt.Library, dir)
				src.library = true
				return src, err
			}
		}
	}
	return source{}, groovy.Throw("DSLException", "could not find extended service in paths %s", strings.Join(tried, ", "))
}

// fragment is load("file.groovy"): a piece of the descriptor in a file.
func (r *reader) fragment(t *groovy.Thread, name string) (groovy.Value, error) {
	if !filepath.IsLocal(name) {
		return nil, groovy.Throw("DSLException", "load %s: it is outside of the recipe's folder", name)
	}
	script, err := r.load.parse(r.src, name)
	if _, syntax := err.(*groovy.Error); err != nil && !syntax {
		return nil, groovy.Throw("DSLException", "load %s: %v", name, err)
	}
	if err != nil {
		return nil, err
	}
	v, err := t.Run(script)
	if c, ok := v.(*groovy.Closure); ok && err == nil && r.active() != nil {
		return t.Call(c)
	}
	return v, err
}

// member reads a service of an application: its folder, then what the
// application overrides.
func (r *reader) member(t *groovy.Thread, app, over *block) error {
	name, _ := over.vals["name"].(string)
	if name == "" {
		return groovy.Throw("DSLException", "a service of an application needs a name, which is its folder")
	}
	dir := path.Join(r.src.dir, name)
	switch r.load.member {
	case "":
	case name:
		dir = r.load.root
	default:
		return nil
	}
	r.load.root = dir
	if _, err := fs.Stat(r.src.fsys, dir); err != nil || !fs.ValidPath(dir) {
		return groovy.Throw("DSLException", "Could not find service directory: %s while loading application", name)
	}
	src, err := find(r.src.fsys, dir)
	if err != nil {
		return err
	}
	svc, err := r.load.descriptor(src, r.vars)
	if err != nil {
		return err
	}
	merged := svc.inherit()
	merged.vars = svc.vars
	merged.override(over)
	merged.bases, merged.baseFS = svc.bases, append([]source{src}, svc.baseFS...)
	r.load.services = append(r.load.services, merged)
	return nil
}
