// a last parameter that is an array takes any number of arguments
def deploy = { url, name, Object[] args ->
    def line = ""
    for (arg in args) {
        line += arg.toString() + " "
    }
    "$url $name $line${args.length}"
}
println deploy("u", "n")
println deploy("u", "n", 1)
println deploy("u", "n", 1, "two")
println deploy.call("u", "n", ["a", "b"] as Object[])
def join(String sep, String[] parts) { parts.join(sep) + parts.length }
println join("-")
println join("-", "a")
println join("-", "a", "b")
println join("-", ["x", "y"] as String[])
def kind(int[] a) { "ints ${a.length}" }
def kind(String[] a) { "texts ${a.length}" }
println kind([1, 2] as int[])
println kind(["a"] as String[])
println kind("a", "b")
class A {
    def list
    A(Object[] l) { list = l.length }
    static int count(Object... l) { l.length }
}
println new A(1, 2, 3).list + A.count() + A.count(1, [2, 3])
