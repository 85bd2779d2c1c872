package groovy

// walk calls f for every expression and statement of the script.
func (s *Script) walk(f func(any)) {
	w := walker{f}
	w.function(s.main)
	for _, m := range s.methods {
		w.function(m.fn)
	}
	for _, c := range s.classes {
		w.class(c)
	}
}

type walker struct{ f func(any) }

func (w walker) function(fn *function) {
	for _, p := range fn.params {
		w.expr(p.deflt)
	}
	w.stmts(fn.body)
}

func (w walker) class(d *classDecl) {
	w.f(d)
	for _, f := range append(append([]*varDecl{}, d.fields...), d.statics...) {
		w.expr(f.init)
	}
	for _, m := range append(append([]*methodDecl{}, d.methods...), d.inits...) {
		w.function(m.fn)
	}
	for _, c := range d.constants {
		w.exprs(c.args...)
		if c.body != nil {
			w.class(c.body)
		}
	}
}

func (w walker) stmts(list []stmt) {
	for _, s := range list {
		w.stmt(s)
	}
}

func (w walker) stmt(s stmt) {
	w.f(s)
	switch s := s.(type) {
	case *exprStmt:
		w.expr(s.x)
	case *varDecl:
		w.expr(s.init)
	case *multi:
		w.stmts(s.list)
	case *block:
		w.stmts(s.body)
	case *ifStmt:
		w.expr(s.cond)
		w.stmts(s.yes)
		w.stmts(s.not)
	case *whileStmt:
		w.expr(s.cond)
		w.stmts(s.body)
	case *forStmt:
		w.stmts(s.init)
		w.expr(s.cond)
		w.stmts(s.post)
		w.stmts(s.body)
	case *forIn:
		w.expr(s.x)
		w.stmts(s.body)
	case *switchStmt:
		w.expr(s.x)
		for _, c := range s.cases {
			w.exprs(c.vals...)
			w.stmts(c.body)
		}
	case *tryStmt:
		w.stmts(s.body)
		for _, c := range s.catches {
			w.stmts(c.body)
		}
		w.stmts(s.finally)
	case *throwStmt:
		w.expr(s.x)
	case *returnStmt:
		w.expr(s.x)
	case *assertStmt:
		w.exprs(s.cond, s.msg)
	case *superInit:
		w.exprs(s.args...)
		w.mapOf(s.named)
	}
}

func (w walker) exprs(list ...expr) {
	for _, x := range list {
		w.expr(x)
	}
}

func (w walker) mapOf(m *mapLit) {
	if m != nil {
		w.expr(m)
	}
}

func (w walker) expr(x expr) {
	if x == nil {
		return
	}
	w.f(x)
	switch x := x.(type) {
	case *gstring:
		w.exprs(x.parts...)
	case *listLit:
		w.exprs(x.elems...)
	case *mapLit:
		for _, e := range x.entries {
			w.exprs(e.key, e.val)
		}
	case *closureLit:
		w.function(x.fn)
	case *unary:
		w.expr(x.x)
	case *step:
		w.expr(x.x)
	case *spread:
		w.expr(x.x)
	case *conversion:
		w.expr(x.x)
	case *typeTest:
		w.expr(x.x)
	case *rangeLit:
		w.exprs(x.from, x.to)
	case *binary:
		w.exprs(x.l, x.r)
	case *ternary:
		w.exprs(x.cond, x.yes, x.no)
	case *assign:
		w.exprs(x.l, x.r)
	case *index:
		w.exprs(x.x, x.i)
	case *property:
		w.exprs(x.x, x.idExpr)
	case *methodPointer:
		w.exprs(x.x, x.idExpr)
	case *call:
		w.exprs(x.recv, x.idExpr, x.fn)
		w.exprs(x.args...)
		w.mapOf(x.named)
	case *creation:
		w.exprs(x.args...)
		w.mapOf(x.named)
		w.expr(x.init)
		if x.body != nil {
			w.class(x.body)
		}
	}
}
