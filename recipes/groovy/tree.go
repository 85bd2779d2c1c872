package groovy

// The syntax tree. Every node knows its place. Expressions and statements
// evaluate themselves: eval_*.go and exec*.go.

type expr interface {
	at() Pos
	eval(t *Thread, f *frame) (Value, error)
}

type stmt interface {
	at() Pos
	exec(t *Thread, f *frame) (Value, control, error)
}

type node struct{ pos Pos }

func (n node) at() Pos { return n.pos }

type (
	literal struct {
		node
		val Value
	}
	gstring struct {
		node
		parts []expr // *literal with text, *closureLit for ${-> x}, or a value
		lazy  bool   // a part is a closure
		keep  bool   // its value keeps its parts
	}
	name struct {
		node
		id    string
		local *local // in a slot of the frame
		up    int    // captured: index into frame.up; -1 when it is not
	}
	listLit struct {
		node
		elems []expr
		tuple bool // (a, b) before =
	}
	mapLit struct {
		node
		entries []mapEntry
	}
	mapEntry struct {
		key, val expr // key nil: *:val
	}
	rangeLit struct {
		node
		from, to  expr
		exclusive bool
	}
	closureLit struct {
		node
		fn       *function
		implicit bool // it
	}
	spread struct { // *list in a literal or an argument list
		node
		x expr
	}
	unary struct {
		node
		op string
		x  expr
	}
	step struct { // ++ and --
		node
		op     string
		x      expr
		prefix bool
	}
	binary struct {
		node
		op   string
		code opcode
		l, r expr
	}
	ternary struct {
		node
		cond, yes, no expr // yes nil: elvis
	}
	assign struct {
		node
		op   string // "" or the operator of a compound assignment
		l, r expr
	}
	property struct {
		node
		x      expr
		id     string
		idExpr expr // x."${name}"
		safe   bool
		spread bool
		field  bool // x.@id
	}
	methodPointer struct { // x.&id
		node
		x      expr
		id     string
		idExpr expr
	}
	index struct {
		node
		x, i expr
	}
	call struct {
		node
		recv       expr // nil: unqualified
		id         string
		idExpr     expr
		fn         expr  // call of a value: (expr)(args)
		callee     *name // unqualified, when a variable may hold a closure
		args       []expr
		named      *mapLit
		safe       bool
		spread     bool
		spreadArgs bool
	}
	creation struct {
		node
		class string
		args  []expr
		named *mapLit
		dims  int  // of an array
		init  expr // new T[] {...}
		body  *classDecl
	}
	conversion struct { // x as T, (T) x
		node
		x    expr
		typ  string
		cast bool
	}
	typeTest struct {
		node
		x   expr
		typ string
	}
	classRef struct { // int, String[]: a type as a value
		node
		typ string
	}
)

type param struct {
	local *local
	typ   string
	deflt expr
	rest  bool
}

// local is a variable of a function. One that a closure captures lives in a
// cell of its own, since it may outlive the frame.
type local struct {
	id       string
	typ      string
	slot     int
	captured bool
}

// cell is a captured variable.
type cell struct{ v Value }

// capture says where a closure finds a variable when it is made: in the
// frame around it, or in what that frame captured itself.
type capture struct {
	local *local
	up    int
}

// function is a body of statements with the frame it needs: of a script, a
// method, a closure.
type function struct {
	id       string
	params   []param
	body     []stmt
	slots    int
	height   int // of its deepest expression
	captures []capture
	pos      Pos
	least    int    // parameters without a default
	rest     bool   // takes any number
	typed    bool   // a parameter has a type
	ret      string // type that its result is made into
}

type (
	exprStmt struct {
		node
		x expr
	}
	varDecl struct {
		node
		ids    []string
		locals []*local
		typ    string
		types  []string // of a tuple
		init   expr
		tuple  bool // def (a, b) = list
		field  bool // @Field
		final  bool
		hidden bool // private or protected: no property
	}
	ifStmt struct {
		node
		cond     expr
		yes, not []stmt
	}
	whileStmt struct {
		node
		labels []string
		cond   expr
		body   []stmt
	}
	forStmt struct { // for (;;)
		node
		labels []string
		init   []stmt
		cond   expr
		post   []stmt
		body   []stmt
	}
	forIn struct {
		node
		labels []string
		local  *local
		x      expr
		body   []stmt
	}
	switchStmt struct {
		node
		labels []string
		x      expr
		cases  []switchCase
	}
	switchCase struct {
		vals  []expr
		deflt bool
		body  []stmt
	}
	tryStmt struct {
		node
		body    []stmt
		catches []catch
		finally []stmt
	}
	catch struct {
		types []string
		local *local
		body  []stmt
	}
	throwStmt struct {
		node
		x expr
	}
	returnStmt struct {
		node
		x expr
	}
	jump struct { // break, continue
		node
		brk   bool
		label string
	}
	assertStmt struct {
		node
		cond, msg expr
		text      string // of the condition
	}
	block struct {
		node
		body []stmt
	}
	superInit struct { // this(...) and super(...) in a constructor
		node
		this  bool
		args  []expr
		named *mapLit
	}
)

type methodDecl struct {
	node
	id       string
	fn       *function
	static   bool
	abstract bool
}

type classDecl struct {
	node
	id         string
	super      string
	interfaces []string
	fields     []*varDecl
	statics    []*varDecl
	methods    []*methodDecl
	inits      []*methodDecl // { ... } of instances, static { ... }
	constants  []enumConst
	notes      []annotation
	outer      *classDecl // in which it stands as a member
	iface      bool
	abstract   bool
	enum       bool
	captures   []capture
	fieldInit  *function // frame for initializers
	staticInit *function
}

type enumConst struct {
	node
	id    string
	args  []expr
	named *mapLit
	body  *classDecl
}

type annotation struct {
	id    string
	named *mapLit
}

// Script is a parsed source text. It is immutable and may be run many times.
type Script struct {
	File    string
	src     string
	main    *function
	methods []*methodDecl
	classes []*classDecl
	imports []importDecl
	locals  []string // names of variables, for hints
	grabs   []grab   // annotations that have no effect here
	keeps   bool     // strings keep their parts: it uses groovy.sql
}

// Last is the place of the last statement; of the beginning when there is none.
func (s *Script) Last() Pos {
	if n := len(s.main.body); n > 0 {
		return s.main.body[n-1].at()
	}
	return Pos{1, 1}
}

// Fault is an error at a place of the script.
func (s *Script) Fault(pos Pos, msg string) *Error {
	return (&Error{File: s.File, Pos: pos, Msg: msg}).quote(s.src)
}

// grab is a @Grab or one of its kin.
type grab struct {
	pos Pos
	id  string
}

type importDecl struct {
	pos    Pos
	path   string
	static bool
	star   bool
	alias  string
}
