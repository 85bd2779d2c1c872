package recipes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"appliance/recipes/groovy"
)

// maxFaults is how many faults of a recipe are told; what follows is rarely new.
const maxFaults = 100

// Finding is one thing that the author of a recipe is told.
type Finding struct {
	// Fatal: the recipe does not load. Else it loads, and something in it has
	// no effect, or fails when it runs.
	Fatal bool `json:"fatal"`
	// Text is "file:line:column: what", or less of it where less is known; a
	// second and third line hold the source and a caret.
	Text string `json:"text"`
}

// Check reads the recipe in fsys as Load does and returns all that is wrong
// with it, its scripts and its extended bases, in the order of the reading:
// faults, then warnings. The recipe is nil when a finding is fatal.
func Check(fsys fs.FS, opt Options) (*Recipe, []Finding) {
	ctx, cancel := context.WithTimeout(context.Background(), loadTime)
	defer cancel()
	l := &loader{ctx: ctx, fsys: fsys, opt: opt, types: blockTypes(), read: map[string]bool{}}
	r := l.recipe()
	l.strays()
	var found []Finding
	for _, err := range l.faults {
		found = append(found, Finding{Fatal: true, Text: err.Error()})
	}
	if len(found) > 0 {
		r = nil
	}
	warnings := l.warnings
	if r != nil {
		warnings = slices.Concat(warnings, r.allWarnings())
	}
	for _, w := range warnings {
		if f := (Finding{Text: w}); !slices.Contains(found, f) {
			found = append(found, f)
		}
	}
	return r, found
}

func (r *Recipe) allWarnings() []string {
	all := slices.Clone(r.Warnings)
	for _, s := range r.Services {
		all = append(all, s.allWarnings()...)
	}
	return all
}

// note keeps a fault; each is told once. It returns false for one that was
// told before.
func (l *loader) note(err error) bool {
	if err == nil {
		return true
	}
	if text := l.excerpt(err); text != "" {
		err = quoted{err, text}
	}
	if len(l.faults) >= maxFaults || slices.ContainsFunc(l.faults, func(o error) bool { return o.Error() == err.Error() }) {
		return false
	}
	l.faults = append(l.faults, err)
	return true
}

// quoted is a fault with the source line that it is about.
type quoted struct {
	error
	excerpt string
}

func (q quoted) Error() string { return q.error.Error() + q.excerpt }
func (q quoted) Unwrap() error { return q.error }

// excerpt is the source line, with a caret, of a fault that tells no more of
// its place than "file:line:column: ".
func (l *loader) excerpt(err error) string {
	if _, shown := errors.AsType[*groovy.Error](err); shown {
		return ""
	}
	if _, shown := errors.AsType[quoted](err); shown {
		return ""
	}
	part := strings.SplitN(err.Error(), ":", 4)
	if len(part) < 4 || l.scripts[part[0]] == nil {
		return ""
	}
	line, err1 := strconv.Atoi(part[1])
	col, err2 := strconv.Atoi(part[2])
	if err1 != nil || err2 != nil {
		return ""
	}
	_, lines, found := strings.Cut(l.scripts[part[0]].Fault(groovy.Pos{Line: line, Col: col}, "").Error(), "\n")
	if !found {
		return ""
	}
	return "\n" + lines
}

// faulty notes what a statement of a descriptor does wrong with word, with its
// place, and lets the reading go on. What ends an evaluation (a limit, exit) does.
func (l *loader) faulty(t *groovy.Thread, err error, word string) error {
	var exit *groovy.Exit
	switch {
	case err == nil, errors.Is(err, groovy.ErrNoMember), errors.Is(err, groovy.ErrLimit), errors.As(err, &exit),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	e := *t.Located(err)
	if _, placed := err.(*groovy.Error); !placed { // the evaluator stands at the value already
		if i := strings.Index(e.Source, word); i >= 0 {
			e.Pos.Col = utf8.RuneCountInString(e.Source[:i]) + 1
		}
	}
	if !l.note(&e) {
		return err // a loop: it ends here
	}
	return nil
}

// strays parses the Groovy files of the folder and of the extended ones that
// nothing read: a script that another script runs is as broken as one that the
// descriptor names.
func (l *loader) strays() {
	dir := path.Clean(l.opt.Dir)
	if kindOf(dir) != "" {
		dir = path.Dir(dir)
	}
	for _, src := range append([]source{{fsys: l.fsys, dir: dir}}, l.sources...) {
		l.straysOf(src)
	}
}

func (l *loader) straysOf(src source) {
	files, err := list(src.fsys, src.dir)
	if err != nil {
		return // told already
	}
	for _, f := range files {
		name := src.path(f)
		if path.Ext(f) != ".groovy" || l.read[name] || strings.HasPrefix(f, packedBases) {
			continue
		}
		l.read[name] = true
		text, err := readText(src.fsys, name)
		if err != nil {
			continue
		}
		s, err := groovy.Parse(f, text)
		if err != nil {
			l.warnings = append(l.warnings, err.Error())
			continue
		}
		for _, m := range (source{fsys: src.fsys, dir: path.Dir(name)}).check(s) {
			l.warnings = append(l.warnings, m.Error.Error())
		}
	}
}

// loadError is the error of Load for the faults of a recipe.
func loadError(faults []error) error {
	err := errors.Join(faults...)
	for _, f := range faults {
		if _, known := errors.AsType[invalid](f); !known && errors.Is(f, fs.ErrPermission) {
			return fmt.Errorf("load recipe: %w", err)
		}
	}
	return fmt.Errorf("load recipe: %w", invalid{err})
}
