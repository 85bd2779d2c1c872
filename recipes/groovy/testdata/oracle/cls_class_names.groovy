println "".class
println 1.class.name
println([].class.simpleName)
println String
println int
println((1..2).class.name)
println 1.5.class
class Foo { }
println Foo
println new Foo().class.name
println Foo.simpleName
