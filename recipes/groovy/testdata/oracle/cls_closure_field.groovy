class C { def action = { it * 2 }; def run(x) { action(x) } }
println new C().run(4)
println new C().action(5)
println new C().action.call(6)
