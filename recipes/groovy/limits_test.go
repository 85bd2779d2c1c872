package groovy

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestBombs: what a stranger's recipe may try while it is only loaded. Each
// ends by a limit or a fault of its own, not by memory, stack or patience.
func TestBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 15 seconds; make test runs it")
	}
	const big = `def s = "a"; 21.times { s = s + s }; ` // 2 MiB
	for name, src := range map[string]string{
		"replacement":         big + `def m = (s =~ /a/); m.replaceAll("b" * 7000)`,
		"replace with itself": big + `s.replaceAll(/a/, s)`,
		"replace plain":       big + `s.replace("a", s)`,
		"empty matches":       big + `s.findAll(/x*/)`,
		"matches kept":        big + `(s =~ /(a)(a)/).collect { it }`,
		"pattern":             `("a" * 5000) ==~ /(a|aa)+b/`,
		"pattern's memory":    big + `s ==~ /(?:(a)|(b))+/`,
		"pattern's nesting":   `"x" ==~ "(" * 9000 + ")"`,
		"pattern times text":  big + `400.times { s ==~ /(.*a){30}b/ }`,
		"split to letters":    big + `s.split("")`,
		"split to nothing":    big + `s.split("a")`,
		"tokens":              big + `20.times { s.tokenize("b") }`,
		"lines":               `def s = "\n" * 1000000; 20.times { s.readLines() }`,
		"substrings kept":     `def s = "ä" * 4000000; def l = []; 100.times { l << s.substring(1) }`,
		"text of text":        `def s = "ab"; 60.times { s = s * 2 }`,
		"format":              `String.format("%099999999d", 1)`,
		"padding":             `"a".padLeft(2000000000)`,
		"long range":          `(1..2000000000).toList()`,
		"list of lists":       `def l = [1]; 40.times { l = l + l }`,
		"intersect":           `def l = (1..300000).collect { it + 0.5 }; l.intersect(l.collect { -it })`,
		"without":             `def l = (1..100000).collect { it + 0.5 }; l - l.collect { -it }`,
		"recursion":           `def f; f = { f() }; f()`,
		"recursion, caught":   `def f() { try { f() } catch (Throwable t) { f() } }; f()`,
		"endless, caught":     `while (true) { try { while (true) {} } catch (Throwable t) { } }`,
		"currying":            `def c = { it }; 1000000.times { c = c.curry(1) }; c()`,
		"dotted name":         "a" + strings.Repeat(".a", 500000) + " = 1",
		"dotted type":         "def x = a" + strings.Repeat(".a", 500000),
		"array type":          "int" + strings.Repeat("[]", 400000) + " a",
		"nested parentheses":  strings.Repeat("(", 300000),
		"nested texts":        strings.Repeat(`"${`, 200000),
		"nested else":         "if (1) 1 " + strings.Repeat("else if (1) 1 ", 70000),
		"slurped name":        `new ConfigSlurper().parse("a." * 400000 + "b = 1")`,
		"slurped nesting":     `new ConfigSlurper().parse("a { " * 100000)`,
		"JSON nesting":        `new groovy.json.JsonSlurper().parseText("[" * 10000000)`,
		"replace by a map":    `("a" * 1000000).replace([a: "b" * 1000, ab: "c"])`,
		"tokens of many ends": `def ends = "b" * 1000000, s = "a" * 4000000; 200.times { s.tokenize(ends) }`,
		"digits":              `("1" * 4000000).toBigInteger()`,
		"digits of JSON":      `new groovy.json.JsonSlurper().parseText("1" * 4000000)`,
		"a process":           `"ls".execute().text`,
		"a class of Java":     `"".class.forName("java.lang.Runtime")`,
		"sleep":               `sleep 100000000`,
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s, err := Parse("t.groovy", src)
			if err == nil {
				ctx, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer stop()
				_, err = (&Interp{Limits: Limits{Steps: 5_000_000}}).Run(ctx, s)
			}
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Error("it went through")
			}
			if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 3000 {
				t.Errorf("%d MiB allocated", got)
			}
		})
	}
}

// TestShared: values that contain or share themselves end every walk.
func TestShared(t *testing.T) {
	for _, src := range []string{
		`def l = []; l << l; l.toString()`, `def l = []; l << l; def k = []; k << k; l == k`, `def l = []; l << l; def m = [:]; m[l] = 1; m[l]`,
		`def l = []; l << l; groovy.json.JsonOutput.toJson(l)`, `def m = [:]; m[m] = m; m.hashCode()`,
		`def l = [1]; l << l; l[l] = 5`, `def l = [1]; l << l; "ab"[l]`, `def l = [1]; l << l; new Date(0)[l]`,
		`def l = [1]; l << l; Calendar.instance[l]`, `def l = [1]; l << l; Calendar.instance.get(l)`, `def b = new groovy.json.JsonBuilder(); b([b]); b.toString()`, `String.copyValueOf(5)`,
		`def l = [1]; 60.times { l = [l, l] }; "$l"`, `def l = [1]; def k = [1]; 60.times { l = [l, l]; k = [k, k] }; l == k`,
		`def l = [1]; 60.times { l = [l, l] }; l.flatten()`, `def c = { x }; c.delegate = c; c()`,
		`def a = new java.util.concurrent.atomic.AtomicReference(); a.set(a); "$a"`,
		`class A { def x; String toString() { "$x" } }; def a = new A(); a.x = a; "$a"`,
	} {
		_, _, err := run(t, src)
		if err != nil && !errors.Is(err, ErrLimit) {
			var e *Error
			if !errors.As(err, &e) || e.Pos.Line == 0 {
				t.Errorf("%s: %v", src, err)
			}
		}
	}
}

// TestChangedMeanwhile: equals, hashCode and compareTo that change the
// collection that asks them are no defect.
func TestChangedMeanwhile(t *testing.T) {
	const all = `class H implements Comparable {
	static m, n = 0, at = 1
	def empty(x) { if (m != null && ++n % at == 0) m.clear(); x }
	int hashCode() { empty(n % 2) }
	boolean equals(o) { empty(true) }
	int compareTo(o) { empty(1) }
}
for (every in 1..9) for (make in [{ [:] }, { new HashMap() }, { new TreeMap() }]) {
	H.m = null
	H.at = every
	def m = make()
	20.times { m[new H()] = it }
	H.m = m
	100.times { def h = new H(); m[h] = it; m.get(h); m.containsKey(h); m.remove(h); m.remove(h); m.put(h, 1) }
	m.keySet().toList()
}
for (make in [{ [] }, { new HashSet() }, { new TreeSet() }, { [].subList(0, 0) }]) {
	H.m = null
	def l = make()
	20.times { l << new H() }
	H.m = l
	100.times { l << new H(); l.contains(new H()); l.remove(new H()); l.removeAll([new H()]); l - [new H()]; l.count(new H()) }
}`
	if _, _, err := run(t, all); err != nil {
		t.Error(err)
	}
}
