package groovy

// The syntax tree. Every node knows its place.

type expr interface{ at() Pos }

type node struct{ pos Pos }

func (n node) at() Pos { return n.pos }

type (
	literal struct {
		node
		val Value
	}
	gstring struct {
		node
		parts []expr
	}
	name struct {
		node
		id string
	}
	listLit struct {
		node
		elems []expr
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
		params   []param
		implicit bool // it
		body     []stmt
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
	}
	index struct {
		node
		x, i expr
	}
	call struct {
		node
		recv   expr // nil: unqualified
		id     string
		idExpr expr
		fn     expr // call of a value: (expr)(args)
		args   []expr
		named  *mapLit
		safe   bool
		spread bool
	}
	creation struct {
		node
		class string
		args  []expr
		named *mapLit
		array bool
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
)

type param struct {
	id    string
	typ   string
	deflt expr
	rest  bool
}

type stmt interface{ at() Pos }

type (
	exprStmt struct {
		node
		x expr
	}
	varDecl struct {
		node
		ids   []string
		typ   string
		init  expr
		tuple bool // def (a, b) = list
		field bool // @Field
	}
	ifStmt struct {
		node
		cond     expr
		yes, not []stmt
	}
	whileStmt struct {
		node
		cond expr
		body []stmt
	}
	forStmt struct { // for (;;)
		node
		init []stmt
		cond expr
		post []stmt
		body []stmt
	}
	forIn struct {
		node
		id   string
		x    expr
		body []stmt
	}
	switchStmt struct {
		node
		x     expr
		cases []switchCase
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
		id    string
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
		brk bool
	}
	assertStmt struct {
		node
		cond, msg expr
	}
	block struct {
		node
		body []stmt
	}
	methodDecl struct {
		node
		id     string
		params []param
		body   []stmt
		static bool
	}
	classDecl struct {
		node
		id      string
		super   string
		fields  []*varDecl
		statics []*varDecl
		methods []*methodDecl
	}
)

// Script is a parsed source text. It is immutable and may be run many times.
type Script struct {
	File    string
	src     string
	body    []stmt
	methods []*methodDecl
	classes []*classDecl
	imports []importDecl
}

type importDecl struct {
	pos    Pos
	path   string
	static bool
	star   bool
	alias  string
}
