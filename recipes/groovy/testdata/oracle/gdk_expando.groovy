def e = new Expando(name: "x")
e.age = 5
e.greet = { "hi $name" }
println e.name + e.age
println e.greet()
