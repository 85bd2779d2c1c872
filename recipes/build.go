package recipes

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"appliance/recipes/groovy"
)

func types() []string {
	return []string{"UNDEFINED", "LOAD_BALANCER", "WEB_SERVER", "SECURITY_SERVER", "APP_SERVER", "ESB_SERVER", "MESSAGE_BUS", "DATABASE", "NOSQL_DB", "CACHE"}
}

func (b *block) str(name string) string {
	s, _ := b.vals[name].(string)
	return s
}

func (b *block) integer(name string, deflt int) int {
	if n, ok := b.vals[name].(int64); ok {
		return int(min(max(n, -1<<31), 1<<31-1))
	}
	return deflt
}

func (b *block) boolean(name string, deflt bool) bool {
	if v, ok := b.vals[name].(bool); ok {
		return v
	}
	return deflt
}

// child is a nested block; an empty one when there is none.
func (b *block) child(name string) *block {
	if c, ok := b.vals[name].(*block); ok {
		return c
	}
	return newBlock(name)
}

// fault is an error at the place where property name was set.
func (b *block) fault(name, format string, args ...any) error {
	where := b.where[name]
	if where == "" {
		where = b.at
	}
	return invalidf("%s: %s", where, fmt.Sprintf(format, args...))
}

func validateName(b *block) error {
	name, set := b.vals["name"].(string)
	kind := "Service"
	article := "service"
	if b.typ == "application" {
		kind, article = "Application", "application"
	}
	switch {
	case !set && b.baseless:
		return nil // it may be the base's
	case !set:
		return b.fault("name", "%s.validateName: The %s's name is missing", kind, article)
	case strings.TrimSpace(name) == "":
		return b.fault("name", "%s.validateName: The %s's name is empty", kind, article)
	case strings.ContainsAny(name, "{}[]()"):
		return b.fault("name", "%s.validateName: The name %q contains one or more invalid characters: '(',')','[',']','{','}'", kind, name)
	case strings.ContainsRune(name, utf8.RuneError):
		return b.fault("name", "%s.validateName: The name %q is not UTF-8 text", kind, name)
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '/' || r == '\\' || r == 0x7f }) || len(name) > 64 || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "."):
		return b.fault("name", "%s.validateName: The name %q contains one or more invalid characters: a name has at most 64 characters, no slash, no control character, and no dot at its ends", kind, name)
	}
	return nil
}

// application builds an application from its services.
func (l *loader) application(src source, b *block) *Recipe {
	l.note(validateName(b))
	app := &Recipe{Name: b.str("name"), Services: []*Recipe{}, descriptor: src.file, fsys: src.fsys, dir: src.dir, vars: b.vars, Properties: plainVars(b.vars)}
	names := map[string]bool{}
	for _, s := range l.services {
		own := s.baseFS[0]
		s.baseFS = s.baseFS[1:]
		r := l.build(own, s)
		if names[r.Name] {
			l.note(invalidf("%s: service %s is defined more than once", src.file, r.Name))
		}
		names[r.Name] = true
		r.app, r.Application = &src, app.Name
		app.Services = append(app.Services, r)
	}
	missing := false
	for _, r := range app.Services {
		for _, d := range r.DependsOn {
			if !names[d] && l.member == "" {
				l.note(invalidf("%s: Dependency '%s' of service: %s was not found%s", src.file, d, r.Name, hint(d, names)))
				missing = true
			}
		}
	}
	if c := cycle(app.Services); c != "" && !missing && l.member == "" {
		l.note(invalidf("%s: services depend on each other in a circle: %s", src.file, c))
	}
	var err error
	app.Warnings = l.warnings
	l.warnings = nil
	app.Files, err = list(src.fsys, src.dir)
	l.note(err)
	return app
}

// hint suggests the known name that is near to one.
func hint[V any](name string, known map[string]V) string {
	if near := nearest(name, known); near != "" {
		return fmt.Sprintf(" (did you mean %s?)", near)
	}
	return ""
}

// cycle names the services of a circular dependency; empty when there is none.
func cycle(services []*Recipe) string {
	done := map[string]bool{}
	for range services {
		for _, s := range services {
			if !slices.ContainsFunc(s.DependsOn, func(d string) bool { return !done[d] }) {
				done[s.Name] = true
			}
		}
	}
	var left []string
	for _, s := range services {
		if !done[s.Name] {
			left = append(left, s.Name)
		}
	}
	return strings.Join(left, ", ")
}

// build turns a service block into a recipe and validates it.
func (l *loader) build(src source, b *block) *Recipe {
	l.note(validateName(b))
	for _, g := range grids() {
		if b.vals[g] != nil {
			l.note(b.fault(g, "%s is not supported: data grids and processing units need GigaSpaces XAP", g))
		}
	}
	life := b.child("lifecycle")
	r := &Recipe{
		Name: b.str("name"), Type: strings.ToUpper(b.str("type")), Icon: b.str("icon"), URL: b.str("url"),
		Elastic: b.boolean("elastic", false), LocationAware: b.boolean("locationAware", false), Stateful: b.boolean("stateful", true),
		NumInstances: b.integer("numInstances", 1), Min: b.integer("minAllowedInstances", 1), Max: b.integer("maxAllowedInstances", 1),
		Retries: b.integer("retries", -1), Template: b.child("compute").str("template"), Storage: b.child("storage").str("template"),
		StartDetectionTimeout:  time.Duration(life.integer("startDetectionTimeoutSecs", 90)) * time.Second,
		StartDetectionInterval: time.Duration(life.integer("startDetectionIntervalSecs", 5)) * time.Second,
		CustomProperties:       map[string]string{}, Lifecycle: map[string]Entry{}, CustomCommands: map[string]Entry{},
		Properties: plainVars(b.vars), Timeouts: map[string]time.Duration{},
		descriptor: src.file, fsys: src.fsys, dir: src.dir, vars: b.vars, overrides: l.opt.Overrides,
	}
	for _, s := range b.baseFS {
		r.bases = append(r.bases, s.dir)
		r.baseFS = append(r.baseFS, s.fsys)
	}
	if r.Type == "" {
		r.Type = "UNDEFINED"
	}
	for _, step := range []func(*block, *Recipe){l.counts, l.entries, l.timeouts, l.custom, l.port, l.extras, l.scaling, l.files} {
		step(b, r)
	}
	r.Warnings = append(r.Warnings, l.warnings...)
	l.warnings = nil
	return r
}

func plainVars(vars map[string]groovy.Value) map[string]any {
	all := groovy.NewMap() // at once: what they share counts each time
	for _, k := range sortedNames(vars) {
		all.Put(k, vars[k])
	}
	return groovy.Plain(all).(map[string]any)
}

// fault notes an error at the place where property name was set.
func (l *loader) fault(b *block, name, format string, args ...any) {
	l.note(b.fault(name, format, args...))
}

// counts checks the numbers of section 1.2.
func (l *loader) counts(b *block, r *Recipe) {
	if !slices.Contains(types(), r.Type) {
		l.fault(b, "type", "The service type '%s' is undefined.The known service types include %v", r.Type, types())
	}
	switch {
	case r.Min < 1:
		l.fault(b, "minAllowedInstances", "Minimum number of instances (%d) must be 1 or higher.", r.Min)
	case r.Max < r.Min:
		l.fault(b, "maxAllowedInstances", "Maximum number of instances (%d) must be equal or greater than the minimum number of instances (%d)", r.Max, r.Min)
	}
	switch {
	case r.NumInstances < 1:
		l.fault(b, "numInstances", "The requested number of instances (%d) must be 1 or higher", r.NumInstances)
	case r.NumInstances > r.Max:
		l.fault(b, "numInstances", "The requested number of instances (%d) exceeds the maximum number of instances allowed (%d) for service %s.", r.NumInstances, r.Max, r.Name)
	case r.NumInstances < r.Min:
		l.fault(b, "numInstances", "number of instances (%d) must be equal or greater than the minimum number of instances (%d)", r.NumInstances, r.Min)
	}
	if r.Retries < -1 {
		l.fault(b, "retries", "retries (%d) must be -1 (unlimited), 0 or higher", r.Retries)
	}
	life := b.child("lifecycle")
	if r.StartDetectionTimeout <= 0 {
		l.fault(life, "startDetectionTimeoutSecs", "startDetectionTimeoutSecs must be higher than 0")
	}
	if r.StartDetectionInterval <= 0 {
		l.fault(life, "startDetectionIntervalSecs", "startDetectionIntervalSecs must be higher than 0")
	}
	if v, ok := b.vals["dependsOn"].(*groovy.List); ok {
		for _, d := range v.Elems {
			r.DependsOn = append(r.DependsOn, groovy.Format(d))
		}
	}
}

// entries makes the executable entries and checks what may be which.
func (l *loader) entries(b *block, r *Recipe) {
	life := b.child("lifecycle")
	for name, kind := range l.types["lifecycle"].props {
		if v := life.vals[name]; kind == pExec && v != nil {
			r.Lifecycle[name] = makeEntry(v, life.where[name])
		}
	}
	for _, name := range []string{"stopDetection", "verify"} {
		if e, ok := r.Lifecycle[name]; ok && e.Closure == nil {
			l.fault(life, name, "The %s field only supports execution of closures", map[string]string{"stopDetection": "stop detection", "verify": "verify"}[name])
		}
	}
	if e, ok := r.Lifecycle["monitors"]; ok && e.Closure == nil && e.Sub == nil && e.ByOS == nil {
		l.fault(life, "monitors", "The monitors event only supports execution of closures or returning a map of executable entries")
	}
	for _, name := range []string{"monitors", "details"} {
		if e, ok := r.Lifecycle[name]; ok && e.ByOS != nil { // here a map is of names
			for _, o := range e.ByOS {
				e.Sub = append(e.Sub, SubEntry{o.Pattern, o.Entry})
			}
			e.ByOS = nil
			r.Lifecycle[name] = e
		}
	}
	if m, ok := b.vals["customCommands"].(*groovy.Map); ok {
		for _, k := range m.Keys() {
			name := groovy.Format(k)
			if strings.HasPrefix(name, "cloudify:") {
				l.fault(b, "customCommands", "the custom command name %s is reserved: names that begin with cloudify: are built in", name)
			}
			if v, _ := m.Get(k); v != nil {
				r.CustomCommands[name] = makeEntry(v, b.where["customCommands"])
			}
		}
	}
	if r.Lifecycle["start"].empty() && len(r.Lifecycle) > 0 {
		r.Warnings = append(r.Warnings, "the lifecycle has no start entry")
	}
}

func (e Entry) empty() bool {
	return e.Closure == nil && e.Line == "" && len(e.Args) == 0 && len(e.ByOS) == 0 && len(e.Sub) == 0
}

func makeEntry(v groovy.Value, where string) Entry {
	e := Entry{Where: where}
	switch v := v.(type) {
	case *groovy.Closure:
		e.Closure = v
	case string:
		e.Line = v
	case *groovy.List:
		for _, a := range v.Elems {
			e.Args = append(e.Args, groovy.Format(a))
		}
	case *groovy.Map:
		for _, k := range v.Keys() {
			if x, _ := v.Get(k); x != nil {
				e.ByOS = append(e.ByOS, OSEntry{groovy.Format(k), makeEntry(x, where)})
			}
		}
	}
	return e
}

func (l *loader) timeouts(b *block, r *Recipe) {
	life := b.child("lifecycle")
	m, ok := life.vals["eventTimeoutSecs"].(*groovy.Map)
	if !ok {
		return
	}
	for _, k := range m.Keys() {
		v, _ := m.Get(k)
		n, isInt := v.(int64)
		event := groovy.Format(k)
		if !slices.Contains(Events(), event) || !isInt || n < 1 || n > 7*24*3600 {
			l.fault(life, "eventTimeoutSecs", "eventTimeoutSecs: %s: %s is no event with a number of seconds up to a week", event, groovy.Format(v))
			continue
		}
		r.Timeouts[event] = time.Duration(n) * time.Second
	}
}

// custom reads customProperties and what they mean to the appliance.
func (l *loader) custom(b *block, r *Recipe) {
	if m, ok := b.vals["customProperties"].(*groovy.Map); ok {
		for _, k := range m.Keys() {
			v, _ := m.Get(k)
			r.CustomProperties[groovy.Format(k)] = groovy.Format(v)
		}
	}
	if v, ok := r.CustomProperties["org.cloudifysource.monitors-cache-timeout"]; ok {
		if _, err := strconv.ParseInt(v, 10, 64); err != nil {
			l.fault(b, "customProperties", "The org.cloudifysource.monitors-cache-timeout property must be a long value")
		}
	}
	r.Description = r.CustomProperties["org.appliance.description"]
	r.Packages = strings.FieldsFunc(r.CustomProperties["org.appliance.packages"], func(c rune) bool { return c == ',' || c == ' ' || c == '\t' || c == '\n' })
	for _, p := range r.Packages {
		if strings.Trim(p, "abcdefghijklmnopqrstuvwxyz0123456789+-.") != "" || strings.Trim(p[:1], "+-.") == "" {
			l.fault(b, "customProperties", "org.appliance.packages: %q is no name of a Debian package", p)
		}
	}
}

// port finds the service's port: what is said, else what properties are called.
func (l *loader) port(b *block, r *Recipe) {
	net := b.child("network")
	r.Protocol = net.str("protocolDescription")
	if r.Protocol == "" {
		r.Protocol = "tcp"
	}
	text := r.CustomProperties["org.appliance.port"]
	if text == "" && net.integer("port", -1) > 0 {
		text = strconv.Itoa(net.integer("port", -1))
	}
	for _, name := range []string{"jdbcPort", "port"} {
		if n, ok := b.vars[name].(int64); ok && text == "" {
			text = strconv.FormatInt(n, 10)
		}
	}
	if text == "" {
		return
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		l.fault(b, "customProperties", "the service's port %q is no number from 1 to 65535", text)
		return
	}
	r.Port = port
}

// files lists the folder and checks every file the descriptor names.
func (l *loader) files(b *block, r *Recipe) {
	var err error
	r.Files, err = list(r.fsys, r.dir)
	l.note(err)
	if r.Icon != "" {
		if _, ok := r.locate(r.Icon); !ok {
			l.fault(b, "icon", "The icon file %q does not exist.", r.Icon)
		}
	}
	for _, name := range sortedNames(r.Lifecycle) {
		l.checkEntry(r, name, r.Lifecycle[name])
	}
	for _, name := range sortedNames(r.CustomCommands) {
		l.checkEntry(r, name, r.CustomCommands[name])
	}
}

// locate finds a file of the recipe, in its folder or a base's.
func (r *Recipe) locate(name string) (source, bool) {
	for _, s := range r.folders() {
		p := path.Join(s.dir, strings.TrimPrefix(name, "./"))
		if !fs.ValidPath(p) || s.dir != "." && !strings.HasPrefix(p, s.dir+"/") {
			continue
		}
		if info, err := fs.Stat(s.fsys, p); err == nil && info.Mode().IsRegular() {
			return s, true
		}
	}
	return source{}, false
}

// folders are the recipe's own and those of its bases.
func (r *Recipe) folders() []source {
	return append([]source{{fsys: r.fsys, dir: r.dir}}, r.baseSources()...)
}

func (r *Recipe) baseSources() []source {
	var list []source
	for i, d := range r.bases {
		list = append(list, source{fsys: r.baseFS[i], dir: d})
	}
	return list
}

// checkEntry refuses an entry whose script is missing or does not parse, and
// names the classes that a Groovy script lacks.
func (l *loader) checkEntry(r *Recipe, name string, e Entry) {
	for _, o := range e.ByOS {
		if name != "monitors" && name != "details" && matchesOS(o.Pattern) {
			l.checkEntry(r, name, o.Entry)
			return
		}
	}
	for _, s := range e.Sub {
		l.checkEntry(r, name+"."+s.Name, s.Entry)
	}
	script := ""
	switch {
	case e.Line != "":
		script, _, _ = strings.Cut(e.Line, " ")
	case len(e.Args) > 0:
		script = e.Args[0]
	}
	ext := path.Ext(script)
	if ext != ".groovy" && ext != ".sh" || strings.HasPrefix(script, "/") || strings.Contains(script, "$") {
		return
	}
	src, ok := r.locate(script)
	if !ok {
		l.note(invalidf("%s: %s: the script %s is not in the recipe's folder%s", e.Where, name, script, hint(script, r.fileNames())))
		return
	}
	if ext == ".sh" {
		return
	}
	s, err := l.parse(src, script)
	if err != nil {
		l.note(err)
		return
	}
	for _, m := range src.check(s, r.folders()...) {
		if m.What == "class" {
			l.note(m.Error)
		} else {
			l.warnings = append(l.warnings, m.Error.Error())
		}
	}
}

// check tells what a script of s would not find on the machine, where all
// files of the folders lie in one.
func (s source) check(script *groovy.Script, folders ...source) []groovy.Missing {
	in := &groovy.Interp{Classes: classes(&folder{src: s}), Import: importFrom(append(folders, s)...), Refused: notHere()}
	return in.Check(script)
}

// fileNames are the scripts of the recipe and of its bases.
func (r *Recipe) fileNames() map[string]bool {
	all := map[string]bool{}
	for _, f := range r.Files {
		all[f] = true
	}
	return all
}
