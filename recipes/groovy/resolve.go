package groovy

// resolve gives every variable its slot: after it a name node knows whether it
// is a variable of its function, one captured from a function around it, or
// something to look up when it is evaluated.
func resolve(s *Script) {
	r := &resolver{script: s}
	r.function(s.main, nil, nil)
	for _, m := range s.methods {
		r.function(m.fn, nil, nil)
	}
	for _, c := range s.classes {
		r.class(c, nil)
	}
}

type resolver struct {
	script *Script
	fn     *fnScope
	depth  int
}

// fnScope is a function while it is resolved.
type fnScope struct {
	fn     *function
	outer  *fnScope // whose variables it may capture; nil: none
	shared *fnScope // the class whose captures its code uses
	blocks []map[string]*local
	ups    map[*local]int
}

func (r *resolver) open()  { r.fn.blocks = append(r.fn.blocks, nil) }
func (r *resolver) close() { r.fn.blocks = r.fn.blocks[:len(r.fn.blocks)-1] }

func (r *resolver) declare(l *local) {
	n := len(r.fn.blocks) - 1
	if r.fn.blocks[n] == nil {
		r.fn.blocks[n] = map[string]*local{}
	}
	l.slot = r.fn.fn.slots
	r.fn.fn.slots++
	r.fn.blocks[n][l.id] = l
	if len(r.script.locals) < 1000 {
		r.script.locals = append(r.script.locals, l.id)
	}
}

// find returns a variable of the function, or its place among the captured
// ones.
func (f *fnScope) find(id string) (l *local, up int) {
	for i := len(f.blocks) - 1; i >= 0; i-- {
		if l, ok := f.blocks[i][id]; ok {
			return l, -1
		}
	}
	if f.shared != nil {
		if _, up := f.shared.find(id); up >= 0 {
			return nil, up
		}
		return nil, -1
	}
	if f.outer == nil {
		return nil, -1
	}
	l, up = f.outer.find(id)
	if l == nil && up < 0 {
		return nil, -1
	}
	return nil, f.capture(l, up)
}

// capture adds a variable of the function around to the captured ones.
func (f *fnScope) capture(l *local, up int) int {
	if l != nil {
		l.captured = true
		if i, ok := f.ups[l]; ok {
			return i
		}
		if f.ups == nil {
			f.ups = map[*local]int{}
		}
		f.ups[l] = len(f.fn.captures)
	} else {
		for i, c := range f.fn.captures {
			if c.local == nil && c.up == up {
				return i
			}
		}
	}
	f.fn.captures = append(f.fn.captures, capture{l, up})
	return len(f.fn.captures) - 1
}

func (r *resolver) function(fn *function, outer, shared *fnScope) {
	saved, depth := r.fn, r.depth
	r.fn, r.depth = &fnScope{fn: fn, outer: outer, shared: shared}, 0
	r.open()
	for i := range fn.params {
		p := &fn.params[i]
		fn.typed = fn.typed || p.typ != ""
		if p.deflt == nil && !p.rest {
			fn.least++
		}
		if p.rest {
			fn.rest = true
		}
		if p.deflt != nil {
			r.expr(p.deflt)
		}
		r.declare(p.local)
	}
	r.stmts(fn.body)
	r.close()
	fn.height += 4
	r.fn, r.depth = saved, depth
}

// class resolves the members of a class. One that stands in a function (an
// anonymous class) may capture its variables; outer is that function.
func (r *resolver) class(d *classDecl, outer *fnScope) {
	saved := r.fn
	scope := &fnScope{fn: &function{}, outer: outer}
	d.fieldInit, d.staticInit = &function{pos: d.pos}, &function{pos: d.pos}
	r.initializers(d.fieldInit, d.fields, nil, scope)
	r.initializers(d.staticInit, d.statics, d.constants, scope)
	for _, m := range append(append([]*methodDecl{}, d.methods...), d.inits...) {
		r.function(m.fn, nil, scope)
	}
	for _, c := range d.constants {
		if c.body != nil {
			r.class(c.body, nil)
		}
	}
	d.captures = scope.fn.captures
	r.fn = saved
}

func (r *resolver) initializers(fn *function, fields []*varDecl, constants []enumConst, scope *fnScope) {
	r.fn = &fnScope{fn: fn, shared: scope}
	r.open()
	for _, c := range constants {
		r.exprs(c.args)
		r.mapOf(c.named)
	}
	for _, f := range fields {
		r.expr(f.init)
	}
	r.close()
}

func (r *resolver) block(list []stmt) {
	r.open()
	r.stmts(list)
	r.close()
}

func (r *resolver) stmts(list []stmt) {
	for _, s := range list {
		r.stmt(s)
	}
}

func (r *resolver) enter() {
	r.depth++
	r.fn.fn.height = max(r.fn.fn.height, r.depth)
}

func (r *resolver) stmt(s stmt) {
	r.enter()
	defer func() { r.depth-- }()
	switch s := s.(type) {
	case *exprStmt:
		r.expr(s.x)
	case *varDecl:
		r.variable(s)
	case *multi:
		r.stmts(s.list)
	case *block:
		r.block(s.body)
	case *ifStmt:
		r.expr(s.cond)
		r.block(s.yes)
		r.block(s.not)
	case *whileStmt:
		r.expr(s.cond)
		r.block(s.body)
	case *forStmt:
		r.open()
		r.stmts(s.init)
		r.expr(s.cond)
		r.stmts(s.post)
		r.block(s.body)
		r.close()
	case *forIn:
		r.expr(s.x)
		r.open()
		r.declare(s.local)
		r.block(s.body)
		r.close()
	case *switchStmt:
		r.expr(s.x)
		r.open()
		for _, c := range s.cases {
			r.exprs(c.vals)
			r.stmts(c.body)
		}
		r.close()
	case *tryStmt:
		r.try(s)
	case *throwStmt:
		r.expr(s.x)
	case *returnStmt:
		r.expr(s.x)
	case *assertStmt:
		r.expr(s.cond)
		r.expr(s.msg)
	case *superInit:
		r.exprs(s.args)
		r.mapOf(s.named)
	}
}

func (r *resolver) try(s *tryStmt) {
	r.block(s.body)
	for _, c := range s.catches {
		r.open()
		r.declare(c.local)
		r.stmts(c.body)
		r.close()
	}
	r.block(s.finally)
}

// variable resolves the initial value before the name is there, but a closure
// may call itself by the name.
func (r *resolver) variable(s *varDecl) {
	r.expr(s.init)
	if s.field {
		return
	}
	for _, l := range s.locals {
		r.declare(l)
	}
}

func (r *resolver) exprs(list []expr) {
	for _, x := range list {
		r.expr(x)
	}
}

func (r *resolver) mapOf(m *mapLit) {
	if m != nil {
		r.expr(m)
	}
}

func (r *resolver) expr(x expr) {
	if x == nil {
		return
	}
	r.enter()
	defer func() { r.depth-- }()
	switch x := x.(type) {
	case *name:
		x.local, x.up = r.fn.find(x.id)
	case *gstring:
		r.exprs(x.parts)
	case *listLit:
		r.exprs(x.elems)
	case *mapLit:
		for _, e := range x.entries {
			r.expr(e.key)
			r.expr(e.val)
		}
	case *closureLit:
		r.function(x.fn, r.fn, nil)
	case *unary:
		r.expr(x.x)
	case *step:
		r.expr(x.x)
	case *spread:
		r.expr(x.x)
	case *conversion:
		r.expr(x.x)
	case *typeTest:
		r.expr(x.x)
	case *rangeLit:
		r.exprs([]expr{x.from, x.to})
	case *binary:
		r.exprs([]expr{x.l, x.r})
	case *ternary:
		r.exprs([]expr{x.cond, x.yes, x.no})
	case *assign:
		r.exprs([]expr{x.l, x.r})
	case *index:
		r.exprs([]expr{x.x, x.i})
	default:
		r.access(x)
	}
}

// access resolves what follows dots and parentheses.
func (r *resolver) access(x expr) {
	switch x := x.(type) {
	case *property:
		r.exprs([]expr{x.x, x.idExpr})
	case *methodPointer:
		r.exprs([]expr{x.x, x.idExpr})
	case *call:
		r.exprs([]expr{x.recv, x.idExpr, x.fn})
		if x.callee != nil {
			x.callee.local, x.callee.up = r.fn.find(x.callee.id)
		}
		r.exprs(x.args)
		r.mapOf(x.named)
	case *creation:
		r.exprs(x.args)
		r.mapOf(x.named)
		r.expr(x.init)
		if x.body != nil {
			r.class(x.body, r.fn)
		}
	}
}
