package groovy

// scriptFunctions are the functions that every script has.
func scriptFunctions() methods {
	printed := func(end string) method {
		return function0(0, 1, func(t *Thread, a []Value) (Value, error) {
			s := ""
			if len(a) == 1 {
				var err error
				if s, err = t.toString(a[0]); err != nil {
					return nil, err
				}
			}
			return nil, t.Print(s + end)
		})
	}
	return methods{
		"println": printed("\n"), "print": printed(""),
		"printf": function0(1, -1, func(t *Thread, a []Value) (Value, error) {
			v, err := t.sprintf(unpacked(a))
			if err != nil {
				return nil, err
			}
			return nil, t.Print(Format(v))
		}),
		"sprintf": function0(1, -1, func(t *Thread, a []Value) (Value, error) { return t.sprintf(unpacked(a)) }),
		"use":     function0(0, -1, func(t *Thread, a []Value) (Value, error) { return t.use(a) }),
		"sleep":   function0(1, 2, func(t *Thread, a []Value) (Value, error) { return nil, t.sleep(a[0]) }),
		"evaluate": function0(1, 1, func(t *Thread, a []Value) (Value, error) {
			file, src, err := textOf(t, a[0])
			if err != nil {
				return nil, err
			}
			return t.evaluate(file, src, t.unit().binding)
		}),
		"getBinding": function0(0, 0, func(t *Thread, _ []Value) (Value, error) { return &binding{t.unit()}, nil }),
	}
}

// evaluate runs a text as a script with a binding.
func (t *Thread) evaluate(file, src string, vars *Map) (Value, error) {
	s, err := t.parse(file, src)
	if err != nil {
		return nil, err
	}
	u, err := t.load(s)
	if err != nil {
		return nil, err
	}
	if vars != nil {
		if args, ok := u.binding.Get("args"); ok && !vars.Has("args") {
			vars.Put("args", args)
		}
		u.binding = vars
	}
	return t.runUnit(u)
}

// parse reads a text that a script made or found. What is wrong with it the
// script can catch.
func (t *Thread) parse(file, src string) (*Script, error) {
	if err := t.charge(len(src)); err != nil { // a step for each byte that is parsed
		return nil, err
	}
	s, err := Parse(file, src)
	if err != nil {
		return nil, Throw("MultipleCompilationErrorsException", "startup failed:\n%s", err)
	}
	return s, nil
}

func (t *Thread) sleep(ms Value) error {
	n, ok := Number(ms)
	if !ok {
		return Throw("IllegalArgumentException", "sleep(%s)", Format(ms))
	}
	if t.in.Sleep == nil {
		return Throw("UnsupportedOperationException", "sleep is not available here")
	}
	return t.in.Sleep(t.ctx, truncate(n))
}

// make makes an object of a host class.
func (t *Thread) make(class string, args ...Value) (Value, error) {
	if c, ok := t.class(t.unit(), class).(*Class); ok && c.New != nil {
		return c.New(t, args)
	}
	return nil, Throw("ClassNotFoundException", "%s", unavailable(class))
}

// Start describes a process that a script starts: "cmd".execute(env, dir).
type Start struct {
	Argv []string
	Env  []string // NAME=value; nil: the script's own
	Dir  string   // empty: the script's own
	// Merge puts errors into the output.
	Merge bool
}

// execute starts a process.
func (t *Thread) execute(argv []string, a []Value) (Value, error) {
	if t.in.Start == nil {
		return nil, Throw("UnsupportedOperationException", "execute is not available here: a process is not started while a recipe is checked")
	}
	if len(argv) == 0 {
		return nil, Throw("IllegalArgumentException", "Empty command")
	}
	s := Start{Argv: argv}
	if len(a) > 0 && a[0] != nil {
		list, err := t.elements(a[0])
		if err != nil {
			return nil, err
		}
		s.Env = []string{}
		for _, v := range list {
			s.Env = append(s.Env, Format(v))
		}
	}
	if len(a) > 1 && a[1] != nil {
		s.Dir = Format(a[1])
	}
	return t.in.Start(t, s)
}

// Functions is an Object of functions and constants, for a Class's Static.
type Functions struct {
	Name   string
	Func   func(t *Thread, name string, args []Value) (Value, error) // nil has none
	Consts map[string]Value
}

// Type is the name of the class.
func (f *Functions) Type() string { return f.Name }

// Get reads a constant.
func (f *Functions) Get(_ *Thread, name string) (Value, error) {
	if v, ok := f.Consts[name]; ok {
		return v, nil
	}
	return nil, ErrNoMember
}

// Set refuses: constants stay.
func (f *Functions) Set(*Thread, string, Value) error { return ErrNoMember }

// Call calls a function.
func (f *Functions) Call(t *Thread, name string, args []Value) (Value, error) {
	if f.Func == nil {
		return nil, ErrNoMember
	}
	return f.Func(t, name, args)
}

// textOf is the text that a parser is given: a String, or a File or URL whose
// property text the embedder answers.
func textOf(t *Thread, v Value) (file, text string, err error) {
	switch v := v.(type) {
	case string:
		return "script", v, nil
	case *lazyString, *builder:
		s, err := t.toString(v)
		return "script", s, err
	case Object:
		x, err := v.Get(t, "text")
		if err != nil {
			return "", "", err
		}
		s, _ := x.(string)
		return Format(v), s, nil
	}
	return "", "", Throw("IllegalArgumentException", "parse(%s)", TypeName(v))
}
