package groovy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func run(t *testing.T, src string) (Value, string, error) {
	t.Helper()
	s, err := Parse("t.groovy", src)
	if err != nil {
		return nil, "", err
	}
	var out strings.Builder
	in := &Interp{Out: &out, Limits: Limits{Steps: 200000}}
	v, err := in.Run(t.Context(), s)
	return v, out.String(), err
}

func TestEval(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{`1 + 2 * 3 ** 2`, "19"},
		{`-2 ** 2`, "-4"},
		{`7 / 2`, "3.5"},
		{`6 / 2`, "3"},
		{`7 % 4 + 7.intdiv(2)`, "6"},
		{`0x1F + 1_000`, "1031"},
		{`"a" + 1 + 2`, "a12"},
		{`1 + 2 + "a"`, "3a"},
		{`def x = 3; "v=$x ${x + 1} \$x"`, "v=3 4 $x"},
		{`def m = [a: [b: 5]]; "$m.a.b!"`, "5!"},
		{`'no $x ${y}'`, "no $x ${y}"},
		{"'''two\nlines'''", "two\nlines"},
		{`"""a "quoted" ${1 + 1}"""`, `a "quoted" 2`},
		{`/a\/b\d/`, `a/b\d`},
		{`"x".replaceAll(/x/, 'y')`, "y"},
		{`[1, 2, *[3, 4]]`, "[1, 2, 3, 4]"},
		{`[a: 1, "b-c": 2, (1 + 1): 3]`, "[a:1, b-c:2, 2:3]"},
		{`[:]`, "[:]"},
		{`(1..4).collect { it * it }`, "[1, 4, 9, 16]"},
		{`('a'..'c').join("-")`, "a-b-c"},
		{`(0..<3).sum()`, "3"},
		{`def l = [5, 6, 7]; [l[-1], l[0..1], l[9]]`, "[7, [5, 6], null]"},
		{`def f = { a, b = 2 -> a + b }; f(1) + f(1, 1)`, "5"},
		{`[a: 1, b: 2].collect { k, v -> "$k$v" }.join(",")`, "a1,b2"},
		{`def s = 0; for (i in 1..3) { if (i == 2) continue; s += i }; s`, "4"},
		{`def s = 0; for (int i = 0; i < 5; i++) s += i; s`, "10"},
		{`def s = 0; while (true) { s++; if (s > 3) break }; s`, "4"},
		{`def f(x) { switch (x) { case [1, 2]: return "low"; case ~/a.*/: return "a"; case 5..9: return "mid"; default: return "?" } }; f(2) + f("abc") + f(7) + f(100)`, "lowamid?"},
		{`def x = null; x?.size() ?: "none"`, "none"},
		{`def x = ""; x ? 1 : 2`, "2"},
		{`[[n: 1], [n: 2]]*.n`, "[1, 2]"},
		{`["a", "b"]*.toUpperCase()`, "[A, B]"},
		{`3 in [1, 2, 3] && !(4 in [1])`, "true"},
		{`"5" as int`, "5"},
		{`(int) 3.7`, "3"},
		{`[1] instanceof List && "s" instanceof String && !(1 instanceof String)`, "true"},
		{`def r; try { throw new IllegalStateException("boo") } catch (IllegalArgumentException e) { r = 1 } catch (e) { r = e.message } finally { r += "!" }; r`, "boo!"},
		{`try { null.foo() } catch (NullPointerException e) { e.message }`, "Cannot invoke method foo() on null object"},
		{`try { "x".toInteger() } catch (NumberFormatException e) { "nfe" }`, "nfe"},
		{`def add(a, b = 10) { a + b }; add(1) + add(1, 2)`, "14"},
		{`def fact(n) { n <= 1 ? 1 : n * fact(n - 1) }; fact(10)`, "3628800"},
		{`String name = "x"; int n = 3; def (a, b) = [1, 2]; name * n + a + b`, "xxx12"},
		{"def x = [1,\n 2,\n 3]\n.collect { it }\nx.size()", "3"},
		{"def s = 'a' +\n 'b'\ns", "ab"},
		{`println "hi"; print 1; 5`, "5"},
		{`import foo.Bar; import static x.y.*; 1`, "1"},
		{`def c = { it -> it * 2 }; [1, 2].collect(c)`, "[2, 4]"},
		{`def c = { -> 7 }; c()`, "7"},
		{`("a b  c".split()).size() + "a,b;c".tokenize(",;").size()`, "6"},
		{`"a.b.c".split("\\.")[1]`, "b"},
		{`("abc" =~ /b(.)/)[0][1] + ("abc" ==~ /a.c/)`, "ctrue"},
		{`def m = [:]; m.a = 1; m["b"] = 2; m.c = [3]; m.c << 4; m`, "[a:1, b:2, c:[3, 4]]"},
		{`class P { def name; int n = 2; P(x) { name = x }; static def twice(y) { y * 2 }; def show() { "$name$n" } }; new P("z").show() + P.twice(4)`, "z28"},
		{`class A { def hi() { "A" } }; class B extends A { def hi() { super.hi() + "B" } }; new B().hi()`, "AB"},
		{`class Q { def a; def b }; def q = new Q(a: 1, b: 2); q.b = 5; q.a + q.getB()`, "6"},
		{`[3, 1, 2].sort().reverse()`, "[3, 2, 1]"},
		{`[[n: 2], [n: 1]].sort { it.n }*.n`, "[1, 2]"},
		{`[1, 2, 3, 4].findAll { it % 2 == 0 }.inject(0) { a, b -> a + b }`, "6"},
		{`def x = 5; x += 2; x++; --x; x`, "7"},
		{`def sb = new StringBuilder(); sb.append("a") << "b"; sb.toString()`, "ab"},
		{`true && false || !false`, "true"},
		{`1 <=> 2`, "-1"},
		{`def t = 10; t > 5 ? "big" : "small"`, "big"},
		{`java.lang.Math.max(1, 2) + Integer.parseInt("3")`, "5"},
		{`"abc".with { toUpperCase() + length() }`, "ABC3"},
		{`new ConfigSlurper().parse('a = 1; b { c = "${a}x" }; d.e = 2').b.c`, "1x"},
		{`new groovy.json.JsonSlurper().parseText('{"a":[1,2.5]}').a[1]`, "2.5"},
		{`groovy.json.JsonOutput.toJson([a: [1, "x", null]])`, `{"a":[1,"x",null]}`},
		{`def f = "x".&concat; f("y")`, "xy"},
		{`if (false) 1 else if (true) 2 else 3`, "2"},
		{`def x = 5; { -> x = 6 }(); x`, "6"},
		{`"%s-%03d".formatted("a", 7)`, "a-007"}, {`"a".format("%s-%03d", "a", 7)`, "a-007"},
		{`def a = 1; a == 1 ? { "closure" }() : 0`, "closure"},
		{`assert 1 == 1 : "no"; "ok"`, "ok"},
		{`def l = []; 3.times { l << it }; l`, "[0, 1, 2]"},
		{`"line1\nline2".eachLine { print it }; "${-> 4}"`, "4"},
		{`@groovy.transform.Field def z = 3; def g() { z }; g()`, "3"},
		{`x = 4; def g() { x + 1 }; g()`, "5"},
		{`final int k = 2; k`, "2"},
		{`List<Map<String, Integer>> l = [[a: 1]]; l[0].a`, "1"},
		{"#!/usr/bin/env groovy\n/* c */ 1 // x", "1"},
		{`switch ("b") { case "a": case "b": 1; break; default: 2 }; "end"`, "end"},
		{`[1, [2, [3]]].flatten()`, "[1, 2, 3]"},
		{`5.with { it + 1 }`, "6"},
		{`"a".equals("a") && !"a".isEmpty()`, "true"},
		{`def m = [x: { it + 1 }]; m.x(2)`, "3"},
	} {
		v, _, err := run(t, tt.src)
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
			continue
		}
		if l, ok := v.(*lazyString); ok {
			v, _ = (&Interp{}).thread(t.Context()).toString(l)
		}
		if got := Format(v); got != tt.want {
			t.Errorf("%s = %s, want %s", tt.src, got, tt.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"def x = 1\nfoo(", "t.groovy:2:4: '(' is not closed: unexpected end of file\n\tfoo(\n\t   ^"},
		{"a = [1, 2", "t.groovy:1:5: '[' is not closed: expecting ']', found end of file"},
		{`x = "open`, "t.groovy:1:5: string is not closed\n\tx = \"open\n\t    ^"},
		{"\tx = #", "unexpected char: '#'\n\t\tx = #\n\t\t    ^"},
		{"def a = 1\n\n  nope + 1", "t.groovy:3:3: No such property: nope for class: t\n\t  nope + 1\n\t  ^"},
		{`nope(1, "x")`, "No signature of method: t.nope() is applicable for argument types: (java.lang.Integer, java.lang.String) values: [1, x]"},
		{`1 / 0`, "Division by zero"},
		{`new AntBuilder()`, "t.groovy:1:1: java.lang.ClassNotFoundException: class AntBuilder is not available"},
		{`throw new RuntimeException("bad")`, "RuntimeException: bad"},
		{`while (true) { }`, "t.groovy:1:8: limit exceeded: more than 200000 steps (an endless loop?)"},
		{`def f() { f() }; f()`, "limit exceeded: calls or expressions are nested"},
		{`def s = "aaaaaaaaaaaaaaaa"; while (true) { s += s }`, "limit exceeded"},
		{`def l = [1]; while (true) { l += l }`, "limit exceeded"},
		{`"a" * 1000000000`, "limit exceeded"},
		{`(1..1000000000).collect { it }`, "limit exceeded"},
		{`try { while (true) { } } catch (Throwable e) { "caught" }`, "limit exceeded"},
		{`"ls".execute()`, "execute is not available here"},
		{`def f() { g() }
def g() { [1].each { nope } }
f()`, "t.groovy:2:22: No such property: nope for class: t\n\tdef g() { [1].each { nope } }\n\t                     ^\n\tin a closure (t.groovy:2)\n\tin g (t.groovy:2)\n\tin f (t.groovy:1)\n\tin the script (t.groovy:3)"},
		{"def f(n) {\n  g(n)\n}\ndef g(n) {\n  f(n + 1)\n}\nf(1)", ":5:3: limit exceeded: calls or expressions are nested too deep\n\t  f(n + 1)\n\t  ^\n\tin g (t.groovy:5)\n\tin f (t.groovy:2)\n\tin g (t.groovy:5)\n"},
		{"def c = { nope }\n\nc()", "t.groovy:1:11: No such property: nope for class: t\n\tdef c = { nope }\n\t          ^\n\tin a closure (t.groovy:1)\n\tin the script (t.groovy:3)"},
		{"x = [1,\n 2}", "t.groovy:2:3: expecting ']', found '}' ('[' of line 1 is open)"},
		{"x = “a”", `unexpected char: '“' (a typographic quote: write " or ')`},
		{"x =\u00a01", "(the invisible character U+00A0: write a space)"},
		{"x =\xff", "(the file is not UTF-8 text)"},
		{"x = '" + strings.Repeat("ä", 300) + "'; )", "t.groovy:1:309: unexpected ')'\n\t…" + strings.Repeat("ä", 76) + "'; )\n\t" + strings.Repeat(" ", 80) + "^"},
		{"'" + strings.Repeat("ä", 300) + "'.nope()", "…\n\t"},
		{`def count = 1; cuont + 1`, "No such property: cuont for class: t (did you mean count?)"},
		{`"abc".toUperCase()`, "No signature of method: java.lang.String.toUperCase() is applicable for argument types: () values: [] (did you mean toUpperCase?)"},
		{`1 = 2`, "not assignable"},
		{`if (1) { `, "expecting '}', found end of file"},
		{`"${"`, "not closed"},
		{`def x = 5 5`, "unexpected '5'"},
		{`assert 1 == 2 : "sum"`, "sum"},
	} {
		_, _, err := run(t, tt.src)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.src, err, tt.want)
		}
	}
}

// A closure of a script is called after the script has ended, and sees what
// the script defined.
func TestCallLater(t *testing.T) {
	s, err := Parse("t.groovy", "def n = 1\nx = 10\ndef g() { x }\n{ d -> n += d; n + g() }")
	if err != nil {
		t.Fatal(err)
	}
	in := &Interp{}
	v, err := in.Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int64{13, 15} {
		got, err := in.Call(t.Context(), v.(*Closure), int64(2))
		if err != nil || got != want {
			t.Errorf("Call = %v, %v, want %d", got, err, want)
		}
	}
}

func TestContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Parse("t.groovy", "try { while (true) { sleep 100 } } catch (Throwable e) { }")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		in := &Interp{Sleep: func(ctx context.Context, ms int64) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration(ms) * time.Millisecond):
				return nil
			}
		}}
		if _, err := in.Run(ctx, s); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run = %v, want deadline exceeded", err)
		}
	})
}

// seed gives the fuzzer the scripts of the oracle.
func seed(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/oracle/*.groovy")
	if err != nil || len(files) == 0 {
		f.Fatal(len(files), err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
}

// FuzzParse: any text ends in a tree or an *Error, and what a tree prints as
// parses into the same tree.
func FuzzParse(f *testing.F) {
	seed(f)
	for _, s := range []string{"service { name \"x\" }", "a = [b: 1, c: {x, y = 2 -> x}]", `"${a + "${b}"}"`, "class A { def b() { } }", "/a/", "$/x/$", "{a={a={a=", "for (i in 1..2) { }", "if", "''' ", "a ? b : c ?: d", "@Grab", "A<A<A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		s, err := Parse("f.groovy", src)
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("Parse = %v, which is no *Error", err)
		}
		if err != nil {
			return
		}
		(&Interp{}).Check(s)
		if diff := stable(s); diff != "" {
			t.Error(diff)
		}
	})
}

// A panic of what a script calls is an error with a place, not the end of the appliance.
func TestDefect(t *testing.T) {
	s, err := Parse("f.groovy", "def x = 1\ntry { broken.go() } catch (Throwable e) { println e }")
	if err != nil {
		t.Fatal(err)
	}
	in := &Interp{Classes: map[string]*Class{"broken": {Name: "broken", Static: &Functions{Name: "broken", Func: func(_ *Thread, _ string, args []Value) (Value, error) {
		return args[0], nil
	}}}}}
	_, err = in.Run(t.Context(), s)
	var e *Error
	if !errors.Is(err, errDefect) || !errors.As(err, &e) || e.File != "f.groovy" || e.Pos.Line != 2 {
		t.Errorf("Run = %v", err)
	}
}

// Values that contain each other, or double at each level, are walked for a while only.
func TestEndlessValues(t *testing.T) {
	const config = "def c(o) { 60.times { def n = new ConfigObject(); n.a = o; n.b = o; o = n }; o }\n"
	for _, src := range []string{
		"def a = []; def b = [a]; a << b; a.hashCode()", "def d = [1]; 60.times { d = [d, d] }; d.hashCode()", "def d = [1]; 60.times { d = [d, d] }; [d] as HashSet",
		config + "c(new ConfigObject()).merge(c(new ConfigObject()))", config + "c(new ConfigObject()).flatten()", config + "c(new ConfigObject()).toProperties()",
		"def a = { foo() }; def b = { bar() }; a.delegate = b; b.delegate = a; a()", "class A extends B {}; class B extends A {}; new A()",
		"def l = [1]; l << l; ~l", "@groovy.transform.ToString class A { def a, b }; def v = new A(); v.a = new A(a: v); v.toString()",
		"@groovy.transform.ToString class A { def a, b }; def v = new A(); 60.times { v = new A(a: v, b: v) }; v.toString()",
		"class A extends A {}; new A()", "class A { A a = new A() }; new A()",
		"interface I extends J {}; interface J extends I {}; class C implements I {}; new C() instanceof Runnable",
		"null.inject() ?: 1", "new Integer()", "new BigDecimal()", "Long.newInstance()", "null.collect(1, 2, 3, 4)",
	} {
		s, err := Parse("f.groovy", src)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = (&Interp{Limits: Limits{Steps: 200_000}}).Run(t.Context(), s); errors.Is(err, errDefect) {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func FuzzEval(f *testing.F) {
	seed(f)
	for _, s := range []string{"1 + 2", "[1, 2].collect { it + 1 }", "def l = []; l << l; println l", "\"%5d\".format(3)", "'a'.replaceAll(/a*/, 'b')", "def m = [:]; m.m = m; m == m", "x = { x() }; x()", "(1..5)[2..3]", "new ConfigSlurper().parse('a.b = 1')", "'abc'[1..2].padLeft(30)", "1.upto(3) { }", "def f(int... a) { a }; f(1, 2)", "class A { def b = 1 }; new A(b: 2).b", "def l = [1]; 40.times { l = [l, l] }; l == l.clone(); println l"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		s, err := Parse("f.groovy", src)
		if err != nil {
			return
		}
		in := &Interp{Limits: Limits{Steps: 5000, Bytes: 1 << 20, Depth: 500}}
		_, err = in.Run(t.Context(), s)
		var e *Error
		if err != nil && !errors.As(err, &e) || errors.Is(err, errDefect) {
			t.Errorf("Run = %v, which is no *Error, or a panic", err)
		}
	})
}
