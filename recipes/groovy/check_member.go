package groovy

import "strconv"

// vtype is what is known of a value: its kind; the class of an object or the
// class that it is; the script class of an instance. The zero is nothing.
type vtype struct {
	any   bool      // it answers whatever it is asked, or its class is missing, which is told
	kind  valueKind // kClass: a class itself; kObject: an object of class
	class *Class
	decl  *classDecl
}

func classType(k any) vtype {
	switch k := k.(type) {
	case *Class:
		return vtype{kind: kClass, class: k}
	case *classDecl:
		return vtype{kind: kScriptClass, decl: k}
	}
	return vtype{}
}

// typeNamed is what a declared type says of a value.
func (c *checker) typeNamed(typ string) vtype {
	switch typ {
	case "String":
		return vtype{kind: kText}
	case "int", "Integer", "long", "Long", "short", "byte", "double", "Double", "float", "Float", "BigDecimal", "BigInteger":
		return vtype{kind: kNumber}
	case "boolean", "Boolean":
		return vtype{kind: kBool}
	}
	switch k := c.classAt(typ).(type) {
	case *classDecl:
		if !k.iface && !k.abstract && !c.extended(k) {
			return vtype{kind: kInstance, decl: k}
		}
	case *Class:
		if k.Members != nil && k.New != nil {
			return vtype{kind: kObject, class: k}
		}
	}
	return vtype{}
}

// extended says whether another class extends d: a value may be of that.
func (c *checker) extended(d *classDecl) bool {
	for _, o := range c.s.classes {
		if o.super == d.id {
			return true
		}
	}
	return false
}

func (c *checker) creation(x *creation, p place) vtype {
	c.exprs(x.args, p)
	c.named(x.named, p)
	c.expr(x.init, p)
	if x.body != nil {
		x.body.outer = p.class
		c.class(x.body, place{class: x.body, delegate: p.delegate})
		return vtype{}
	}
	if x.dims > 0 || x.init != nil {
		return vtype{kind: kList}
	}
	switch k := c.classAt(x.class).(type) {
	case nil:
		c.tell("class", x.pos, unavailable(x.class)+didYouMean(x.class, c.classNames()))
		return vtype{any: true}
	case *classDecl:
		return vtype{kind: kInstance, decl: k}
	case *Class:
		return c.made(k)
	}
	return vtype{}
}

// made is the type of new K().
func (c *checker) made(k *Class) vtype {
	switch k.Name {
	case "String":
		return vtype{kind: kText}
	case "StringBuilder", "StringBuffer", "StringWriter":
		return vtype{kind: kBuilder}
	case "ArrayList", "LinkedList", "Vector", "Stack":
		return vtype{kind: kList}
	case "HashSet", "LinkedHashSet", "TreeSet":
		return vtype{kind: kSet}
	}
	if k.Members != nil {
		return vtype{kind: kObject, class: k}
	}
	switch k.Name {
	case "JsonBuilder", "StreamingJsonBuilder", "Expando", "ConfigObject", "MarkupBuilder", "StreamingMarkupBuilder", "NodeBuilder":
		return vtype{any: true}
	}
	return vtype{}
}

// property checks x.id.
func (c *checker) property(x *property, p place) vtype {
	if root := leftmost(x); root != nil && packageRoot(root.id) && root.local == nil && root.up < 0 && !c.bound[root.id] && !c.knownName(root.id, p) {
		return c.qualified(x, p)
	}
	c.expr(x.idExpr, p)
	t := c.expr(x.x, p)
	c.refused(x.x, x.id, x.pos)
	if x.id == "class" || x.idExpr != nil || c.open {
		return vtype{}
	}
	if t.kind == kScriptClass { // Outer.Inner, Enum.CONSTANT
		if d, ok := c.classAt(t.decl.id + "." + x.id).(*classDecl); ok && d.outer == t.decl {
			return classType(d)
		}
	}
	if t.kind == kClass && isUpper(x.id) {
		if k, ok := c.in.Classes[t.class.Name+"."+x.id]; ok {
			return classType(k)
		}
	}
	if x.spread || t.kind == kList || t.kind == kRange || t.kind == kSet || t.kind == kMap || t.kind == kMatcher {
		return vtype{}
	}
	if names, what, ok := c.lacks(t, x.id); ok {
		c.tell("property", x.pos, "property "+x.id+" of "+what+" is not available"+didYouMean(x.id, properties(names)))
	}
	return vtype{}
}

// refused tells of a property that the embedder refuses, as of a class that is missing.
func (c *checker) refused(of expr, id string, pos Pos) {
	n, ok := of.(*name)
	if why := ""; ok {
		if prop, set, getter := accessor(id); getter && !set {
			why = c.in.Refused[n.id+"."+prop]
		}
		if why = first(c.in.Refused[n.id+"."+id], why); why != "" {
			c.tell("class", pos, why)
		}
	}
}

// properties are the properties among the names of members.
func properties(names []string) []string {
	var list []string
	for _, id := range names {
		if p, set, ok := accessor(id); ok && !set {
			list = append(list, p)
		}
	}
	return append(list, names...)
}

func leftmost(x expr) *name {
	for {
		switch y := x.(type) {
		case *property:
			x = y.x
		case *name:
			return y
		default:
			return nil
		}
	}
}

// qualified is a.b.Name, or a member of it.
func (c *checker) qualified(x *property, p place) vtype {
	if isUpper(x.id) {
		if outer, ok := x.x.(*property); ok && isUpper(outer.id) { // a.b.Outer.Inner, a.b.Unit.REGULAR
			t := c.qualified(outer, p)
			if t.class != nil && t.class.Members != nil && !answers(staticNames(t.class), x.id) {
				c.tell("property", x.pos, "property "+x.id+" of "+shortName(t.class.Name)+" is not available"+didYouMean(x.id, staticNames(t.class)))
			}
			return vtype{}
		}
		if k := c.classAt(x.id); k != nil {
			return classType(k)
		}
		if !c.loose {
			c.tell("class", x.pos, unavailable(dotted(x)))
		}
		return vtype{any: true}
	}
	if inner, ok := x.x.(*property); ok {
		c.qualified(inner, p)
	}
	return vtype{}
}

func dotted(x expr) string {
	switch x := x.(type) {
	case *property:
		return dotted(x.x) + "." + x.id
	case *name:
		return x.id
	}
	return ""
}

// lacks says whether a value of the type has no member of the name; false also
// when that is not known. names are those that it has.
func (c *checker) lacks(t vtype, id string) (names []string, what string, lacks bool) {
	switch t.kind {
	case kInstance, kScriptClass:
		if c.has(t.decl, id) {
			return nil, "", false
		}
		if _, ok := c.lib.kinds[t.kind][id]; ok || answers(kindNames(c.lib, t.kind), id) || t.kind == kScriptClass && answers(kindNames(c.lib, kClass), id) {
			return nil, "", false
		}
		for _, m := range t.decl.methods {
			names = append(names, m.id)
		}
		for _, f := range t.decl.fields {
			names = append(names, f.ids...)
		}
		return names, "class " + t.decl.id, true
	case kClass:
		if t.class.Members == nil && !tabled(t.class) {
			return nil, "", false
		}
		names, what = staticNames(t.class), "class "+shortName(t.class.Name)
		return names, what, !answers(names, id) && !answers(kindNames(c.lib, kClass), id)
	case kObject:
		names, what = t.class.Members, shortName(t.class.Name)
		return names, what, !answers(names, id) && !answers(kindNames(c.lib, kObject), id)
	case kText, kNumber, kBool, kList, kRange, kSet, kPattern, kMatcher, kBuilder, kClosure:
		names = kindNames(c.lib, t.kind)
		return names, kindTitle(t.kind), !answers(names, id)
	case kOther, kNull, kChar, kLazy, kMap, kEntry, kThrowable, kEnum, kScript, kinds:
	}
	return nil, "", false
}

// tabled says that a table has all static members of a class.
func tabled(k *Class) bool {
	_, ok := k.Static.(*tableStatics)
	return ok
}

func kindNames(l *library, k valueKind) []string {
	list := make([]string, 0, len(l.kinds[k]))
	for id := range l.kinds[k] {
		list = append(list, id)
	}
	return list
}

func kindTitle(k valueKind) string {
	return map[valueKind]string{kText: "String", kNumber: "numbers", kBool: "Boolean", kList: "List", kRange: "Range", kSet: "Set", kPattern: "Pattern",
		kMatcher: "Matcher", kBuilder: "StringBuilder", kClosure: "Closure"}[k]
}

// call checks a call and says what its result is known to be.
func (c *checker) call(x *call, p place) vtype {
	c.expr(x.idExpr, p)
	c.expr(x.fn, p)
	switch {
	case x.fn != nil:
		c.arguments(x, p)
		return vtype{}
	case x.recv == nil:
		inside := p
		inside.anything = p.anything || c.builds && x.callee != nil && (x.callee.local != nil || x.callee.up >= 0)
		c.arguments(x, inside)
		c.function0(x, p)
		return vtype{}
	}
	n, _ := x.recv.(*name)
	t := c.receiver(x, p)
	inside := p
	inside.anything = p.anything || t.any || c.builds && t == vtype{}
	c.arguments(x, inside)
	if x.idExpr != nil || x.spread || c.open || n != nil && (n.id == "super" || n.id == "delegate" || n.id == "owner" || n.id == "this") && n.local == nil {
		return vtype{}
	}
	c.refused(x.recv, x.id, x.pos)
	c.invoked(x, t)
	return result(t, x.id)
}

// receiver checks what a method is called of; a.b.Name is a class.
func (c *checker) receiver(x *call, p place) vtype {
	if q, ok := x.recv.(*property); ok {
		return c.property(q, p)
	}
	return c.expr(x.recv, p)
}

// invoked tells of a method that the receiver's type, or every type, lacks.
func (c *checker) invoked(x *call, t vtype) {
	if names, what, lacks := c.lacks(t, x.id); lacks {
		c.tell("method", x.pos, "method "+x.id+" of "+what+" is not available"+didYouMean(x.id, names))
		return
	}
	if m, ok := c.lib.kinds[t.kind][x.id]; ok && t.kind != kOther && t.kind != kMap && t.kind != kObject && t.kind != kInstance && t.kind != kScriptClass && t.kind != kClass && !x.spreadArgs {
		n := len(x.args)
		if x.named != nil {
			n++
		}
		if !m.fits(n) {
			c.tell("method", x.pos, "method "+x.id+" of "+kindTitle(t.kind)+" takes "+m.takes()+", not "+strconv.Itoa(n))
		}
		return
	}
	if (t.kind == kOther || t.kind == kMap) && !t.any && !c.anywhere(x.id) {
		c.tell("method", x.pos, "method "+x.id+" is not available: no type has it"+didYouMean(x.id, c.methods()))
	}
}

// takes tells how many arguments a method takes.
func (m method) takes() string {
	switch {
	case m.most < 0:
		return "at least " + strconv.Itoa(m.least) + " arguments"
	case m.least == m.most && m.least == 1:
		return "1 argument"
	case m.least == m.most:
		return strconv.Itoa(m.least) + " arguments"
	}
	return strconv.Itoa(m.least) + " to " + strconv.Itoa(m.most) + " arguments"
}

// anywhere says whether any type has a method of the name, or the script gives
// the name to anything.
func (c *checker) anywhere(id string) bool {
	if c.names[id] || c.universe()[id] || c.open || c.builds {
		return true
	}
	if p, _, ok := accessor(id); ok && (c.names[p] || c.universe()[p]) {
		return true
	}
	if p, set, ok := accessor(id); ok && !set && p != "" {
		return true // of a map or an unknown bean: getX may be there
	}
	k, ok := c.in.Base.(Knower)
	return ok && k.Knows(id)
}

func (c *checker) methods() []string {
	var list []string
	for id := range c.universe() {
		list = append(list, id)
	}
	for _, m := range c.s.methods {
		list = append(list, m.id)
	}
	return list
}

// function0 checks a call without a receiver.
func (c *checker) function0(x *call, p place) {
	id := x.id
	if x.callee != nil && (x.callee.local != nil || x.callee.up >= 0) || x.callee == nil || id == "this" || id == "super" || id == "call" {
		return
	}
	if p.anything || c.bound[id] || c.knownName(id, p) || c.lib.functions[id].call != nil || inherited(nil, id) && p.class != nil && c.lib.kinds[kInstance][id].call != nil || inherited(&unit{}, id) {
		return
	}
	known := c.foreign || c.method(c.s, id) || c.method(c.s, "methodMissing")
	for _, s := range c.units {
		known = known || s != nil && c.method(s, id)
	}
	switch {
	case known:
		c.fits(x)
	case p.delegate || c.loose:
		if !c.anywhere(id) {
			c.tell("method", x.pos, "method "+id+" is not available: no type has it"+didYouMean(id, c.methods()))
		}
	case !c.open:
		c.tell("method", x.pos, "method "+id+" is not available"+didYouMean(id, c.functions(p)))
	}
}

func (c *checker) functions(p place) []string {
	var list []string
	for id := range c.lib.functions {
		list = append(list, id)
	}
	for _, m := range c.s.methods {
		list = append(list, m.id)
	}
	if p.class != nil {
		for _, m := range p.class.methods {
			list = append(list, m.id)
		}
	}
	return append(list, c.variables(p)...)
}

// fits tells when no method of the script takes as many arguments.
func (c *checker) fits(x *call) {
	n := len(x.args)
	if x.named != nil {
		n++
	}
	var one *methodDecl
	for _, m := range c.s.methods {
		if m.id == x.id {
			if one = m; m.fn.takes(n) || n == 0 && m.fn.takes(1) {
				return
			}
		}
	}
	if one != nil && !x.spreadArgs {
		c.tell("method", x.pos, "method "+x.id+" takes "+one.fn.arguments()+", not "+strconv.Itoa(n))
	}
}

// result is what a method of a known type returns, for those that are chained.
func result(t vtype, id string) vtype {
	if id == "toString" {
		return vtype{kind: kText}
	}
	if t.kind != kText {
		return vtype{}
	}
	switch id {
	case "trim", "replace", "replaceAll", "replaceFirst", "toUpperCase", "toLowerCase", "substring", "concat", "padLeft", "padRight", "center", "capitalize", "reverse", "stripIndent", "stripMargin", "normalize":
		return vtype{kind: kText}
	case "split", "tokenize", "readLines", "toList":
		return vtype{kind: kList}
	case "size", "length", "indexOf", "lastIndexOf", "toInteger", "toLong", "toDouble", "compareTo", "hashCode":
		return vtype{kind: kNumber}
	case "startsWith", "endsWith", "contains", "isEmpty", "equals", "equalsIgnoreCase", "matches", "isNumber", "isInteger", "toBoolean", "asBoolean":
		return vtype{kind: kBool}
	}
	return vtype{}
}
