println(["a", "b"].collectEntries { [it, it.toUpperCase()] })
println([1, 2].collectEntries { [(it): it * it] })
println([["k", 1], ["l", 2]].collectEntries())
