class P { String name; int age; def x = 7 }
def p = new P(name: "Bob", age: 5)
println p.name
println p.getName()
p.age = 6
println p.age
p.setAge(9)
println p.getAge()
println p.x
println p["name"]
p["name"] = "Al"
println p.name
