println([a: 1, b: 2].collect { k, v -> "$k$v" })
println([a: 1, b: 2].collect { it.value * 2 })
println([a: 1, b: 2].collectEntries { k, v -> [k.toUpperCase(), v * 10] })
println([a: 1, b: 2].collectEntries { k, v -> [(v): k] })
