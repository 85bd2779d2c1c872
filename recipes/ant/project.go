package ant

import "appliance/recipes/groovy"

// listener is the project's logger: scripts set how much it tells.
type listener struct{ b *builder }

// Type names the class.
func (*listener) Type() string { return "org.apache.tools.ant.NoBannerLogger" }

// Get reads nothing.
func (*listener) Get(*groovy.Thread, string) (groovy.Value, error) { return nil, groovy.ErrNoMember }

// Set sets messageOutputLevel: below 2 what tasks tell is not printed.
func (l *listener) Set(_ *groovy.Thread, id string, v groovy.Value) error {
	if id != "messageOutputLevel" {
		return groovy.ErrNoMember
	}
	level, ok := v.(int64)
	if !ok {
		return groovy.Throw("GroovyCastException", "messageOutputLevel is a number")
	}
	l.b.quiet = level < 2
	return nil
}

// Call is setMessageOutputLevel.
func (l *listener) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	if id == "setMessageOutputLevel" && len(args) == 1 {
		return nil, l.Set(t, "messageOutputLevel", args[0])
	}
	return nil, groovy.ErrNoMember
}

// scanner is what fileScanner gives: the files of its sets, found anew each time
// they are walked through.
type scanner struct {
	b *builder
	n *node
}

func (b *builder) scanner(t *groovy.Thread, n *node) (groovy.Value, error) {
	if b.host.File == nil {
		return nil, groovy.ErrNoMember
	}
	b.expand(n)
	return &scanner{b, n}, n.check(shapes())
}

// Type names the class.
func (*scanner) Type() string { return "groovy.util.FileScanner" }

// Get reads nothing.
func (*scanner) Get(*groovy.Thread, string) (groovy.Value, error) { return nil, groovy.ErrNoMember }

// Set refuses.
func (*scanner) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// Call lists the files or the folders.
func (s *scanner) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	if len(args) > 0 || id != "iterator" && id != "directories" && id != "hasFiles" {
		return nil, groovy.ErrNoMember
	}
	if id == "hasFiles" { // it says whether there are sets
		return len(s.n.kids) > 0, nil
	}
	all, err := s.b.sets(s.n)
	if err != nil {
		return nil, err
	}
	list := groovy.NewList()
	for _, f := range all {
		if f.isDir != (id == "directories") {
			continue
		}
		if err := t.Alloc(64 + len(f.dir) + len(f.rel)); err != nil {
			return nil, err
		}
		list.Elems = append(list.Elems, s.b.host.File(f.path()))
	}
	return list, nil
}
