package groovy

import "slices"

// function checks a function's defaults and statements.
func (c *checker) function(fn *function, p place) {
	for i := range fn.params {
		q := &fn.params[i]
		c.expr(q.deflt, p)
		if q.typ != "" && !q.rest && !c.declaredTwice(q.local.id) {
			c.types[q.local.id] = c.typeNamed(q.typ)
		}
	}
	c.stmts(fn.body, p)
}

func (c *checker) class(d *classDecl, p place) {
	p.class = d
	for _, f := range append(slices.Clone(d.fields), d.statics...) {
		c.expr(f.init, p)
	}
	for _, m := range append(slices.Clone(d.methods), d.inits...) {
		c.function(m.fn, p)
	}
	for _, k := range d.constants {
		c.exprs(k.args, p)
		c.named(k.named, p)
		if k.body != nil {
			c.class(k.body, p)
		}
	}
}

func (c *checker) stmts(list []stmt, p place) {
	for _, s := range list {
		c.stmt(s, p)
	}
}

func (c *checker) stmt(s stmt, p place) {
	switch s := s.(type) {
	case *exprStmt:
		c.expr(s.x, p)
	case *varDecl:
		c.variable(s, p)
	case *multi:
		c.stmts(s.list, p)
	case *block:
		c.stmts(s.body, p)
	case *ifStmt:
		c.expr(s.cond, p)
		c.stmts(s.yes, p)
		c.stmts(s.not, p)
	case *whileStmt:
		c.expr(s.cond, p)
		c.stmts(s.body, p)
	case *forStmt:
		c.stmts(s.init, p)
		c.expr(s.cond, p)
		c.stmts(s.post, p)
		c.stmts(s.body, p)
	case *forIn:
		c.expr(s.x, p)
		c.stmts(s.body, p)
	case *switchStmt:
		c.expr(s.x, p)
		for _, k := range s.cases {
			c.exprs(k.vals, p)
			c.stmts(k.body, p)
		}
	case *tryStmt:
		c.stmts(s.body, p)
		for _, k := range s.catches {
			c.stmts(k.body, p)
		}
		c.stmts(s.finally, p)
	case *throwStmt:
		c.expr(s.x, p)
	case *returnStmt:
		c.expr(s.x, p)
	case *assertStmt:
		c.expr(s.cond, p)
		c.expr(s.msg, p)
	case *superInit:
		c.exprs(s.args, p)
		c.named(s.named, p)
	}
}

// variable remembers the type of a variable that keeps it.
func (c *checker) variable(s *varDecl, p place) {
	var t vtype
	if k, ok := s.init.(*closureLit); ok && !c.lent {
		c.closure(k, p)
	} else {
		t = c.expr(s.init, p)
	}
	if s.tuple || len(s.ids) != 1 {
		return
	}
	id := s.ids[0]
	switch {
	case s.typ != "" && !c.declaredTwice(id):
		c.types[id] = c.typeNamed(s.typ)
	case s.typ == "" && !c.again[id]:
		c.types[id] = t
	}
}

// declaredTwice: a variable that has a type may be assigned, but another of its
// name has perhaps another type.
func (c *checker) declaredTwice(id string) bool {
	n := 0
	for _, l := range c.s.locals {
		if l == id {
			n++
		}
	}
	return n != 1 || len(c.s.locals) >= 1000
}

func (c *checker) exprs(list []expr, p place) {
	for _, x := range list {
		c.expr(x, p)
	}
}

func (c *checker) named(m *mapLit, p place) {
	if m != nil {
		c.expr(m, p)
	}
}

// expr checks an expression and returns what is known of its value's type.
func (c *checker) expr(x expr, p place) vtype {
	if len(c.found) >= maxMissing {
		return vtype{} // no more is told
	}
	switch x := x.(type) {
	case nil:
	case *literal:
		return vtype{kind: kindOf(x.val)}
	case *gstring:
		c.exprs(x.parts, p)
		return vtype{kind: kText}
	case *name:
		return c.name(x, p)
	case *listLit:
		c.exprs(x.elems, p)
		return vtype{kind: kList}
	case *mapLit:
		for _, e := range x.entries {
			c.expr(e.key, p)
			c.expr(e.val, p)
		}
		return vtype{kind: kMap}
	case *rangeLit:
		c.expr(x.from, p)
		c.expr(x.to, p)
		return vtype{kind: kRange}
	case *closureLit:
		if _, words := c.in.Base.(Knower); !words || c.lent {
			p.delegate = true
		}
		c.closure(x, p)
		return vtype{kind: kClosure}
	case *spread:
		c.expr(x.x, p)
	case *unary:
		return c.unary(x, p)
	case *step:
		return c.expr(x.x, p)
	case *binary:
		return c.binary(x, p)
	case *ternary:
		c.expr(x.cond, p)
		yes, no := c.expr(x.yes, p), c.expr(x.no, p)
		if x.yes != nil && yes == no {
			return yes
		}
	case *assign:
		c.expr(x.r, p)
		if n, ok := x.l.(*name); !ok || x.op != "" {
			c.expr(x.l, p)
		} else if n.local == nil && n.up < 0 {
			break // it makes the name
		}
	case *conversion:
		c.expr(x.x, p)
		return c.typeNamed(x.typ)
	case *typeTest:
		c.expr(x.x, p)
		return vtype{kind: kBool}
	case *classRef:
		return vtype{}
	case *index:
		c.expr(x.x, p)
		c.expr(x.i, p)
	case *property:
		return c.property(x, p)
	case *methodPointer:
		c.expr(x.x, p)
		c.expr(x.idExpr, p)
	case *call:
		return c.call(x, p)
	case *creation:
		return c.creation(x, p)
	}
	return vtype{}
}

func (c *checker) unary(x *unary, p place) vtype {
	c.expr(x.x, p)
	switch x.op {
	case "!":
		return vtype{kind: kBool}
	case "~":
		return vtype{kind: kPattern}
	}
	return vtype{}
}

func (c *checker) binary(x *binary, p place) vtype {
	l, r := c.expr(x.l, p), c.expr(x.r, p)
	switch x.op {
	case "==", "!=", "<", "<=", ">", ">=", "==~", "in", "&&", "||", "===", "!==":
		return vtype{kind: kBool}
	case "=~":
		return vtype{kind: kMatcher}
	case "+":
		if l.kind == kText {
			return l
		}
		if l.kind == kNumber && r.kind == kNumber {
			return l
		}
	}
	return vtype{}
}

// closure checks a closure whose delegate p tells of.
func (c *checker) closure(x *closureLit, p place) { c.function(x.fn, p) }

// arguments checks the arguments of a call. Closures among them have no
// delegate where the called method is one that only calls them.
func (c *checker) arguments(x *call, p place) {
	inside := p
	if !c.plain(x) {
		inside.delegate = true
	}
	for _, a := range x.args {
		if k, ok := a.(*closureLit); ok {
			c.closure(k, inside)
			continue
		}
		c.expr(a, p)
	}
	c.named(x.named, p)
}

// plain says that the closures a call is given run with no delegate of its own.
func (c *checker) plain(x *call) bool {
	switch x.id {
	case "each", "eachWithIndex", "reverseEach", "eachLine", "splitEachLine", "collect", "collectMany", "collectEntries", "collectNested",
		"find", "findAll", "findResult", "findResults", "findIndexOf", "findIndexValues", "findLastIndexOf", "any", "every", "inject", "sum", "sort", "toSorted",
		"max", "min", "groupBy", "countBy", "count", "unique", "times", "upto", "downto", "step", "split", "eachByte", "takeWhile", "dropWhile",
		"replaceAll", "replaceFirst", "removeAll", "retainAll", "withWriter", "withWriterAppend", "withReader", "withPrintWriter", "withInputStream",
		"withOutputStream", "eachFile", "eachDir", "eachFileRecurse", "eachFileMatch", "traverse", "filterLine", "transformLine", "eachRow",
		"withDefault", "start", "startDaemon", "eachMatch", "eachKey", "permutations", "combinations":
		return true
	}
	if x.recv != nil || x.fn != nil || c.in.Base == nil {
		return false
	}
	k, ok := c.in.Base.(Knower) // the embedder's own words: it sets none
	return ok && k.Knows(x.id)
}

// name checks a bare name.
func (c *checker) name(x *name, p place) vtype {
	if x.local != nil || x.up >= 0 {
		return c.types[x.id]
	}
	if x.id == "this" && p.class != nil {
		return vtype{kind: kInstance, decl: p.class}
	}
	if c.names[x.id] && c.bound[x.id] {
		return vtype{}
	}
	if k := c.classAt(x.id); k != nil { // also util of "import util"
		return classType(k)
	}
	if c.knownName(x.id, p) {
		return vtype{}
	}
	if isUpper(x.id) {
		if !c.loose && !p.delegate {
			c.tell("class", x.pos, unavailable(x.id)+didYouMean(x.id, c.classNames()))
		}
		return vtype{any: true}
	}
	if c.asks && c.names[x.id] {
		return vtype{}
	}
	if c.loose || p.delegate || packageRoot(x.id) || c.open && p.class != nil {
		return vtype{}
	}
	c.tell("name", x.pos, "name "+x.id+" is not known here"+didYouMean(x.id, c.variables(p)))
	return vtype{}
}

func (c *checker) classNames() []string {
	var list []string
	for id := range c.in.Classes {
		list = append(list, id)
	}
	for id := range c.lib.classes {
		list = append(list, id)
	}
	for _, d := range c.s.classes {
		list = append(list, d.id)
	}
	return list
}

// variables are the names that a bare name may have meant.
func (c *checker) variables(p place) []string {
	list := slices.Clone(c.s.locals)
	for id := range c.bound {
		list = append(list, id)
	}
	for d := p.class; d != nil; d = d.outer {
		for _, f := range append(slices.Clone(d.fields), d.statics...) {
			list = append(list, f.ids...)
		}
	}
	return list
}

// knownName says whether something around a name may answer it as a variable
// or a property.
func (c *checker) knownName(id string, p place) bool {
	switch id {
	case "this", "super", "owner", "delegate", "args", "binding", "it", "class", "out":
		return true
	}
	if k, ok := c.in.Base.(Knower); ok && k.Knows(id) {
		return true
	}
	if p.class != nil && c.has(p.class, id) {
		return true
	}
	for _, d := range c.s.imports {
		if d.static && !d.star && (lastName(d.path) == id || d.alias == id) {
			return true
		}
		if d.static && d.star {
			if k, ok := c.classAt(d.path).(*Class); ok && answers(staticNames(k), id) {
				return true
			}
		}
	}
	for _, s := range c.units {
		if s == nil {
			continue
		}
		for _, d := range s.classes { // import static
			if c.has(d, id) {
				return true
			}
		}
	}
	return c.method(c.s, "get"+upperFirst(id)) || c.method(c.s, "is"+upperFirst(id))
}

func (c *checker) method(s *Script, id string) bool {
	return slices.ContainsFunc(s.methods, func(m *methodDecl) bool { return m.id == id })
}

// has says whether a class of a script may answer a name: true also where its
// ancestors are not known.
func (c *checker) has(d *classDecl, id string) bool {
	return c.hasBeside(d, id, map[*classDecl]bool{})
}

// hasBeside is has, but for the classes that were asked already: there may be
// as many ways to one as there are powers of two.
func (c *checker) hasBeside(d *classDecl, id string, asked map[*classDecl]bool) bool {
	if asked[d] {
		return false
	}
	asked[d] = true
	if d.iface { // a trait's code uses what its class has
		return true
	}
	var names []string
	for _, m := range d.methods {
		names = append(names, m.id)
	}
	for _, f := range append(slices.Clone(d.fields), d.statics...) {
		names = append(names, f.ids...)
	}
	for _, k := range d.constants {
		names = append(names, k.id)
	}
	if answers(names, id) {
		return true
	}
	for _, s := range append(slices.Clone(d.interfaces), d.super) {
		if s == "" {
			continue
		}
		o, ok := c.classAt(s).(*classDecl)
		if !ok && !hasWord("Serializable Comparable Cloneable Runnable Callable Closeable Iterator Iterable", lastName(s)) || o != nil && c.hasBeside(o, id, asked) {
			return true
		}
	}
	if d.outer != nil && c.hasBeside(d.outer, id, asked) {
		return true
	}
	return d.enum && answers([]string{"name", "ordinal", "values", "valueOf", "next", "previous", "MIN_VALUE", "MAX_VALUE"}, id)
}
