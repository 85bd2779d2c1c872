trait Flying { def fly() { "flying ${name}" } }
class Bird implements Flying { def name = "tweety" }
println new Bird().fly()
println new Bird() instanceof Flying
