package groovy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// vocabulary is a Base that knows x and y.
type vocabulary struct{ Functions }

func (*vocabulary) Knows(id string) bool { return id == "x" || id == "y" }

func TestCheck(t *testing.T) {
	file := &Class{Name: "File", New: func(*Thread, []Value) (Value, error) { return nil, nil }, Members: []string{"text", "exists", "getName", "setText"}}
	for _, tt := range []struct{ src, want string }{
		{"class Own { }\ndef go() { new Own(); new ArrayList() }\nif (x) {\n  y = [{ new AntBuilder() }]\n}", "4:10: class AntBuilder is not available"},
		{`new java.util.Foo()`, "class java.util.Foo is not available"},
		{"// ä\nprintln 'b\xff'", "2:11: byte 0xff is not UTF-8 text and is read as U+FFFD"},
		{`Foo.bar()`, "1:1: class Foo is not available"},
		{`Maht.max(1, 2)`, "class Maht is not available "},
		{`com.x.Foo.bar()`, "class com.x.Foo is not available"},
		{`"abc".toUperCase()`, "1:7: method toUperCase of String is not available (did you mean toUpperCase?)"},
		{"def s = 'a' + 1\ns.trimm()", "2:3: method trimm of String is not available (did you mean trim?)"},
		{`String s = null; s = 1; s.foo()`, "method foo of String"},
		{`def f(String s) { def g = s.trim().spilt(",") }`, "method spilt of String is not available (did you mean split?)"},
		{`[1, 2].colect { it }`, "method colect of List is not available (did you mean collect?)"},
		{`[1, 2].each { it.toUperCase() }`, "method toUperCase is not available: no type has it (did you mean toUpperCase?)"},
		{`"abc".padLeft()`, "method padLeft of String takes 1 to 2 arguments, not 0"},
		{`Math.maxx(1, 2)`, "method maxx of class Math is not available (did you mean max?)"},
		{`Math.PII`, "property PII of class Math is not available (did you mean PI?)"},
		{`new File("a").exist()`, "method exist of File is not available (did you mean exists?)"},
		{`File f = new File("a"); println f.txt`, "property txt of File is not available (did you mean text?)"},
		{`def f = new File("a"); f.name + f.getText() + f.exists()`, ""},
		{`def count = 1; println cuont`, "1:24: name cuont is not known here (did you mean count?)"},
		{`def go() { 1 }; goo()`, "method goo is not available (did you mean go?)"},
		{`def go(a, b = 1) { 1 }; go(1, 2, 3)`, "method go takes 1 to 2 arguments, not 3"},
		{`class A { def n; def up() { nn++ } }`, "name nn is not known here"},
		{`class A { def n }; new A().m`, "property m of class A is not available"},
		{`class A { def go() { } }; new A().goo()`, "method goo of class A is not available (did you mean go?)"},
		{`[1].each { println cuont }`, "name cuont is not known here"},
		{`def b = [:]; b.with { anything; call() }`, ""},
		{`b = [:]; b.with { anythin() }`, "method anythin is not available: no type has it"},
		{`x + y`, ""}, // the base knows them
		{`x.run { anything }`, ""},
		{`import foo.Bar; def b(Bar c) { c instanceof Bar; c.foo }`, ""},
		{`import static foo.Bar.*; go(); z`, ""},
		{`String.metaClass.shout = { -> 1 }; "a".shout()`, ""},
		{`z = 1; def go() { z }; go(); binding.z`, ""},
		{`def m = [f: { 1 }]; m.f(); m.g = { }; m.g()`, ""},
		{`class B extends Unknown { def go() { anything(); other } }`, ""},
		{`class A { def methodMissing(String n, a) { } }; new A().any()`, ""},
		{`enum E { A, B }; E.A.name() + E.values() + E.valueOf("A").ordinal()`, ""},
		{`java.util.concurrent.TimeUnit.SECONDS.toMillis(1)`, ""},
		{"println 1\n@Grab('a:b:1')\nimport a.b.C", "2:1: @Grab is not available: nothing is downloaded while a recipe runs"},
		{`def c = { a -> a }; c(1); c.call(1); def d = c.curry(1)`, ""},
	} {
		s, err := Parse("i.groovy", tt.src)
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
			continue
		}
		in := &Interp{Base: &vocabulary{}, Classes: map[string]*Class{"File": file}}
		var texts []string
		for _, m := range in.Check(s) {
			texts = append(texts, m.Error.Error())
		}
		switch {
		case tt.want == "" && len(texts) > 0:
			t.Errorf("%s: %s", tt.src, texts)
		case tt.want != "" && (len(texts) != 1 || !strings.Contains(texts[0], tt.want)):
			t.Errorf("%s: got %q, want %s", tt.src, texts, tt.want)
		}
	}
}

// TestCheckIsTrue: of the oracle's scripts only those are told to miss something
// that miss it when they run.
func TestCheckIsTrue(t *testing.T) {
	files, err := filepath.Glob("testdata/oracle/*.groovy")
	if err != nil || len(files) < 400 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(filepath.Base(file), string(src))
		if err != nil {
			continue
		}
		if strings.HasPrefix(filepath.Base(file), "host_") {
			continue
		}
		in := &Interp{Classes: map[string]*Class{"System": system()}}
		for _, m := range in.Check(s) {
			if !fails(t, in, s, string(src), m) {
				t.Errorf("%s: false alarm: %v", file, m.Error)
			}
		}
	}
}

// fails says whether a script misses what the check tells: it fails with it, or
// it expects it, in a try or by shouldFail.
func fails(t *testing.T, in *Interp, s *Script, src string, m Missing) bool {
	t.Helper()
	_, err := in.Run(t.Context(), s)
	var e *Error
	if errors.As(err, &e) && e.Pos.Line == m.Pos.Line {
		return true
	}
	line := strings.Split(src, "\n")[m.Pos.Line-1]
	return strings.Contains(line, "try") || regexp.MustCompile(`Missing(Method|Property)Exception`).MatchString(src)
}

// Checking ends soon whatever the text: it is done where nobody can stop it.
func TestCheckEnds(t *testing.T) {
	var classes strings.Builder
	for i := range 40 {
		fmt.Fprintf(&classes, "class A%d extends A%d implements A%d, B%d {}\nclass B%d extends A%d { def x() { nosuch() } }\n", i, i+1, i+1, i+1, i, i+1)
	}
	for _, src := range []string{classes.String(), "def a = 1\n" + strings.Repeat("nosuch.thing(a)\n", 40_000)} {
		s, err := Parse("f.groovy", src)
		if err != nil {
			t.Fatal(err)
		}
		if n := len((&Interp{}).Check(s)); n > maxMissing {
			t.Errorf("%d findings", n)
		}
	}
}
