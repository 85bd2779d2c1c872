// Each chunk, up to a line of dashes, is a script of its own. A line that must
// fail says with what, as a regular expression after three slashes.
def x = 1
x.nope()  /// "No signature of method: java.lang.Integer.nope\(\)"
---
println undefinedName  /// "No such property: undefinedName for class: chunk"
---
def counter = 1
println(conter)  /// "No such property: conter .*did you mean counter\?"
---
class P { def name }
new P().nmae  /// "No such property: nmae for class: P .*did you mean name\?"
---
class P { def name }
new P(nam: 1)  /// "No such property: nam for class: P .*did you mean name\?"
---
def f(int a) { a }
f("text")  /// "No signature of method: chunk.f\(\) is applicable for argument types: \(java.lang.String\)"
---
def s = null
s.size()  /// "NullPointerException: Cannot invoke method size\(\) on null object"
---
def m = [a: 1]
m.b.c  /// "NullPointerException: Cannot get property 'c' on null object"
---
int n = "abc"  /// "GroovyCastException: Cannot cast object 'abc' with class 'java.lang.String' to class 'int'"
---
println 1 / 0  /// "ArithmeticException: Division by zero"
---
"abc"[7]  /// "StringIndexOutOfBoundsException"
---
[1, 2].asImmutable() << 3  /// "UnsupportedOperationException"
---
new Missing()  /// "class Missing is not available"
---
interface I { def f() }
new I()  /// "I is abstract"
---
abstract class A { abstract f() }
class B extends A { }  /// "Can't have an abstract method in a non-abstract class"
---
enum E { A }
E.valueOf("Z")  /// "No enum constant E.Z"
---
class F { final int x = 1 }
new F().x = 2  /// "Cannot set readonly property: x for class: F"
---
def c = { a, b -> a }
c(1, 2, 3)  /// "No signature of method: groovy.lang.Closure.call\(\)"
---
"x" =~ "("  /// "PatternSyntaxException"
---
"x" ==~ /\X/  /// "is not supported near index 1"
---
new groovy.json.JsonSlurper().parseText('{"a" 1}')  /// "invalid JSON at line 1, column 6: ':' is expected"
---
String.format("%d", "x")  /// "IllegalFormatConversionException: d != java.lang.String"
---
assert 1 + 1 == 3  /// "assert 1 \+ 1 == 3"
---
throw new IllegalStateException("stop")  /// "IllegalStateException: stop"
---
while (true) { }  /// "limit exceeded: more than 100000 steps \(an endless loop\?\)"
---
"x" * 2000000000  /// "limit exceeded"
---
def f() { f() }  /// "limit exceeded: calls or expressions are nested too deep"
f()
---
def l = []
l << l
l.name  /// "limit exceeded: calls or expressions are nested too deep"
---
def l = []
l << l
l.name = 1  /// "limit exceeded: calls or expressions are nested too deep"
---
def l = []
l << l
[1, 2][l]  /// "limit exceeded: calls or expressions are nested too deep"
---
def l = [[:]]
60.times { l = [l, l] }; l.name = 1  /// "limit exceeded: more than 100000 steps"
---
"ls".execute()  /// "a process is not started while a recipe is checked"
---
def x = (1 +  /// "unexpected end of file"
---
def l = [1, 2  /// "expecting '\]', found end of file"
---
x = "open  /// "string is not closed"
---
if (true) { println 1  /// "expecting '}', found end of file"
---
def x = 5 5  /// "unexpected '5'"
---
1 = 2  /// "not assignable"
---
try { println 1 }  /// "try needs catch or finally"
---
do { x = 1 } while (true)  /// "do ... while is not part of Groovy 2.4"
---
class C { def f( }  /// "unexpected 'def' in class C"
---
def n = 12abc  /// "unexpected 'a' after the number 12"
---
def f(int... a, b) { }  /// "only the last parameter takes any number of arguments"
---
for (def f() { }; ; ) { }  /// "a method is declared in the head of a loop"
---
new ProcessBuilder("ls").start()  /// "class ProcessBuilder is not available"
---
def l = [1]
l << l
-l  /// "limit exceeded: calls or expressions are nested too deep"
